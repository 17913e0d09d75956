"""Everything that a bank's JSON answer says, whichever field it says it in.

One field never decides by itself: a status, a code, words and what is nested below them are read
together (facts: NCBA 3, 4, 6), and whoever judges an answer asks here whether anything in it says
otherwise. What a name means is told by the name; case, blanks and joints in it do not count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from services.domain.doubt import doubts, says_no

DEPTH_MAX = 8
LEAVES_MAX = 400  # an answer about one payment has some twenty

_JOINTS = re.compile(r"[^a-z0-9]")
_CODE = frozenset(
    {
        *("code", "statuscode", "resultcode", "responsecode", "errorcode", "reserrorcode"),
        *("rescode", "respcode", "returncode", "reasoncode", "hostresponsecode"),
    }
)
_STATUS = frozenset(
    {
        *("status", "transactionstatus", "txnstatus", "paymentstatus", "transferstatus"),
        *("thirdpartystatus", "state", "result", "outcome", "resultstatus", "finalstatus"),
    }
)
_FLAG = frozenset({"succeeded", "success", "successful", "issuccess", "issuccessful", "ok"})
_ERROR_FLAG = frozenset({"error", "haserror", "iserror", "failed", "isfailed"})
_WORDS = re.compile(
    r"desc|message|msg|reason|error|fault|detail|remark|cause|info|explan|note|title"
)
# A gateway's own names for one call; they say nothing of the payment.
_TRACE = frozenset({"requestid", "traceid", "correlationid", "spanid", "xrequestid", "activityid"})
_ID = re.compile(r"(?:id|ref|reference|refno|referenceno|receipt|transid|txnno)$")

_SUCCEEDED = re.compile(
    r"success(?:ful(?:ly)?)?|succeeded|completed?|paid|passed|processed|settled|ok|approved|true"
    r"|2[0-9][0-9]|0{1,3}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    """``leaves`` are its values, each under the name that stands nearest to it."""

    leaves: tuple[tuple[str, object], ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every value that is text or a number, whatever its name."""
        return tuple(text for _, text in self._named_texts)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What it says in words, in fields meant for people."""
        return tuple(
            text
            for name, text in self._named_texts
            if name not in _CODE | _STATUS and _WORDS.search(name)
        )

    @cached_property
    def codes(self) -> frozenset[str]:
        return frozenset(text for name, text in self._named_texts if name in _CODE)

    @cached_property
    def statuses(self) -> frozenset[str]:
        return frozenset(text for name, text in self._named_texts if name in _STATUS)

    @cached_property
    def flags(self) -> frozenset[bool]:
        """What it says by true or false: that it succeeded, or that it did not."""
        return frozenset(
            value is not (name in _ERROR_FLAG)
            for name, value in self.leaves
            if isinstance(value, bool) and name in _FLAG | _ERROR_FLAG
        )

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.leaves)

    @property
    def has_id(self) -> bool:
        """It names something that was processed, and not only the call itself."""
        return any(_ID.search(name) and name not in _TRACE for name, _ in self._named_texts)

    @property
    def doubts(self) -> bool:
        """Something in it, whatever its name, says that its speaker does not know."""
        return any(doubts(text) for text in self.texts)

    @property
    def denies_success(self) -> bool:
        """Something in it speaks against a success."""
        return (
            self.doubts
            or False in self.flags
            or not all(_SUCCEEDED.fullmatch(status) for status in self.statuses)
            or any(says_no(text) for text in self.words)
        )

    @property
    def claims_success(self) -> bool:
        """Something in it speaks for a success, codes aside: what those mean is in tables."""
        return True in self.flags or any(
            _SUCCEEDED.fullmatch(status) and not status.isdigit() for status in self.statuses
        )

    def values(self, name: str) -> set[str]:
        """What stands under a name, written without joints in lower case."""
        return {text for known, text in self._named_texts if known == name}

    def is_null(self, name: str) -> bool:
        """The name is there, and nothing under it."""
        return any(known == name and value is None for known, value in self.leaves)

    @cached_property
    def _named_texts(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, value.strip())
            for name, value in self.leaves
            if isinstance(value, str) and value.strip()
        )


def read_answer(body: bytes) -> Answer | None:
    """``None`` for what is no JSON object, has a name twice, or is larger than any known."""
    try:
        answer = json.loads(body, parse_int=str, parse_float=str, object_pairs_hook=_once)
        return answer_of(answer) if isinstance(answer, dict) else None
    except (ValueError, RecursionError):
        return None


def answer_of(fields: Mapping[str, object]) -> Answer:
    """Raises ``ValueError`` where they are more, or deeper, than those of any answer known."""
    return Answer(tuple(_leaves(fields)))


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
