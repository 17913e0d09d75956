"""Stories: conversation scripts that play on the page, step by step, each in a fresh world."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

import structlog

from bot.channels.terminal import CHANNEL
from bot.scripts.directive import ActionDirective, GiveStatement
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from bot.scripts.inbox import Captures
from bot.scripts.parse import load
from bot.scripts.pattern import fill
from bot.scripts.player import LineFailed, Player
from bot.scripts.script import Line, Script
from bot.scripts.source_line import ScriptError, SourceLine
from bot.scripts.speech import Race, Speech
from bot.scripts.stage import Option, Shown
from bot.simulation.page.view import Views
from bot.simulation.served.served_world import ControlError, ServedWorld
from bot.simulation.stage import SceneStage
from services.domain.ussd import CHANNEL as USSD

FOLDER = Path(__file__).with_name("stories")
STORIES = (
    "paid",
    "wrong-pin",
    "timeout-then-paid",
    "notified-twice",
    "unknown-payer",
    "float-with-code",
    "approval",
    "lock-out",
    "bank-down",
    "crash-in-the-middle",
    "top-up-by-ussd",
    "unknown-then-paid",
    "file-of-payouts",
)
STEP_S = 1.2  # real seconds that a caption stands before the next, unless somebody asks for it

_log = structlog.get_logger(__name__)


class _Stopped(Exception):
    """Somebody has stopped the story."""


class StoryState(StrEnum):
    NONE = "none"
    PLAYING = "playing"
    PAUSED = "paused"
    HELD = "held"  # every line of it
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Caption:
    """What the comment above a line tells."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    id: str
    script: Script
    captions: Sequence[Caption]

    @property
    def title(self) -> str:
        return self.script.head.title

    @property
    def dials(self) -> bool:
        """Whether its people dial, and only dial."""
        return self.script.head.channels == (USSD,)

    @property
    def cast(self) -> Sequence[str]:
        """Who speaks, in the order of first words."""
        return list(dict.fromkeys(filter(None, map(speaker, self.script.lines))))


@cache
def stories() -> dict[str, Story]:
    """By id, in the order in which they are offered."""
    return {story_id: _load(FOLDER / f"{story_id}.chat") for story_id in STORIES}


def _load(file: Path) -> Story:
    script = load(file)
    own = {line.at.line for line in script.lines if line.at.file == file}
    captions = []
    comment: list[str] = []
    for number, text in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if text.startswith("# "):
            comment.append(text[2:].strip())
            continue
        if comment and number in own:
            captions.append(Caption(number, " ".join(comment)))
        comment = []
    return Story(file.stem, script, captions)


def speaker(line: Line) -> str | None:
    if isinstance(line, Race):
        return line.speech.name
    return line.name if isinstance(line, Speech) else None


