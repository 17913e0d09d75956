"""The bank's statement, line by line, and what of it or of our books is left over."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.money import Money

SAID_MAX = 300  # characters that are said of a line's texts
WORDS_MAX = 200  # characters kept of each

# M-PESA's codes have ten characters, of which the first is a letter (facts: NCBA 2).
_RECEIPT = re.compile(r"[A-Z][A-Z0-9]{9}")
_OURS = re.compile(rf"(TU|FL)-?([{ALPHABET}]{{{REFERENCE_LENGTH}}})")
_WORD = re.compile(r"[A-Z0-9-]+")


class Leftover(StrEnum):
    """Why a line, or something of ours, has no counterpart."""

    UNKNOWN_CREDIT = "unknown_credit"  # money came, and the line names nothing that can be read
    UNKNOWN_DEBIT = "unknown_debit"  # money went, and we know of nothing
    DOUBLED_LINE = "doubled_line"  # the bank has it twice
    AMOUNT_DIFFERS = "amount_differs"
    OTHER_DAY = "other_day"  # the bank has it on another day than we
    NOT_ON_STATEMENT = "not_on_statement"  # we have it, the bank has not
    DEBITED_UNBOUGHT = "debited_unbought"  # money went for float that was not bought


@dataclass(frozen=True, slots=True)
class BankLine:
    """One movement of our account: ``words`` are its texts. Where on a line our reference and
    M-PESA's receipt stand is not known (facts: NCBA 5), so all of them are looked through."""

    day: date
    is_credit: bool
    amount: Money
    words: tuple[str, ...]

    @classmethod
    def of(cls, day: date, amount: Money, words: Iterable[str], *, is_credit: bool) -> BankLine:
        """With its texts as they are kept: one line each, cut, and none that says nothing."""
        kept = (" ".join(word.split())[:WORDS_MAX] for word in words)
        return cls(day, is_credit, amount, tuple(word for word in kept if word))

    @property
    def said(self) -> str:
        return " | ".join(self.words)[:SAID_MAX]

    @property
    def receipts(self) -> Sequence[str]:
        """What may be M-PESA's code, each once; any word of ten letters may."""
        found = (part for word in self._tokens() for part in word.split("-"))
        found = (part for part in found if _RECEIPT.fullmatch(part))
        return list(dict.fromkeys(found))

    @property
    def new_receipts(self) -> Sequence[str]:
        """What is M-PESA's code although nobody knows it yet: it has a digit, as nearly all of them
        have; where none has, it stands alone."""
        alone = {word.upper() for word in self.words}
        digits = [one for one in self.receipts if not one.isalpha()]
        return digits or [one for one in self.receipts if one in alone]

    @property
    def references(self) -> Sequence[str]:
        """What may be a reference of ours, each once, with its dash."""
        matches = (_OURS.fullmatch(word) for word in self._tokens())
        found = (f"{match[1]}-{match[2]}" for match in matches if match is not None)
        return list(dict.fromkeys(found))

    def key(self, copy: int) -> str:
        """The same for the same line of another statement; ``copy`` counts equal lines from 0."""
        side = "credit" if self.is_credit else "debit"
        parts = (self.day.isoformat(), side, self.amount.decimal, self.amount.currency, *self.words)
        digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
        return digest if copy == 0 else f"{digest}-{copy}"

    def _tokens(self) -> list[str]:
        return [token for word in self.words for token in _WORD.findall(word.upper())]


@dataclass(frozen=True, slots=True)
class Found:
    """Something left over: ``about`` is our reference, empty for nothing of ours. ``is_dismissed``:
    two admins have looked into it."""

    id: str
    day: date
    kind: Leftover
    about: str
    amount: Money
    said: str
    partner: str | None = None
    found_at: datetime | None = None
    is_open: bool = True
    is_dismissed: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """How far a business day is. Amounts are the statement's; ``findings`` are those still open."""

    day: date
    source: str
    lines: int
    matched: int
    credits: Money
    debits: Money
    ran_at: datetime
    closed_at: datetime | None
    findings: Sequence[Found] = ()
