"""Static checks of a script, before anything is played."""

from __future__ import annotations

from collections.abc import Sequence

from bot.scripts.api_answer import ExpectBody, ExpectHeader, ExpectMember, ExpectStatus
from bot.scripts.api_call import ApiCall
from bot.scripts.directive import (
    ArmWebhook,
    BalanceIs,
    BankNotifies,
    DeliveredAre,
    EventsAre,
    GiveStatement,
    NodeIs,
    Redeliver,
    SendHop,
)
from bot.scripts.expect import (
    ExpectAlert,
    ExpectEdit,
    ExpectGone,
    ExpectMail,
    ExpectMessage,
    ExpectSms,
)
from bot.scripts.given import Given, GivenAdmin, GivenFee, GivenPartner, GivenPerson
from bot.scripts.pattern import Pattern, variables
from bot.scripts.script import Line, Script
from bot.scripts.source_line import SourceLine
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
)


def check(script: Script) -> None:
    """Raises ``ScriptError`` at the first line that cannot be played."""
    partners, people = _given(script.givens)
    play = _Play(partners, people)
    for line in script.lines:
        play.line(line)


def _given(givens: Sequence[Given]) -> tuple[set[str], set[str]]:
    """The names of all partners and all people."""
    partners: set[str] = set()
    people: set[str] = set()
    for given in givens:
        match given:
            case GivenPartner():
                _add(given.at, given.code, partners)
            case GivenPerson() | GivenAdmin():
                _add(given.at, given.name, people)
    for given in givens:
        if isinstance(given, GivenPerson | GivenFee) and given.partner not in partners:
            raise given.at.error(f"there is no partner {given.partner}")
    return partners, people


def _add(at: SourceLine, name: str, names: set[str]) -> None:
    if name in names:
        raise at.error(f"{name} is given twice")
    names.add(name)


class _Play:
    """Tracks speakers and captured variables line by line."""

    def __init__(self, partners: set[str], people: set[str]) -> None:
        self._partners = partners
        self._people = people
        self._captured: set[str] = set()
        self._typed: set[str] = set()  # words typed so far: admins create partners by typing a code
        self._spoken = False
        self._tapped = False
        self._called = False

    def line(self, line: Line) -> None:
        match line:
            case Race():
                self._speech(line.speech)
            case Say() | Tap() | ShareContact() | SendOther() | SendFile() | EditLast() | Dial():
                self._speech(line)
            case ExpectMessage():
                if line.to is None:
                    self._need_speaker(line.at)
                else:
                    self._need_person(line.at, line.to)
                self._capture(line.pattern, *(label for row in line.rows for label in row))
            case ExpectEdit():
                self._need_speaker(line.at)
                self._capture(line.pattern)
            case ExpectAlert():
                if not self._tapped:
                    raise line.at.error("nobody has tapped anything yet")
                self._capture(line.pattern)
            case ExpectSms() | ExpectMail() if line.pattern is not None:
                self._capture(line.pattern)
            case BankNotifies():
                self._need_captured(line.at, f"{line.reference} {line.narrative}")
            case GiveStatement():
                for text in line.lines:
                    self._need_captured(line.at, text)
            case ApiCall():
                self._need_captured(line.at, line.at.text)
                if not variables(line.partner):
                    self._need_partner(line.at, line.partner)
                self._called = True
            case ExpectStatus() | ExpectBody() | ExpectHeader() | ExpectMember():
                if not self._called:
                    raise line.at.error("no @api line stands before")
                if not isinstance(line, ExpectStatus):
                    self._capture(line.pattern)
            case ExpectGone():
                self._need_speaker(line.at)
            case SendHop():
                self._need_speaker(line.at)
                self._need_captured(line.at, line.value)
            case Redeliver():
                if not self._called:
                    self._need_speaker(line.at)
            case NodeIs():
                self._need_person(line.at, line.name)
            case BalanceIs() | EventsAre() | ArmWebhook() | DeliveredAre():
                self._need_partner(line.at, line.partner)

    def _speech(self, speech: Speech) -> None:
        self._need_person(speech.at, speech.name)
        if isinstance(speech, ShareContact) and speech.of and not variables(speech.of):
            self._need_person(speech.at, speech.of)
        self._need_captured(speech.at, speech.at.text)
        self._typed.update(speech.at.text.split())
        self._spoken = True
        self._tapped = self._tapped or isinstance(speech, Tap)

    def _capture(self, *patterns: Pattern) -> None:
        self._captured.update(name for pattern in patterns for name in pattern.names)

    def _need_captured(self, at: SourceLine, text: str) -> None:
        for name in variables(text):
            if name not in self._captured:
                raise at.error(f"{{{name}}} was not captured before")

    def _need_person(self, at: SourceLine, name: str) -> None:
        if name not in self._people:
            raise at.error(f"nobody is called {name}")

    def _need_partner(self, at: SourceLine, code: str) -> None:
        if code not in self._partners | self._typed:
            raise at.error(f"there is no partner {code}")

    def _need_speaker(self, at: SourceLine) -> None:
        if not self._spoken:
            raise at.error("nobody has spoken yet")
