"""One line of the bank's statement, and what its texts can be read to name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.domain.doubtful_words import normalised
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.money import Money
from services.domain.phone import Phone, fits, phones_in

SAID_MAX = 300  # characters of a line's texts shown in findings
WORDS_MAX = 200  # characters stored of each text

# M-PESA's codes have ten characters, the first a letter (facts: NCBA 2). Nearly all contain a
# digit: a word of ten letters is taken for a word, unless a payment is known by it.
_RECEIPT = re.compile(r"[A-Z][A-Z0-9]{9}")
_OURS = re.compile(rf"(TU|FL)-?([{ALPHABET}]{{{REFERENCE_LENGTH}}})")
_WORD = re.compile(r"[A-Z0-9-]+")
_PARTED = re.compile(r"[/\\|#,;:]")
_TYPED = 2  # index of the payer's field among the reference fields
_BANK_NUMBER_LEAST = 6  # characters of the bank's own number of a movement
_NUMBER_LEAST = 8  # of a number recognised by its form alone: letters and digits

# A field that is one number: ``FT26061ABCDE``, with a branch after it, or as Excel exports it.
_FIELD = re.compile(r'[="\s]*([A-Z0-9-]+)["\s]*(?:[\\/].*)?')

# A reversal. "Rev" alone is a clergyman, unless a number follows.
_BACK = (
    r"(?:revers(?:al|als|ed|e|ing)|rvsl|revsl|refund(?:ed|s)?|returned|return of|charge ?backs?"
    r"|bounced|recalled|recall of|storno|undone)"
)
_TAKES_BACK = re.compile(rf"\b{_BACK}\b|\b(?:rev|rvs|rtn|recall) (?=[a-z]*[0-9])")

# "Reversal of payment UF4OR6RP9Q": the number reversed, whatever other numbers the line has. The
# first may be the bank's own number; more of M-PESA's codes may follow it.
_BACK_OF = re.compile(
    rf"\b{_BACK}(?: [a-z]+){{0,3}}?(?<= of)(?: [a-z]+){{0,2}}?"
    r" ((?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{6,}(?: (?:and |or )?[a-z][a-z0-9]{9}\b)*)"
)

# No reversal, or not yet; a cheque does not come from M-PESA; "by Recall Ltd" is a name.
_NOT_BACK = re.compile(
    r"\b(?:not|never|cannot|\w+n't|no (?:revers|refund|charge ?back)\w*|request\w*|reject\w*"
    r"|declin\w*|refus\w*|denied|fail\w*|unsuccess\w*|pending|awaiting|cheques?|chqs?"
    rf"|by (?:{_BACK}|recall)|{_BACK} (?:ltd|limited|co|company|enterprises?|shop|stores?|traders?)"
    r")\b"
)

# A debit that bought nothing in the end.
_CAME_TO_NOTHING = re.compile(
    r"\b(?:fail\w*|unsuccess\w*|reject\w*|declin\w*|cancel\w*|return\w*|void\w*|not|never|rvs"
    r"|rtn)\b|^rev\b"
)

# The bank's own movements: charges, and sweeps between accounts.
_OF_THE_BANK = re.compile(
    r"\b(?:charges?|chr?gs?|fees?|commissions?|tariffs?|excise|duty|tax(?:es)?|levy|interest"
    r"|penalty|settlements?|sweep|swept|transferred to|transfer to)\b"
)


@dataclass(frozen=True, slots=True)
class BankLine:
    """One movement of our account. ``references`` are its reference fields, the bank's own number
    first and what the payer typed third, including empty ones; ``words`` are all its texts. Which
    of them hold our reference and M-PESA's receipt is not known (facts: NCBA 5)."""

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
        """With its texts as stored: one line each, truncated, without empty ones.

        Without ``references``, texts of a single word are used as such.
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
        """Words in the form of M-PESA's code in a reference field, each once. What a payer typed
        counts only as a whole, and only if no other field has one."""
        others = [one for one in _receipts(self.references[:_TYPED]) if not one.isalpha()]
        if others or len(self.references) <= _TYPED:
            return others
        typed = _number_of(self.references[_TYPED])
        return [typed] if _RECEIPT.fullmatch(typed) and not typed.isalpha() else []

    @property
    def named_receipts(self) -> Sequence[str]:
        """What may be a receipt in the reference fields."""
        return _receipts(self.references)

    @property
    def numbers(self) -> Sequence[str]:
        """Numbers by which a known payment may be named: M-PESA's code, or the bank's own
        number."""
        others = (word for word in _tokens(self.references) if _is_number(word))
        return list(dict.fromkeys([*self.named_receipts, *others]))

    @property
    def mentions(self) -> Sequence[str]:
        """What may be M-PESA's code in any of its texts."""
        return _receipts(self.words)

    @property
    def ours(self) -> Sequence[str]:
        """What may be our reference in any text, each once, with its dash."""
        matches = (_OURS.fullmatch(word) for word in _tokens(self.words))
        found = (f"{match[1]}-{match[2]}" for match in matches if match is not None)
        return list(dict.fromkeys(found))

    @property
    def tokens(self) -> Sequence[str]:
        """All its words, regardless of order and case."""
        return tuple(sorted(_tokens(self.words)))

    @property
    def typed(self) -> Sequence[str]:
        """The words of the field with what the payer typed."""
        return _tokens(self.references[_TYPED:])

    @property
    def own_numbers(self) -> frozenset[str]:
        """Numbers that distinguish it from other lines, besides our references."""
        return frozenset(filter(None, [*self.receipts, self.bank_number]))

    @property
    def said_numbers(self) -> Sequence[str]:
        """Every number in any text that may be its own or another movement's, each once."""
        found = (part for part in _parts(self.words) if _is_long_number(part))
        return list(dict.fromkeys([*self.own_numbers, *self.mixed_mentions, *found]))

    @property
    def mixed_mentions(self) -> Sequence[str]:
        """Words in the form of M-PESA's code in any of its texts."""
        return [one for one in self.mentions if not one.isalpha()]

    @property
    def given_back_by(self) -> Sequence[str]:
        """Numbers by which a reversal of it may name it, without our references."""
        ours = {one.replace("-", "") for one in self.ours}
        for texts in (self.references, self._texts):
            numbers = [part for part in _parts(texts) if _is_long_number(part)]
            if found := [one for one in numbers if not any(own in one for own in ours)]:
                break
        return list(dict.fromkeys([*filter(None, [self.bank_number]), *found]))

    @property
    def is_reversal(self) -> bool:
        """It says that it reverses another movement, and is not the charge for that."""
        says_no = any(_NOT_BACK.search(normalised(word)) for word in self.words)
        return self.may_be_reversal and not self.is_of_the_bank and not says_no

    @property
    def reversed_numbers(self) -> Sequence[str]:
        """The numbers it says it reverses, each once."""
        found = (match for word in self.words for match in _BACK_OF.findall(normalised(word)))
        numbers = [one.upper() for match in found for one in match.split() if not one.isalpha()]
        return list(dict.fromkeys(numbers))

    @property
    def did_not_complete(self) -> bool:
        """It says that its money did not arrive, or was returned."""
        return self.may_be_reversal or any(
            _CAME_TO_NOTHING.search(normalised(w)) for w in self.words
        )

    @property
    def may_be_reversal(self) -> bool:
        """It mentions a reversal at all, so it is neither a payment nor a purchase."""
        return any(_TAKES_BACK.search(normalised(word)) for word in self.words)

    @property
    def is_of_the_bank(self) -> bool:
        """It says that it is a charge, or a movement between accounts. For a credit, whose payer
        may have named a partner in a reference field, only its other texts count."""
        words = self._texts if self.is_credit else self.words
        return any(_OF_THE_BANK.search(normalised(word)) for word in words)

    @property
    def payer(self) -> str:
        """The one phone in its descriptive texts or, as a separate word, in its reference fields,
        as ``2547…`` or partly masked; else empty."""
        numbers = set(phones_in(" | ".join(self._texts)))
        for part in (part for field in self.references for part in _PARTED.split(field)):
            if not any(map(str.isalpha, part)):
                numbers.update(phones_in(part))
        whole = {number for number in numbers if "*" not in number}
        numbers -= {one for one in numbers - whole if any(fits(one, Phone(w)) for w in whole)}
        return numbers.pop() if len(numbers) == 1 else ""

    @property
    def identity(self) -> str:
        """Equal for one movement however it is worded: its receipt, our reference, or the bank's
        number; without any of these, all its words."""
        by = next(iter([*self.receipts, *self.ours]), "") or self.bank_number
        identifier = by or " ".join(sorted(_tokens(self.words)))
        side = "credit" if self.is_credit else "debit"
        parts = (self.day.isoformat(), side, self.amount.decimal, self.amount.currency, identifier)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    @property
    def bank_number(self) -> str:
        """The bank's own number of the movement, without its branch; empty if its field has none,
        and the second field none that is recognised by its form."""
        first, second = (_number_of(field) for field in (*self.references[:_TYPED], "", "")[:2])
        if _is_number(first):
            return first
        return second if _is_long_number(second) and not second.isdigit() else ""

    def says_any(self, texts: Iterable[str]) -> bool:
        """Whether any text contains one of these, even inside other words."""
        joined = "\n".join(self.words).upper()
        return any(text in joined for text in texts)

    @property
    def _texts(self) -> list[str]:
        """The descriptive texts."""
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
