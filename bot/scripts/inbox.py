"""What people were shown, and how much of it the script has matched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.scripts.expect import ExpectMessage, Row
from bot.scripts.pattern import Pattern
from bot.scripts.stage import Option, Shown

Captures = dict[str, str]


class Mismatch(Exception):
    """A line failed."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.expected = expected
        self.came = came


@dataclass(slots=True)
class Message:
    """A message to one person. A later edit changes ``text`` and ``rows``, but not ``shown``."""

    shown: Shown
    text: str
    rows: tuple[tuple[Option, ...], ...]
    read: bool = False

    def __str__(self) -> str:
        return with_rows(self.text, [[option.label for option in row] for row in self.rows])


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Deliveries since the last ``collect``."""

    messages: list[Message] = field(default_factory=list)
    edits: list[Shown] = field(default_factory=list)
    alerts: list[Shown] = field(default_factory=list)


def with_rows(text: str, rows: Sequence[Sequence[object]]) -> str:
    """A message in script syntax."""
    lines = [text, *("  " + " ".join(f"[{label}]" for label in row) for row in rows)]
    return "\n".join(lines)


class Inbox:
    """Follows a stage's ``shown_since``.

    An answer that replaced a screen in place counts as a separate message, so each turn's answer
    keeps its own text; only edits outside a turn change an unread message.
    """

    def __init__(self, shown_since: Callable[[int], Sequence[Shown]]) -> None:
        self._shown_since = shown_since
        self._cursor = 0
        self._messages: list[Message] = []
        self._edits: list[Shown] = []
        self._alerts: list[Shown] = []
        self._page: str | None = None

    def collect(self) -> Deliveries:
        """Read deliveries since the last call."""
        news = Deliveries()
        delivered = self._shown_since(self._cursor)
        self._cursor += len(delivered)
        for shown in delivered:
            self._page = shown.page or self._page
            match shown.kind:
                case "answer" | "notice":
                    news.messages.append(Message(shown, shown.text, shown.rows))
                    self._messages.append(news.messages[-1])
                case "edit":
                    news.edits.append(shown)
                    self._edit(shown)
                case "alert":
                    news.alerts.append(shown)
                    self._alerts.append(shown)
        return news

    def _edit(self, shown: Shown) -> None:
        self._edits.append(shown)
        for message in reversed(self._messages):
            if (message.shown.to, message.shown.message_id) == (shown.to, shown.message_id):
                message.text, message.rows = shown.text, shown.rows
                return

    def forget_alerts(self) -> None:
        """Called before a tap: earlier alerts do not answer it."""
        self._alerts.clear()

    def option(self, name: str, wanted: str, screen: int) -> tuple[Shown, Option]:
        """The option with this id, or else this label, on the person's ``screen`` (-1: newest).

        For the newest screen, the latest unsolicited message after it is searched as well.
        """
        expected = f"an option [{wanted}] on screen {screen} of {name}"
        seen = [message.shown for message in self._messages if message.shown.to == name]
        at = [n for n, shown in enumerate(seen) if shown.kind == "answer"]
        if len(at) < -screen:
            raise Mismatch(expected, f"{name} has seen {len(at)} screens")
        shown = seen[at[screen]]
        candidates = [shown]
        if screen == -1:
            candidates += seen[at[-1] + 1 :][-1:]
        for candidate in candidates:
            options = [option for row in candidate.rows for option in row]
            for option in options:
                if option.id == wanted:
                    return candidate, option
            for option in options:
                if option.label == wanted:
                    return candidate, option
        rows = [[f"{option.id}: {option.label}" for option in row] for row in shown.rows]
        raise Mismatch(expected, with_rows(shown.text, rows))

    def read_message(self, name: str, wanted: ExpectMessage) -> Captures:
        """Match this person's next unread message; returns captures."""
        expected = f"{wanted.pattern}"
        unread = [m for m in self._messages if m.shown.to == name and not m.read]
        message = next((m for m in unread if _is_wanted(m, wanted)), None)
        if message is None:
            raise Mismatch(expected, f"nothing unread to {name}")
        captures = wanted.pattern.match(message.text)
        if captures is None:
            raise Mismatch(expected, str(message))
        for row in wanted.rows:
            captures |= _match_row(row, message)
        message.read = True
        return captures

    def need_page(self, wanted: str) -> None:
        if self._page != wanted:
            raise Mismatch(f"page {wanted}", f"page {self._page}" if self._page else "no page")

    def take_unread(self, name: str) -> list[Message]:
        """Everything this person has not read yet, in order; it is read now."""
        unread = [m for m in self._messages if m.shown.to == name and not m.read]
        for message in unread:
            message.read = True
        return unread

    def read_alert(self, pattern: Pattern) -> Captures:
        return _match_any(pattern, [alert.text for alert in self._alerts], "no alert")

    def read_edit(self, name: str, pattern: Pattern) -> Captures:
        """Match the newest edit to anybody, or else the newest to this person."""
        newest = self._edits[-1:]
        if newest and newest[0].to != name:
            newest += [edit for edit in self._edits if edit.to == name][-1:]
        for edit in newest:
            captures = pattern.match(edit.text)
            if captures is not None:
                return captures
        actual = [f"edit to {edit.to}: {edit.text}" for edit in newest]
        raise Mismatch(str(pattern), "\n".join(actual) or "no edit")

    def skip_all(self) -> None:
        for message in self._messages:
            message.read = True

    def need_all_read(self) -> None:
        unread = [m for m in self._messages if not m.read and not m.shown.may_be_left]
        for message in self._messages:
            message.read = message.read or message.shown.may_be_left
        if unread:
            actual = "\n".join(f"unread to {message.shown.to}: {message}" for message in unread)
            raise Mismatch("every message read before (bot* skips them)", actual)


