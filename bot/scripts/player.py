"""Plays a parsed script on a stage line by line, and reports the line that failed."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import assert_never

from bot.scripts import api_answer, run_directive
from bot.scripts.api_answer import ApiAnswer, ApiExpectation
from bot.scripts.api_call import ApiCall
from bot.scripts.directive import (
    ActionDirective,
    ArmCrash,
    BankNotifies,
    CheckDirective,
    Crash,
    GiveStatement,
    Restart,
    SendHop,
)
from bot.scripts.expect import (
    ExpectAlert,
    Expectation,
    ExpectEdit,
    ExpectGone,
    ExpectMail,
    ExpectMessage,
    ExpectPage,
    ExpectSms,
    SkipMessages,
)
from bot.scripts.inbox import Captures, Inbox, Mismatch, Texts
from bot.scripts.pattern import fill
from bot.scripts.payout_file import good_rows, written
from bot.scripts.record import Transcript
from bot.scripts.script import Line, Script
from bot.scripts.source_line import ScriptError, SourceLine
from bot.scripts.speech import (
    Dial,
    EditLast,
    Race,
    Say,
    SendFile,
    SendOther,
    ShareContact,
    Speech,
    Tap,
    screen_number,
)
from bot.scripts.stage import CannotDo, Stage

LINE_LIMIT_S = 300.0  # real seconds; simulated days take far less
TRAIL_ROWS = 5


class LineFailed(Exception):
    """A failed line. ``trail`` holds the product's newest trail rows."""

    def __init__(self, at: SourceLine, channel: str, expected: str, came: str) -> None:
        super().__init__(f"{at.file}:{at.line} ({channel}): expected {expected}, came {came}")
        self.at = at
        self.channel = channel
        self.expected = expected
        self.came = came
        self.trail: list[str] = []


