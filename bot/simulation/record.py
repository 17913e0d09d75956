"""What has happened in a simulated world, in order: what people did and were shown, what came by
SMS and mail, what was done to the world, and how much time passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.scripts.stage import Shown


class SentHop(NamedTuple):
    """What a gateway of USSD sent: ``text`` is all that was typed since the dial."""

    session: str
    phone: str
    code: str
    text: str


@dataclass(slots=True)
class Said:
    """``text`` is what the person's own bubble shows, ``written`` what a script says after
    ``NAME>``. It is ``gone`` once the desk has deleted it from the chat.

    With a ``hop`` it was typed on a phone that has dialled, and stands in no chat. With ``content``
    it is a file, of which ``text`` is the name.
    """

    person: str
    text: str
    written: str
    gone: bool = False
    hop: SentHop | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The desk has deleted what entry number ``said`` shows."""

    said: int


@dataclass(frozen=True, slots=True)
class Texted:
    """An SMS to a phone, or a mail to an address."""

    address: str
    text: str
    is_mail: bool


@dataclass(slots=True)
class Armed:
    """A fault that the next ``times`` calls meet, as ``@bank`` writes it."""

    call: str
    fault: str
    times: int


@dataclass(frozen=True, slots=True)
class Did:
    """A directive of a script."""

    line: str


@dataclass(slots=True)
class Passed:
    seconds: float


Entry = Said | Deleted | Shown | Texted | Armed | Did | Passed


@dataclass(slots=True)
class Record:
    entries: list[Entry] = field(default_factory=list)
    _messages: dict[str, list[int]] = field(default_factory=dict)  # their entries

    def said(self, said: Said) -> None:
        self.entries.append(said)

    def shown(self, shown: Shown) -> None:
        if shown.kind != "alert":
            self._messages.setdefault(shown.message_id, []).append(len(self.entries))
        self.entries.append(shown)

    def texted(self, address: str, text: str, *, is_mail: bool) -> None:
        self.entries.append(Texted(address, text, is_mail))

    def did(self, line: str) -> None:
        self.entries.append(Did(line))

    def armed(self, call: str, fault: str, times: int) -> None:
        self.entries.append(Armed(call, fault, times))

    def disarmed(self, call: str, unused: int) -> None:
        """The last ``unused`` calls that faults were armed for have not come."""
        for entry in reversed(self.entries):
            if isinstance(entry, Armed) and entry.call == call:
                taken_back = min(unused, entry.times)
                entry.times -= taken_back
                unused -= taken_back

    def passed(self, seconds: float) -> None:
        last = self.entries[-1] if self.entries else None
        if isinstance(last, Passed):
            last.seconds += seconds
        elif seconds > 0:
            self.entries.append(Passed(seconds))

    def deleted_last(self, person: str) -> None:
        """The desk deleted what the person said last."""
        for at in reversed(range(len(self.entries))):
            entry = self.entries[at]
            if isinstance(entry, Said) and entry.person == person and entry.hop is None:
                entry.gone = True
                self.entries.append(Deleted(at))
                return

    def has_message(self, message_id: str) -> bool:
        return message_id in self._messages

    def began(self, message_id: str) -> int:
        """The entry that first showed this message."""
        return self._messages[message_id][0]

    def versions(self, message_id: str) -> Sequence[Shown]:
        """A message as it was shown, and as it was edited, oldest first."""
        entries = (self.entries[at] for at in self._messages[message_id])
        return [entry for entry in entries if isinstance(entry, Shown)]
