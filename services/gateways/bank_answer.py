"""Everything a bank's JSON answer says, in whichever field it says it.

No single field decides: status, code, words and nested values are read together (facts: NCBA 3, 4,
6), and whoever judges an answer checks here whether anything contradicts it. A field's meaning is
taken from its name, ignoring case, blanks and separators.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from services.domain.doubtful_words import doubts, says_no, says_yes

DEPTH_MAX = 8
LEAVES_MAX = 400  # an answer about one payment has about twenty
DESCRIPTION_MAX = 200

_LONG_NUMBER = re.compile(r"\d{9,}")
_JOINTS = re.compile(r"[^a-z0-9]")
# Matched by how a name ends, since systems add prefixes: ``mpesaResultCode``.
_STATUS = re.compile(r"(?:status|state|result|outcome)$")
_CODE = re.compile(r"code$")
# A currency, a till, an account: nothing about the outcome of a payment.
_THING = re.compile(
    r"(?:short|currency|ccy|country|bank|branch|sort|swift|bic|zip|post|postal|dial|type|class"
    r"|category|product|purpose|till|paybill|merchant|agent|customer|client|user|account|sector"
    r"|industry|officer|channel|network|service|qr|bar|kyc|subscriber)(?:code|status|state)$"
)
_FLAG = re.compile(
    r"(?:success|successful|successfully|succeeded)$"
    r"|^(?:is|was|has)?(?:ok|paid|posted|credited|completed|settled|approved|processed)$"
)
_ERROR = re.compile(r"^(?:has|is)?(?:errors?|faults?|failed|failure|exceptions?)(?:count)?$")
_IS = re.compile(r"^(?:is|has|was)(?=[a-z]{3})")
_REVERSED = re.compile(
    r"revers(?:ed|al)|(?:cancell?ed|rejected|declined|unsuccessful|unpaid)$"
    r"|(?:fail|failure|reject|rejection|decline|cancellation)(?:reason|cause)$"
)
_DUPLICATE = re.compile(r"duplicate")
_WORDS = re.compile(
    r"desc|message|msg|reason|error|fault|detail|remark|cause|info|explan|note|title"
)
# A gateway's own ids of one call; nothing about the payment.
_TRACE = re.compile(
    r"^(?:x|xms|ms|xamzn|amzn|b3)?(?:request|trace|correlation|span|activity|message|msg|log|session"
    r"|error|event|invocation|instance)id$|^(?:guid|uuid)$"
)
_NUMBER = r"(?:no|num|number|id|code)?"
_ID = re.compile(
    rf"(?:(?<!pa)(?<!val)id|ref(?:erence)?{_NUMBER}|receipt{_NUMBER}"
    r"|(?:trans(?:action)?|txn|trx)(?:no|num|number|code)"
    r"|(?:ft|cbs|order|payment|confirmation)(?:no|num|number)"
    r"|^(?:trans|transaction|txn|trx|ft|rrn|utr|stan))$"
)
_RECEIPT = re.compile(rf"receipt{_NUMBER}$")
# Names of people and businesses: no words about a payment.
_CALLED = re.compile(r"(?:name|beneficiary|customer|payee|payer|merchant|sender|recipient)$")

_TRUE = frozenset({"true", "yes", "y", "1"})
_FALSE = frozenset({"false", "no", "n", "0"})
_NOTHING = _FALSE | {"", "00", "000", "none", "null", "nil", "na", "n/a", "-", "no error", "ok"}
_SUCCEEDED = re.compile(
    r"success(?:ful(?:ly)?)?|succeeded|completed?|paid|passed|processed|settled|posted|credited|ok"
    r"|approved|true|2[0-9][0-9]|0{1,3}",
    re.IGNORECASE,
)


class WireModel(BaseModel):
    """Unknown fields are allowed and numbers are accepted as text, since both occur."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, coerce_numbers_to_str=True, str_strip_whitespace=True
    )


