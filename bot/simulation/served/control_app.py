"""The HTTP side of the world's controls: who may call, what they ask, and every error as a 400."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import structlog
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bot.http.body import BodyRefused, read_body
from bot.http.web.origin import is_loopback_host, only_host
from bot.simulation.served.control_bodies import ControlBody
from bot.simulation.served.served_world import ControlError, ServedWorld

BODY_MAX = 64 * 1024  # bytes
_NAMES = ("127.0.0.1", "localhost", "[::1]")

AnyBody = TypeVar("AnyBody", bound=ControlBody)
Answer = Mapping[str, object]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Control(Generic[AnyBody]):
    """``asks`` is the JSON body of a POST, the query of a GET."""

    asks: type[AnyBody]
    act: Callable[[ServedWorld, AnyBody], Awaitable[Answer]]


Controls = Mapping[tuple[str, str], Control[Any]]  # by method and path


class ControlApp:
    """An ASGI app. It needs no key, so it answers only callers on this machine, and no page of
    another site that a browser here shows."""

    def __init__(self, served: ServedWorld, controls: Controls) -> None:
        self._served = served
        self._controls = controls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            check_caller(request)
            control = self._controls.get((request.method, request.url.path))
            if control is None:
                raise ControlError(f"there is no {request.method} {request.url.path}")
            body = _read(control.asks, await _given(request))
            return JSONResponse(await control.act(self._served, body))
        except ControlError as error:
            return failed(str(error))
        except Exception as error:  # noqa: BLE001 - every error of a control is a 400
            _log.exception("a control failed")
            return failed(f"the world failed at this: {type(error).__name__}")


def failed(words: str) -> Response:
    return JSONResponse({"error": words}, 400)


def check_caller(request: Request) -> None:
    """Raises ``ControlError`` unless the caller named this machine and speaks for nobody else."""
    host, origins = only_host(request), request.headers.getlist("origin")
    if host is None or not is_loopback_host(host):
        raise ControlError("Host is not a name of this machine")
    port = host.rpartition("]")[2].partition(":")[2]
    names = [f"http://{name}:{port}" if port else f"http://{name}" for name in _NAMES]
    if any(origin.casefold() not in names for origin in origins):
        raise ControlError("Origin is another site")


async def _given(request: Request) -> object:
    query = request.query_params.multi_items()
    if request.method == "GET":
        if len(dict(query)) < len(query):
            raise ControlError("the query says something twice")
        return dict(query)
    if query:
        raise ControlError("a POST takes no query")
    try:
        raw = await read_body(request, BODY_MAX)
    except BodyRefused as refused:
        raise ControlError(_refused(refused.status)) from None
    if not raw.strip():
        return {}
    try:
        return json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ControlError("the body is no JSON") from None


def _refused(status: int) -> str:
    return f"the body is over {BODY_MAX} bytes" if status == 413 else "the body did not arrive"


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _read(asks: type[AnyBody], given: object) -> AnyBody:
    try:
        return asks.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise ControlError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
