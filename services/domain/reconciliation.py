"""The bank's statement, line by line, and what of it or of our books is left over."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.domain.doubtful_words import normalised
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.money import Money
from services.domain.phone import Phone, fits, phones_in

SAID_MAX = 300  # characters that are said of a line's texts
WORDS_MAX = 200  # characters kept of each

# M-PESA's codes have ten characters, of which the first is a letter (facts: NCBA 2). Nearly all
# have a digit: a word of ten letters is a word, as long as nobody has told of a payment by it.
_RECEIPT = re.compile(r"[A-Z][A-Z0-9]{9}")
_OURS = re.compile(rf"(TU|FL)-?([{ALPHABET}]{{{REFERENCE_LENGTH}}})")
_WORD = re.compile(r"[A-Z0-9-]+")
_PARTED = re.compile(r"[/\\|#,;:]")
_TYPED = 2  # the place of the payer's field among those of references
_BANK_NUMBER_LEAST = 6  # characters of the bank's own number of a movement
_NUMBER_LEAST = 8  # of one that is known by its form alone: letters and digits
# A field that is one number: ``FT26061ABCDE``, with a branch behind it, or as Excel keeps it.
_FIELD = re.compile(r'[="\s]*([A-Z0-9-]+)["\s]*(?:[\\/].*)?')

# Of a movement that takes another back. "Rev" alone is a clergyman, unless a number follows.
_BACK = (
    r"(?:revers(?:al|als|ed|e|ing)|rvsl|revsl|refund(?:ed|s)?|returned|return of|charge ?backs?"
    r"|bounced|recalled|recall of|storno|undone)"
)
_TAKES_BACK = re.compile(rf"\b{_BACK}\b|\b(?:rev|rvs|rtn|recall) (?=[a-z]*[0-9])")
# "Reversal of payment UF4OR6RP9Q": what is taken back, whatever numbers the line has besides. The
# first may be the bank's own number; behind it may stand more of M-PESA's codes.
_BACK_OF = re.compile(
    rf"\b{_BACK}(?: [a-z]+){{0,3}}?(?<= of)(?: [a-z]+){{0,2}}?"
    r" ((?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{6,}(?: (?:and |or )?[a-z][a-z0-9]{9}\b)*)"
)
# It has not happened, or not yet; a cheque comes from nobody's M-PESA; "by Recall Ltd" is a name.
_NOT_BACK = re.compile(
    r"\b(?:not|never|cannot|\w+n't|no (?:revers|refund|charge ?back)\w*|request\w*|reject\w*"
    r"|declin\w*|refus\w*|denied|fail\w*|unsuccess\w*|pending|awaiting|cheques?|chqs?"
    rf"|by (?:{_BACK}|recall)|{_BACK} (?:ltd|limited|co|company|enterprises?|shop|stores?|traders?)"
    r")\b"
)
# Of a debit that was no purchase in the end.
_CAME_TO_NOTHING = re.compile(
    r"\b(?:fail\w*|unsuccess\w*|reject\w*|declin\w*|cancel\w*|return\w*|void\w*|not|never|rvs"
    r"|rtn)\b|^rev\b"
)
# Of the bank's own: what something costs, or where it was swept to.
_OF_THE_BANK = re.compile(
    r"\b(?:charges?|chr?gs?|fees?|commissions?|tariffs?|excise|duty|tax(?:es)?|levy|interest"
    r"|penalty|settlements?|sweep|swept|transferred to|transfer to)\b"
)


class FindingKind(StrEnum):
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
    """One movement of our account. ``references`` are its fields of references, the bank's own
    number first and what the payer typed third, empty ones included; ``words`` are all its texts.
    In which of them our reference and M-PESA's receipt stand is not known (facts: NCBA 5)."""

    day: date
    is_credit: bool
    amount: Money
    words: tuple[str, ...]
    references: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        day: date,
        amount: Money,
        words: Iterable[str],
        *,
        is_credit: bool,
        references: Iterable[str] | None = None,
    ) -> BankLine:
        """With its texts as they are kept: one line each, cut, and none that says nothing.

        Without ``references`` the texts that are one word are taken for them.
        """
        texts = [text for text in _kept(words) if text]
        if references is None:
            fields = [text for text in texts if " " not in text]
        else:
            fields = _kept(references)
            texts = [*filter(None, fields), *texts]
        return cls(day, is_credit, amount, tuple(texts), tuple(fields))

    @property
    def said(self) -> str:
        return " | ".join(self.words)[:SAID_MAX]

    @property
    def receipts(self) -> Sequence[str]:
        """What is M-PESA's code by its form, and stands in a field of references, each once. What
        a payer typed is one only as a whole, and where no other field has one."""
        others = [one for one in _receipts(self.references[:_TYPED]) if not one.isalpha()]
        if others or len(self.references) <= _TYPED:
            return others
        typed = _number_of(self.references[_TYPED])
        return [typed] if _RECEIPT.fullmatch(typed) and not typed.isalpha() else []

    @property
    def named_receipts(self) -> Sequence[str]:
        """What may be one there."""
        return _receipts(self.references)

    @property
    def numbers(self) -> Sequence[str]:
        """What a known payment may be called there: M-PESA's code, or the bank's own number."""
        others = (word for word in _tokens(self.references) if _is_number(word))
        return list(dict.fromkeys([*self.named_receipts, *others]))

    @property
    def mentions(self) -> Sequence[str]:
        """What may be M-PESA's code, in any of its texts."""
        return _receipts(self.words)

    @property
    def ours(self) -> Sequence[str]:
        """What may be a reference of ours, in any text, each once, with its dash."""
        matches = (_OURS.fullmatch(word) for word in _tokens(self.words))
        found = (f"{match[1]}-{match[2]}" for match in matches if match is not None)
        return list(dict.fromkeys(found))

    @property
    def tokens(self) -> Sequence[str]:
        """All that it says, in whatever order and case."""
        return tuple(sorted(_tokens(self.words)))

    @property
    def typed(self) -> Sequence[str]:
        """The words of the field that has what the payer typed."""
        return _tokens(self.references[_TYPED:])

    @property
    def own_numbers(self) -> frozenset[str]:
        """By which it is told from others, beside our references."""
        return frozenset(filter(None, [*self.receipts, self.bank_number]))

    @property
    def said_numbers(self) -> Sequence[str]:
        """All that may be a number of it or of another movement, in any text, each once."""
        found = (part for part in _parts(self.words) if _is_long_number(part))
        return list(dict.fromkeys([*self.own_numbers, *self.mixed_mentions, *found]))

    @property
    def mixed_mentions(self) -> Sequence[str]:
        """What is M-PESA's code by its form, in any of its texts."""
        return [one for one in self.mentions if not one.isalpha()]

    @property
    def given_back_by(self) -> Sequence[str]:
        """Numbers by which what takes it back may name it, without the references of ours."""
        ours = {one.replace("-", "") for one in self.ours}
        for texts in (self.references, self._texts):
            numbers = [part for part in _parts(texts) if _is_long_number(part)]
            if found := [one for one in numbers if not any(own in one for own in ours)]:
                break
        return list(dict.fromkeys([*filter(None, [self.bank_number]), *found]))

    @property
    def is_reversal(self) -> bool:
        """It says that it has taken another movement back, and is not what that costs."""
        says_no = any(_NOT_BACK.search(normalised(word)) for word in self.words)
        return self.may_be_reversal and not self.is_of_the_bank and not says_no

    @property
    def reversed_numbers(self) -> Sequence[str]:
        """The numbers of which it says that it takes them back, each once."""
        found = (match for word in self.words for match in _BACK_OF.findall(normalised(word)))
        numbers = [one.upper() for match in found for one in match.split() if not one.isalpha()]
        return list(dict.fromkeys(numbers))

    @property
    def did_not_complete(self) -> bool:
        """It says that what it moved did not arrive, or is taken back."""
        return self.may_be_reversal or any(
            _CAME_TO_NOTHING.search(normalised(w)) for w in self.words
        )

    @property
    def may_be_reversal(self) -> bool:
        """It speaks of taking back at all: no payment, and no purchase."""
        return any(_TAKES_BACK.search(normalised(word)) for word in self.words)

    @property
    def is_of_the_bank(self) -> bool:
        """It says that it is a charge, or a movement between accounts; a credit, whose payer may
        have named a partner in a field of references, only in its other texts."""
        words = self._texts if self.is_credit else self.words
        return any(_OF_THE_BANK.search(normalised(word)) for word in words)

    @property
    def payer(self) -> str:
        """The one phone in its texts for people and, as a word of its own, in its fields of
        references, as ``2547…`` or partly masked; else nothing."""
        numbers = set(phones_in(" | ".join(self._texts)))
        for part in (part for field in self.references for part in _PARTED.split(field)):
            if not any(map(str.isalpha, part)):
                numbers.update(phones_in(part))
        whole = {number for number in numbers if "*" not in number}
        numbers -= {one for one in numbers - whole if any(fits(one, Phone(w)) for w in whole)}
        return numbers.pop() if len(numbers) == 1 else ""

    @property
    def identity(self) -> str:
        """The same for one movement in whatever words it is told: by its receipt, our reference, or
        the bank's number; where it has none of these, by all it says."""
        by = next(iter([*self.receipts, *self.ours]), "") or self.bank_number
        said = by or " ".join(sorted(_tokens(self.words)))
        side = "credit" if self.is_credit else "debit"
        parts = (self.day.isoformat(), side, self.amount.decimal, self.amount.currency, said)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    @property
    def bank_number(self) -> str:
        """The bank's own number of the movement, without its branch; empty where its field has
        none, and the second has none that is one by its form."""
        first, second = (_number_of(field) for field in (*self.references[:_TYPED], "", "")[:2])
        if _is_number(first):
            return first
        return second if _is_long_number(second) and not second.isdigit() else ""

    def says_any(self, texts: Iterable[str]) -> bool:
        """Whether it has one of these in any text, glued to other words or not."""
        said = "\n".join(self.words).upper()
        return any(text in said for text in texts)

    @property
    def _texts(self) -> list[str]:
        """Those for people."""
        return [word for word in self.words if word not in self.references]


