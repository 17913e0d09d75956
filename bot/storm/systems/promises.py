"""What answers of the API promise, held against every later answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from bot.simulation.secret_scan import WEBHOOK_SECRET
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.systems.request import TOO_MANY, UNAVAILABLE, Answer, Request

_SIX_DIGITS = re.compile(r"(?<![\w.-])[0-9]{6}(?![\w-])")
_AMOUNT = re.compile(r"[0-9]+\.[0-9]{2}")
_WAIT = re.compile(r"wait=[1-9][0-9]*&version=([0-9]+)")
_LATER = (TOO_MANY, UNAVAILABLE)  # to be sent again, whatever it was answered before
_STORED = (409, *range(200, 300))
_BUSINESS_403 = frozenset({"otp_address_unknown", "frozen", "suspended"})
MISMATCH = 422


@dataclass
class KeyedRequest:
    """What one idempotency key was used for. ``winner`` is the request that it stands for, once an
    answer has shown which; ``first`` is the first answer seen for that."""

    creates: bool
    winner: str | None = None
    first: Answer | None = None
    mismatched: set[str] = field(default_factory=set)
    decided: int = 0  # answers that were no replay

    @property
    def reference(self) -> str | None:
        """Of the operation that its request began."""
        return self.first.reference if self.creates and self.first is not None else None


@dataclass
class Promises:
    """``secrets`` are the API keys and webhook secrets that partners hold."""

    secrets: set[str] = field(default_factory=set)
    keyed: dict[tuple[str, str], KeyedRequest] = field(default_factory=dict)
    # The idempotency key that each operation was begun by, and that its code was accepted under.
    _begun: dict[str, str] = field(default_factory=dict)
    _approved: dict[str, str] = field(default_factory=dict)

    def heard(
        self, request: Request, answer: Answer, codes: Collection[str], *, was_cut_off: bool
    ) -> Iterator[BrokenInvariant]:
        """``codes`` are those that may have been in use; ``was_cut_off``: the product was stopped
        or killed since the request was sent."""
        asked = f"{request.method} {request.path}"
        if answer.status >= 500 and not (answer.status == UNAVAILABLE and was_cut_off):
            words = f"{asked} was answered {answer.status} {answer.body[:300]!r}"
            yield BrokenInvariant("server error", words)
        for words in self._leaked(request, answer, codes):
            yield BrokenInvariant("secrets", f"{asked}: {words}")
        if not _is_worth_waiting(request, answer):
            yield BrokenInvariant("wait", f"{asked}?{request.query} was answered {answer.body!r}")
        if request.is_guess and answer.status == 202:
            yield BrokenInvariant("code", f"{asked} was accepted with a wrong code")
        if request.key is not None:
            for words in self._replays(request, request.key, answer):
                yield BrokenInvariant("same answer", f"{asked} with {request.key}: {words}")

    def _leaked(self, request: Request, answer: Answer, codes: Collection[str]) -> Iterator[str]:
        text = answer.body.decode() + " ".join(answer.headers.values())
        shows_secret = request.path == "/v1/webhook-endpoints" and request.method == "POST"
        if not shows_secret and WEBHOOK_SECRET.search(text):
            yield "the answer holds a webhook secret"
        if any(secret in text for secret in self.secrets):
            yield "the answer holds a key or a webhook secret"
        sent = (request.body or {}).get("otp_code")
        if {*_SIX_DIGITS.findall(_AMOUNT.sub(" ", text))} & {*codes, sent}:
            yield "the answer holds a code"

    def _replays(self, request: Request, key: str, answer: Answer) -> Iterator[str]:
        known = self.keyed.setdefault((request.partner, key), KeyedRequest(request.creates))
        asked = request.stands_for
        if _is_stored(answer):
            known.decided += not answer.is_replay
            if known.decided > 1:
                yield "it was decided twice"
            if asked in known.mismatched or known.winner not in (None, asked):
                yield "two requests were decided under one key"
            elif known.first is None:
                known.winner, known.first, known.creates = asked, answer, request.creates
                yield from self._one_operation(known, f"{request.partner} {key}")
                if "otp_code" in (request.body or {}) and answer.reference is not None:
                    by = self._approved.setdefault(answer.reference, key)
                    if by != key:
                        yield f"the code of {answer.reference} was accepted under {by} already"
            elif known.first.lasting != answer.lasting:
                yield f"first {known.first.lasting}, then {answer.lasting}"
        elif answer.status == MISMATCH:
            if known.winner == asked:
                yield "the same request is called another"
            known.mismatched.add(asked)
        elif known.winner == asked and answer.status not in _LATER:
            yield f"it was answered before, and now with {answer.status}"
        elif known.winner not in (None, asked) and answer.status not in _LATER:
            yield f"another request with a known key was answered {answer.status}"

    def _one_operation(self, known: KeyedRequest, key: str) -> Iterator[str]:
        """Each operation was begun by one key."""
        if known.reference is not None:
            other = self._begun.setdefault(known.reference, key)
            if other != key:
                yield f"{known.reference} was begun by {other} already"


def _is_worth_waiting(request: Request, answer: Answer) -> bool:
    """Whoever waits for a change is answered once there is one: no time passes otherwise."""
    known = _WAIT.fullmatch(request.query)
    if known is None or answer.status != 200:
        return True
    operation = answer.members()
    return operation["version"] > int(known[1]) or bool(operation["final"])


def _is_stored(answer: Answer) -> bool:
    if answer.status == 403:
        return answer.members()["code"] in _BUSINESS_403
    return answer.status in _STORED
