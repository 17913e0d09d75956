"""Answers of the API as HTTP responses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from starlette.responses import Response

from bot.calls.answers import Document, Problem, Reply
from bot.http.api import problems
from bot.rate_limits.sliding_window import WINDOW_S, Allowance
from services.domain.api_answer import StoredAnswer
from services.domain.ids import draw_text
from services.ports import Random

JSON = "application/json"
_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")
_MONEY_MOVES = 202  # what is accepted can be followed where ``Location`` says


def new_request_id(random: Random) -> str:
    return f"req_{draw_text(random, 16)}"


# A problem, and the id of the request that met it, as the members of an answer.
ProblemWording: TypeAlias = Callable[[Problem, str], Document]


def answer_of(
    result: Reply | Problem,
    request_id: str,
    status: int = 200,
    word: ProblemWording = problems.document,
) -> StoredAnswer:
    """The form in which it is stored and sent. ``status`` is a reply's: a problem has its own."""
    if isinstance(result, Problem):
        body = problems.to_json(word(result, request_id))
        return StoredAnswer(problems.KINDS[result.code].status, problems.MEDIA_TYPE, body)
    if result.file is not None:
        return StoredAnswer(status, result.file.media_type, result.file.text)
    body = "" if result.document is None else problems.to_json(result.document)
    location = None
    if status == _MONEY_MOVES and result.operation is not None:
        location = f"/v1/operations/{result.operation}"
    return StoredAnswer(status, JSON, body, location, result.operation)


def respond(
    answer: StoredAnswer | None,
    request_id: str,
    allowance: Allowance | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    """``answer`` is ``None`` for a response without a body, which has ``status``."""
    response = Response(
        "" if answer is None else answer.body, status if answer is None else answer.status
    )
    if answer is not None and answer.body:
        response.headers["content-type"] = answer.content_type
    response.headers["x-request-id"] = request_id
    response.headers["cache-control"] = "no-store"
    if answer is not None and answer.location is not None:
        response.headers["location"] = answer.location
    if allowance is not None:
        policy = f'"{allowance.name}"'
        response.headers["ratelimit-policy"] = f"{policy};q={allowance.most};w={WINDOW_S}"
        left, reset = allowance.remaining, allowance.resets_in_s
        response.headers["ratelimit"] = f"{policy};r={left};t={reset}"
    if response.status_code == 401:
        response.headers["www-authenticate"] = "ApiKey"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    if response.status_code in (204, 304):
        del response.headers["content-length"]
    return response


def is_idempotency_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None