def _number_of(field: str) -> str:
    match = _FIELD.fullmatch(field.upper())
    return "" if match is None else match[1]


def _is_long_number(word: str) -> bool:
    return len(word) >= _NUMBER_LEAST and not word.isalpha() and not word.isdigit()


def _is_number(word: str) -> bool:
    return len(word) >= _BANK_NUMBER_LEAST and any(map(str.isdigit, word))


def _kept(texts: Iterable[str]) -> list[str]:
    return [" ".join(text.split())[:WORDS_MAX] for text in texts]


def _receipts(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(part for part in _parts(texts) if _RECEIPT.fullmatch(part)))


def _parts(texts: Iterable[str]) -> list[str]:
    return [part for word in _tokens(texts) for part in word.split("-")]


def _tokens(texts: Iterable[str]) -> list[str]:
    return [token for text in texts for token in _WORD.findall(text.upper())]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something left over: ``about`` is our reference, empty for nothing of ours. ``is_dismissed``:
    two admins have looked into it."""

    id: str
    day: date
    kind: FindingKind
    about: str
    amount: Money
    said: str
    partner: str | None = None
    found_at: datetime | None = None
    is_open: bool = True
    is_dismissed: bool = False


@dataclass(frozen=True, slots=True)
class ReconciliationDay:
    """How far a business day is. Amounts are the statement's; ``findings`` are those still open."""

    day: date
    source: str
    lines: int
    matched: int
    credits: Money
    debits: Money
    ran_at: datetime
    closed_at: datetime | None
    findings: Sequence[Finding] = ()