@dataclass(slots=True)
class StoryTeller:
    """Plays one story at a time. ``told`` are the captions so far, ``problem`` why it failed."""

    served: ServedWorld
    views: Views
    story: Story | None = None
    state: StoryState = StoryState.NONE
    told: list[Caption] = field(default_factory=list)
    problem: str = ""
    world: int = 0  # that it began
    _task: asyncio.Task[None] | None = None
    _go_on: asyncio.Event = field(default_factory=asyncio.Event)
    _is_paused: bool = False
    _is_stopped: bool = False
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def key(self) -> Hashable:
        return (self.story and self.story.id, self.state, len(self.told), self.world)

    @property
    def is_here(self) -> bool:
        """Whether the world is still that of the story."""
        return self.story is not None and self.world == self.served.number

    async def begin(self, story: Story) -> None:
        """Instead of the one that plays now."""
        async with self._changing:
            await self._stop()
            self.story, self.state = story, StoryState.PLAYING
            self.told, self.problem, self._is_paused = [], "", False
            self._go_on.clear()
            self._task = asyncio.create_task(self._play(story))

    async def stop(self) -> None:
        """Between two lines: one that has begun is played."""
        async with self._changing:
            await self._stop()

    async def _stop(self) -> None:
        if self._task is not None:
            self._is_stopped = True
            self._go_on.set()
            await self._task
            self._task, self._is_stopped = None, False

    async def leave(self) -> None:
        """As ``stop``, and it is shown no longer."""
        async with self._changing:
            await self._stop()
            self.story, self.state, self.told = None, StoryState.NONE, []

    def pause(self) -> None:
        if self.state is StoryState.PLAYING:
            self._is_paused, self.state = True, StoryState.PAUSED
            self.views.wake()

    def resume(self) -> None:
        if self.state is StoryState.PAUSED:
            self._is_paused, self.state = False, StoryState.PLAYING
            self._go_on.set()
            self.views.wake()

    def next(self) -> None:
        """Go on to the next caption now."""
        self._go_on.set()

    async def _play(self, story: Story) -> None:
        stage = StoryStage(self.served, USSD if story.dials else CHANNEL)
        player = Player(story.script, stage, before=self._before)
        try:
            async with self.served.story(story.title):
                await player.play()
            self.state = StoryState.HELD
        except _Stopped:
            self.state = StoryState.STOPPED
        except (LineFailed, ScriptError, ControlError) as error:
            self.state, self.problem = StoryState.FAILED, str(error)
            _log.warning("a story failed", story=story.id, problem=str(error))
        except Exception as error:  # noqa: BLE001 - logged and shown: others may be played
            self.state, self.problem = StoryState.FAILED, f"The page failed: {error!r}"
            _log.exception("a story failed", story=story.id)
        finally:
            self.views.wake()

    async def _before(self, line: Line, captured: Captures) -> None:
        assert self.story is not None
        self._check_goes_on()
        self.world = self.served.number
        self._show(line)
        if isinstance(line, ActionDirective):
            self._record(line, captured)
        caption = self._caption(line.at)
        if caption is not None:
            self.told.append(caption)
        self.views.wake()
        if caption is not None:
            await self.served.pause_story(self._wait())
            self._check_goes_on()

    def _check_goes_on(self) -> None:
        if self._is_stopped:
            raise _Stopped

    def _caption(self, at: SourceLine) -> Caption | None:
        assert self.story is not None
        if at.file != self.story.script.file:
            return None
        return next((one for one in self.story.captions if one.line == at.line), None)

    def _record(self, line: ActionDirective, captured: Captures) -> None:
        self.served.record.did(fill(line.at.text, captured))
        if isinstance(line, GiveStatement):
            for text in line.lines:
                self.served.record.did(f"  {text}")

    async def _wait(self) -> None:
        """For the time that a caption needs, or until somebody asks for the next."""
        try:
            async with asyncio.timeout(None if self._is_paused else STEP_S):
                await self._go_on.wait()
        except TimeoutError:
            if self._is_paused:  # meanwhile
                await self._go_on.wait()
        self._go_on.clear()

    def _show(self, line: Line) -> None:
        """The phones are those of whoever speaks in it: two at most, the last speakers."""
        assert self.story is not None
        name = speaker(line)
        for view in self.views.every():
            if not self.told:
                view.people = list(self.story.cast[:2])
            elif name is not None and name not in view.people:
                view.people = [view.people[-1], name]


class StoryStage(SceneStage):
    """The served world as a stage."""

    def __init__(self, served: ServedWorld, channel: str) -> None:
        super().__init__(channel)
        self._served = served

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        await self._served.begin(givens, head.seed)
        self.enter(self._served.scene)

    async def tap(self, name: str, screen: Shown, option: Option, copies: int = 1) -> None:
        """Recorded so that a copy finds the same button: others may have its id."""
        if self._handsets is not None:
            await super().tap(name, screen, option, copies)
        else:
            written = self._served.written(name, screen, option)
            self.inputs.tap(name, screen, option, copies, written)

    async def close(self) -> None:
        """The world goes on, for whoever wants to try something in it."""
        if self._api is not None:
            await self.api.close()