@dataclass(frozen=True)
class ParsedAnswer:
    """``leaves`` are its values, each under its innermost name."""

    leaves: tuple[tuple[str, object], ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every text or number, whatever its name, and every name whose value is true."""
        return (*(text for _, text in self._named_texts), *self._true_names)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words in fields meant for people."""
        return tuple(
            text
            for name, text in self._named_texts
            if _WORDS.search(name) and not (_is_code(name) or _STATUS.search(name))
        )

    @cached_property
    def prose(self) -> tuple[str, ...]:
        """Every text, whatever its name, that is not a code, name or reference."""
        texts = tuple(
            text
            for name, text in self._named_texts
            if not (_is_code(name) or _ID.search(name) or _CALLED.search(name))
            and not text.isdigit()
        )
        return (*texts, *self._true_names)

    @cached_property
    def codes(self) -> frozenset[str]:
        return frozenset(text for name, text in self._named_texts if _is_code(name))

    @cached_property
    def zero_codes(self) -> frozenset[str]:
        """Codes that mean success to everybody, unless a table says otherwise."""
        return frozenset(code for code in self.codes if not code.strip("0"))

    @cached_property
    def statuses(self) -> frozenset[str]:
        return frozenset(
            text
            for name, text in self._named_texts
            if _STATUS.search(name) and not (_THING.search(name) or _REVERSED.search(name))
        )

    @cached_property
    def flags(self) -> frozenset[bool]:
        """What its booleans say, also as text: that it succeeded, or did not."""
        said = [(name, _truth(value)) for name, value in self.leaves]
        return frozenset(
            value is not bool(_ERROR.search(name))
            for name, value in said
            if value is not None and (_FLAG.search(name) or _ERROR.search(name))
        )

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.leaves)

    @property
    def has_id(self) -> bool:
        """It has the id of something processed, not only of the call itself."""
        return bool(self.ids)

    @cached_property
    def ids(self) -> frozenset[str]:
        """Ids by which something processed may be known."""
        return frozenset(
            text
            for name, text in self._named_texts
            if _ID.search(name) and not _TRACE.search(name) and text.lower() not in _NOTHING
        )

    @property
    def has_receipt(self) -> bool:
        """It has a value that only a completed payment gets."""
        return any(
            _RECEIPT.search(name) and text.lower() not in _NOTHING
            for name, text in self._named_texts
        )

    @property
    def doubts(self) -> bool:
        """Something in it, whatever its name, expresses uncertainty."""
        return any(doubts(text) for text in self.texts) or self._has(_DUPLICATE)

    @property
    def denies_success(self) -> bool:
        """Something in it contradicts success."""
        return (
            self.doubts
            or False in self.flags
            or self._has(_ERROR)
            or self._has(_REVERSED)
            or not all(_SUCCEEDED.fullmatch(status) for status in self.statuses)
            or any(says_no(text) for text in self.prose)
        )

    @property
    def claims_success(self) -> bool:
        """Something in it claims success, apart from codes, whose meaning is in tables."""
        return (
            True in self.flags
            or any(_SUCCEEDED.fullmatch(one) and not one.isdigit() for one in self.statuses)
            or any(says_yes(text) for text in self.prose)
        )

    def _has(self, named: re.Pattern[str]) -> bool:
        """Whether there is a value under such a name."""
        return any(named.search(name) and _says_anything(value) for name, value in self.leaves)

    @cached_property
    def _true_names(self) -> tuple[str, ...]:
        """What a name says when its value is true: ``"isPending": true`` says "pending"."""
        return tuple(
            _IS.sub("", name)
            for name, value in self.leaves
            if value != "1" and _truth(value) is True
        )

    @cached_property
    def _named_texts(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, value.strip())
            for name, value in self.leaves
            if isinstance(value, str) and value.strip()
        )


def _is_code(name: str) -> bool:
    return bool(_CODE.search(name)) and not (_THING.search(name) or _ID.search(name))


def _truth(value: object) -> bool | None:
    text = str(value).lower() if isinstance(value, bool | str) else ""
    return True if text in _TRUE else False if text in _FALSE else None


def _says_anything(value: object) -> bool:
    """Whether it holds more than "none", at any depth."""
    if isinstance(value, Mapping):
        return any(_says_anything(one) for one in value.values())
    if isinstance(value, list):
        return any(_says_anything(one) for one in value)
    return value is not None and str(value).strip().lower() not in _NOTHING


def read_answer(body: bytes) -> ParsedAnswer | None:
    """``None`` if it is not a JSON object, repeats a name, or is larger than any known answer."""
    answer = read_object(body)
    if answer is None:
        return None
    try:
        return answer_of(answer)
    except ValueError:
        return None


def read_object(body: bytes) -> dict[str, object] | None:
    """The JSON object, with its numbers as they are written; ``None`` if it is none, or repeats a
    name."""
    try:
        answer = json.loads(body, parse_int=str, parse_float=str, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def answer_of(fields: Mapping[str, object]) -> ParsedAnswer:
    """Raises ``ValueError`` if there are more values, or deeper ones, than in any known answer."""
    return ParsedAnswer(tuple(_leaves(fields)))


def safe_line(text: str) -> str:
    """One line for logs and rows: truncated, and without anything that may be a phone number."""
    return _LONG_NUMBER.sub("…", " ".join(text.split()))[:DESCRIPTION_MAX]


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _leaves(fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    fresh: list[tuple[str, object, int]] = [("", fields, 0)]
    for _ in range(LEAVES_MAX):
        if not fresh:
            return
        name, value, depth = fresh.pop()
        if depth > DEPTH_MAX:
            raise ValueError("deeper than any answer known")
        if isinstance(value, Mapping):
            named = ((_JOINTS.sub("", key.lower()), one) for key, one in value.items())
            fresh += [(key, one, depth + 1) for key, one in named]
        elif isinstance(value, list):
            fresh += [(name, one, depth + 1) for one in value]
        yield name, value
    raise ValueError("more values than any answer known")
