"""Reads what a request gives: key, query and members, with errors in words of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest

from bot.calls.answers import FieldError, Problem, ProblemCode, invalid
from bot.calls.batch_requests import BatchFile
from bot.http.api import json_body
from bot.http.api.queries import Query
from bot.http.api.response import JSON, is_idempotency_key
from bot.http.api.route import CSV, Idempotency, Route
from bot.turns.calls import Credentials, Keyed

QUERY_MAX = 4096  # bytes
FIELDS_MAX = 32
KEY_MAX = 200  # characters of an API key or an idempotency key
_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as far as it was read."""

    request_id: str
    route: Route
    path: Mapping[str, str]
    http: HttpRequest
    body: bytes


def read_members(model: type[_M], given: Mapping[str, Any]) -> _M | Problem:
    """A problem names each member that cannot be read; an unknown one by the member it stands in,
    since names are input."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return invalid(*dict.fromkeys(map(_field_error, found)))


def read_query(raw: bytes) -> dict[str, str] | Problem:
    """Each name once."""
    try:
        if len(raw) > QUERY_MAX:
            raise ValueError
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        return invalid(FieldError("", "The query cannot be read."))
    found = dict(pairs)
    if len(found) != len(pairs):
        return invalid(FieldError("", "A name stands twice in the query."))
    return found


def _field_error(error: ErrorDetails) -> FieldError:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        return FieldError(_pointer(place[:-1]), "It has an unknown member.")
    detail = "This is missing." if error["type"] == "missing" else error["msg"]
    return FieldError(_pointer(place), detail)


def _pointer(place: Sequence[int | str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)


def credentials_of(http: HttpRequest) -> Credentials:
    """The key as ``x-api-key`` or as a bearer token. None at all is tried like a wrong one, so that
    both take the same time."""
    key = http.headers.get("x-api-key")
    if key is None:
        kind, _, rest = http.headers.get("authorization", "").partition(" ")
        key = rest.strip() if kind.lower() == "bearer" else ""
    return Credentials(key[:KEY_MAX], "" if http.client is None else http.client.host)


def query_of(asked: Asked) -> Query | Problem:
    query = read_query(asked.http.scope["query_string"])
    return query if isinstance(query, Problem) else read_members(asked.route.query, query)


def body_of(asked: Asked) -> tuple[Keyed | None, dict[str, Any] | BatchFile] | Problem:
    """The idempotency key, and the body: members, or a file where the route takes one. Read in the
    order of the checks."""
    route, headers = asked.route, asked.http.headers
    is_file = route.csv and _media_type(headers) == CSV
    if asked.body and not is_file and not _is_json(headers):
        also = ", or text/csv" if route.csv else ""
        return Problem(
            ProblemCode.UNSUPPORTED_MEDIA_TYPE, f"A body is application/json, in UTF-8{also}."
        )
    key = _idempotency_key(route, headers)
    if isinstance(key, Problem):
        return key
    path, members = asked.http.scope["path"], dict[str, Any]()
    if is_file:
        said = {"csv": sha256(asked.body).hexdigest(), "query": dict(asked.http.query_params)}
        stands_for = json_body.canonical(route.method, path, said)
        return None if key is None else Keyed(key, stands_for), BatchFile(asked.body)
    if asked.body:
        try:
            members = json_body.read_object(asked.body)
        except json_body.Unreadable as error:
            return invalid(FieldError("", str(error)))
    elif route.body is not None and any(
        field.is_required() for field in route.body.model_fields.values()
    ):
        return invalid(FieldError("", "The body is a JSON object."))
    if key is None:
        return None, members
    return Keyed(key, json_body.canonical(route.method, path, members)), members


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(headers: Headers) -> bool:
    parameters = headers.get("content-type", "").partition(";")[2]
    charset = parameters.strip().lower().replace('"', "")
    return _media_type(headers) == JSON and charset in ("", "charset=utf-8")


def _idempotency_key(route: Route, headers: Headers) -> str | Problem | None:
    if route.idempotency is Idempotency.IGNORED:
        return None
    given = headers.getlist("idempotency-key")
    if not given:
        if route.idempotency is Idempotency.HONOURED:
            return None
        return Problem(
            ProblemCode.IDEMPOTENCY_KEY_MISSING,
            "Send an Idempotency-Key: the same one whenever you send this request again.",
        )
    key = given[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(given) > 1 or not is_idempotency_key(key):
        return Problem(
            ProblemCode.IDEMPOTENCY_KEY_INVALID,
            "An Idempotency-Key has 16 to 128 of A-Z, a-z, 0-9, _ and -.",
        )
    return key