class Player:
    """One run of one script, whose own state is unaffected by restarts and crashes.

    With ``restarts`` the product restarts after every line that acts on it. ``before`` is awaited
    before each line, with what was captured by then.
    """

    def __init__(
        self,
        script: Script,
        stage: Stage,
        *,
        restarts: bool = False,
        transcript: Transcript | None = None,
        before: Callable[[Line, Captures], Awaitable[None]] | None = None,
    ) -> None:
        self._before = before
        self._script = script
        self._stage = stage
        self._restarts = restarts
        self._transcript = transcript
        self._inbox = Inbox(stage.shown_since)
        self._texts = Texts("SMS", stage.sms)
        self._mails = Texts("mail", stage.mail)
        self._captured: Captures = {}
        self._speaker = ""  # static checks ensure that somebody speaks first
        self._armed: list[ArmCrash] = []
        self._answer: ApiAnswer | None = None  # the newest that the transcript has

    async def play(self) -> None:
        """Raises ``LineFailed`` or ``ScriptError``."""
        start = SourceLine(self._script.file, 1)
        lines = self._script.lines
        try:
            async with self._judged(start):
                await self._stage.open(self._script.head, self._script.givens)
                await self._settle()
            for line in lines:
                if self._before is not None:
                    await self._before(line, self._captured)
                async with self._judged(line.at):
                    await self._play(line)
            async with self._judged(lines[-1].at if lines else start):
                self._inbox.need_all_read()
            await self._need_crashes()
        finally:
            await self._stage.close()

    @asynccontextmanager
    async def _judged(self, at: SourceLine) -> AsyncIterator[None]:
        """Translate an exception into the failure of its line."""
        limit = asyncio.timeout(LINE_LIMIT_S)
        try:
            async with limit:
                yield
        except ScriptError:
            raise
        except CannotDo as error:
            raise at.error(f"this build cannot {error}") from None
        except Mismatch as error:
            raise await self._failed(at, error.expected, error.came) from None
        except Exception as error:
            expected = "a line that ends"
            if limit.expired():
                raise await self._failed(at, expected, f"no end in {LINE_LIMIT_S} s") from error
            frame = traceback.extract_tb(error.__traceback__)[-1]
            came = f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
            raise await self._failed(at, expected, came) from error

    async def _failed(self, at: SourceLine, expected: str, came: str) -> LineFailed:
        failed = LineFailed(at, self._stage.channel, expected, came)
        # A product that is down has no trail; report the line's own failure.
        with suppress(Exception):
            failed.trail = list(await self._stage.trail(TRAIL_ROWS))
        return failed

    async def _play(self, line: Line) -> None:
        if isinstance(line, Race):
            await self._speak(line.speech, line.copies)
        elif isinstance(line, Speech):
            await self._speak(line, 1)
        elif isinstance(line, ApiCall):
            await self._stage.call_api(line.request(self._captured), line.copies)
        elif isinstance(line, ActionDirective):
            if isinstance(line, ArmCrash):
                self._armed.append(line)
            if isinstance(line, BankNotifies):
                line = replace(
                    line,
                    reference=line.reference and self._filled(line.reference),
                    narrative=line.narrative and self._filled(line.narrative),
                )
            if isinstance(line, SendHop):
                line = replace(line, value=self._filled(line.value))
            if isinstance(line, GiveStatement):
                line = replace(line, lines=tuple(self._filled(text) for text in line.lines))
            await run_directive.perform(line, self._stage)
        elif isinstance(line, CheckDirective):
            await run_directive.verify(line, self._stage)
        elif isinstance(line, ApiExpectation):
            self._captured |= await self._read_answer(line)
        else:
            self._captured |= self._read(line)
        if self._transcript is not None:
            self._transcript.add_line(line, self._captured)
        await self._settle()
        if self._restarts and _touches_product(line):
            await self._stage.restart()
            await self._settle()

    async def _settle(self) -> None:
        await self._stage.settle()
        news = self._inbox.collect()
        if self._transcript is not None:
            self._transcript.add_deliveries(news, self._speaker)
            answer = self._stage.api_answered()
            if answer is not None and answer is not self._answer:
                self._answer = answer
                self._transcript.add_answer(answer)

    async def _speak(self, speech: Speech, copies: int) -> None:
        self._inbox.need_all_read()
        self._speaker = name = speech.name
        stage = self._stage
        match speech:
            case Say():
                await stage.say(name, self._filled(speech.text), copies)
            case Tap():
                wanted = self._filled(speech.option)
                number = screen_number(speech.at, self._filled(speech.screen))
                screen, option = self._inbox.option(name, wanted, number)
                self._inbox.forget_alerts()
                await stage.tap(name, screen, option, copies)
            case ShareContact():
                of = None if speech.of is None else self._filled(speech.of)
                await stage.share_contact(name, of, copies)
            case SendOther():
                await stage.send_other(name, speech.what, copies)
            case SendFile():
                lines = speech.lines or good_rows(speech.rows, self._script.head.seed)
                content = written([self._filled(line) for line in lines], speech.form)
                await stage.send_file(name, speech.file, content, copies)
            case EditLast():
                await stage.edit_last(name, self._filled(speech.text), copies)
            case Dial():
                await stage.dial(name, self._filled(speech.code), copies)
            case _:
                assert_never(speech)

    def _filled(self, text: str) -> str:
        return fill(text, self._captured)

    def _read(self, line: Expectation) -> Captures:
        """Captures of the line."""
        match line:
            case ExpectMessage():
                return self._inbox.read_message(line.to or self._speaker, line)
            case SkipMessages():
                self._inbox.skip_all()
            case ExpectAlert():
                return self._inbox.read_alert(line.pattern)
            case ExpectEdit():
                return self._inbox.read_edit(self._speaker, line.pattern)
            case ExpectGone():
                if not self._stage.is_gone(self._speaker):
                    raise Mismatch(f"the last message of {self._speaker} deleted", "it is there")
            case ExpectPage():
                self._inbox.need_page(line.page)
            case ExpectSms():
                return self._texts.take(line.phone, line.pattern)
            case ExpectMail():
                return self._mails.take(line.address, line.pattern)
            case _:
                assert_never(line)
        return {}

    async def _read_answer(self, line: ApiExpectation) -> Captures:
        answer = await self._stage.api_answer()
        captures = api_answer.find(answer, line)
        if captures is None:
            raise Mismatch(api_answer.expected(line), api_answer.came(answer, line))
        return captures

    async def _need_crashes(self) -> None:
        """An armed crash that never fired has tested nothing."""
        for point in self._stage.waiting_crashes():
            armed = next(line for line in reversed(self._armed) if line.point == point)
            async with self._judged(armed.at):
                raise Mismatch(f"a crash at {point}", "the script ended before it")


def _touches_product(line: Line) -> bool:
    """Whether to restart after this line; not after arming a crash, which the restart could
    trigger.
    """
    return isinstance(line, Speech | Race | ActionDirective | ApiCall) and not isinstance(
        line, ArmCrash | Restart | Crash
    )