class Texts:
    """The SMS or mails (``what``) that a script has read, per address."""

    def __init__(self, what: str, received: Callable[[str], Sequence[str]]) -> None:
        self._what = what
        self._received = received
        self._read: dict[str, int] = {}

    def take(self, address: str, pattern: Pattern | None) -> Captures:
        """Match the next unread text or, without a pattern, that there is none."""
        read = self._read.get(address, 0)
        unread = self._received(address)[read:]
        if pattern is None:
            if unread:
                raise Mismatch(f"no unread {self._what} to {address}", "\n".join(unread))
            return {}
        captures = _match_any(pattern, unread[:1], f"no unread {self._what} to {address}")
        self._read[address] = read + 1
        return captures

    def take_all(self, address: str) -> list[str]:
        """All unread texts, in order; they are read now."""
        received = self._received(address)
        unread = received[self._read.get(address, 0) :]
        self._read[address] = len(received)
        return list(unread)


def _is_wanted(message: Message, wanted: ExpectMessage) -> bool:
    """What may be left unread is passed over unless it fits."""
    return not message.shown.may_be_left or wanted.pattern.match(message.text) is not None


def _match_any(pattern: Pattern, texts: Sequence[str], nothing: str) -> Captures:
    for text in texts:
        captures = pattern.match(text)
        if captures is not None:
            return captures
    raise Mismatch(str(pattern), "\n".join(texts) or nothing)


def _match_row(wanted: Row, message: Message) -> Captures:
    for row in message.rows:
        captures = _match_labels(wanted, row)
        if captures is not None:
            return captures
    raise Mismatch("a row " + " ".join(f"[{label}]" for label in wanted), str(message))


def _match_labels(wanted: Row, row: Sequence[Option]) -> Captures | None:
    if len(wanted) != len(row):
        return None
    captures: Captures = {}
    for label, option in zip(wanted, row, strict=True):
        found = label.match(option.label)
        if found is None:
            return None
        captures |= found
    return captures
