"""One call of the API, declared once: routing, checks, the OpenAPI document and the docs page all
come from this."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from bot.calls.answers import Document, Problem, ProblemCode, Reply
from bot.calls.caller import AnyScope, CallContext
from bot.calls.requests import Request
from bot.http.api.documents import ProblemDocument
from bot.http.api.queries import Query
from bot.http.api.response import JSON
from bot.turns.calls import Budget
from services.domain.public_operation import PublicOperation
from services.ports import Tx

BODY_MAX = 64 * 1024  # bytes
CSV = "text/csv"


class Idempotency(StrEnum):
    REQUIRED = "required"
    HONOURED = "honoured"  # where a key is sent
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Given:
    """What a request gives: parameters of its path, its query and its body as the route reads
    them."""

    path: Mapping[str, str]
    query: Any
    body: Any


Decide = Callable[[CallContext, Given], Reply | Problem]


def by_body(function: Callable[[CallContext, Any], Reply | Problem]) -> Decide:
    """A call that needs nothing but its body."""
    return lambda call, given: function(call, given.body)


def by_path(function: Callable[[CallContext, str], Reply | Problem], name: str) -> Decide:
    """A call that needs nothing but what its path names."""
    return lambda call, given: function(call, given.path[name])


@dataclass(frozen=True)
class Route:
    """``decide`` runs in a transaction. A GET only looks; a POST or DELETE may write.

    ``problems`` are those of its own, beside those that every call may meet. ``waits``: may wait
    for the operation to change. ``asks_bank``: answers once the bank has said what it knows now.
    ``successor`` is the name of the route that an older name stands for. ``shows`` words an
    operation that the bank was asked about, if not in the words of its own. ``csv`` says what the
    body may be instead of JSON, ``media_type`` what the answer is; ``body_max`` is in bytes.
    """

    name: str
    method: str
    path: str
    summary: str
    scopes: AnyScope
    decide: Decide
    answer: type[BaseModel] | None
    status: int = 200
    budget: Budget = Budget.READS
    query: type[Query] = Query
    body: type[Request] | None = None
    idempotency: Idempotency = Idempotency.IGNORED
    problems: frozenset[ProblemCode] = frozenset()
    waits: bool = False
    asks_bank: bool = False
    tagged: bool = False
    csv: bool = False
    media_type: str = JSON
    body_max: int = BODY_MAX
    describes: str = ""
    shows: Callable[[Tx, PublicOperation], Document] | None = None
    problem: type[BaseModel] = ProblemDocument
    successor: str | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]{1,64})", re.escape(self.path)))

    def shown(self, tx: Tx, operation: PublicOperation) -> Document:
        """An operation as this route's answer gives it."""
        return operation.document() if self.shows is None else self.shows(tx, operation)

    @property
    def reads(self) -> bool:
        return self.method == "GET"
