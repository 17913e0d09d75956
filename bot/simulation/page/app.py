"""The page over HTTP: the page itself, its stream, its files, and what its buttons send."""

from __future__ import annotations

import asyncio
import hmac
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote

from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.http.body import BodyRefused, read_body
from bot.http.web.headers import FRESH
from bot.http.web.origin import is_from_own_page, is_loopback_host, only_host
from bot.simulation.credentials import USSD_CODE
from bot.simulation.page.actions import ACTIONS, SEND_FILE, Action
from bot.simulation.page.bodies import FAULTS, PAYEES, SAMPLES
from bot.simulation.page.cast import groups
from bot.simulation.page.chat import sent_file
from bot.simulation.page.curl_copy import as_curl
from bot.simulation.page.drawn import Drawn
from bot.simulation.page.script_copy import as_script
from bot.simulation.page.state import OPENS_WITH, PREFIX, PageState
from bot.simulation.page.story import stories
from bot.simulation.page.view import View
from bot.simulation.served.controls import CALLS
from bot.simulation.served.served_world import ControlError
from flows.engine.event import FILE_BYTES_MAX

BODY_MAX = 16 * 1024  # bytes
FIELDS_MAX = 10
PING_S = 15
TOGETHER_S = 0.02  # real seconds for which changes are gathered into one event
TOKEN = "x-hazina-token"


class PageApp:
    def __init__(self, state: PageState) -> None:
        self._state = state

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page, methods=["GET"]),
            Route(f"{PREFIX}/stream", self._stream, methods=["GET"]),
            Route(f"{PREFIX}/files/{{world:int}}/{{bubble}}", self._file, methods=["GET"]),
            Route(f"{PREFIX}/copy/{{what}}", self._copy, methods=["GET"]),
            Route(f"{PREFIX}/do/{{action}}", self._act, methods=["POST"]),
            Route(f"{PREFIX}/file", self._take_file, methods=["POST"]),
            self._state.assets.route(),
        ]

    async def _page(self, request: Request) -> Response:
        if (refused := _foreign(request) or _embedded(request)) is not None:
            return refused
        view = self._state.views.open(OPENS_WITH)
        view.drawn = Drawn(self._state, view)
        page = self._state.templates.get_template("page.html").render(
            view=view,
            token=self._state.token,
            parts=await view.drawn.whole(),
            people=groups(self._state.served.scene.givens),
            stories=list(stories().values()),
            faults=FAULTS,
            payees=PAYEES,
            samples=SAMPLES,
            file_bytes_max=FILE_BYTES_MAX,
            calls=CALLS,
            service_code=USSD_CODE,
        )
        return HTMLResponse(page, headers=dict(FRESH))

    async def _stream(self, request: Request) -> Response:
        if (refused := _foreign(request)) is not None:
            return refused
        view = self._state.views.get(request.query_params.get("view", ""))
        if view is None:
            return _events(_once(ServerSentEvent("", event="reload")))
        last = request.headers.get("last-event-id", request.query_params.get("after", ""))
        if view.drawn is None or last != str(view.drawn.number):
            number = 0 if view.drawn is None else view.drawn.number
            view.drawn = Drawn(self._state, view, number + 1)
        return _events(self._news(view, view.drawn))

    async def _news(self, view: View, drawn: Drawn) -> AsyncIterator[ServerSentEvent]:
        changed = asyncio.Event()
        view.changed.add(changed)
        view.stream += 1
        own = view.stream
        try:
            while view.stream == own and not self._state.served.is_ending:
                if self._state.views.get(view.id) is not view:
                    yield ServerSentEvent("", event="reload")
                    return
                changed.clear()
                swaps = await drawn.news()
                if swaps:
                    yield ServerSentEvent(swaps, event="news", id=str(drawn.number))
                await changed.wait()
                await asyncio.sleep(TOGETHER_S)
        finally:
            view.changed.discard(changed)

    async def _file(self, request: Request) -> Response:
        if (refused := _foreign(request)) is not None:
            return refused
        served, bubble = self._state.served, request.path_params["bubble"]
        own = sent_file(served.record, bubble)
        document = own or served.world.terminal.documents.get(bubble)
        if document is None or request.path_params["world"] != served.number:
            return PlainTextResponse("that file is gone", 404, headers=dict(FRESH))
        name, content = document
        kind = None if own else mimetypes.guess_type(name)[0]  # its sender may name it anything
        kind = kind or "application/octet-stream"
        shown = "inline" if kind == "image/png" else "attachment"
        headers = {**FRESH, "content-disposition": f"{shown}; filename*=UTF-8''{quote(name)}"}
        return Response(content, media_type=kind, headers=headers)

    async def _copy(self, request: Request) -> Response:
        if (refused := _foreign(request)) is not None:
            return refused
        match request.path_params["what"]:
            case "script":
                text = as_script(self._state.served)
            case "curl":
                text = as_curl(self._state.served, f"http://{only_host(request)}")
            case _:
                return PlainTextResponse("there is no such copy", 404, headers=dict(FRESH))
        return PlainTextResponse(text, headers=dict(FRESH))

    async def _act(self, request: Request) -> Response:
        return await self._do(request, ACTIONS.get(request.path_params["action"]), _fields)

    async def _take_file(self, request: Request) -> Response:
        """Its body is the file; the address says the rest."""
        return await self._do(request, SEND_FILE, _fields_and_file)

    async def _do(
        self,
        request: Request,
        action: Action[Any] | None,
        read: Callable[[Request], Awaitable[dict[str, Any]]],
    ) -> Response:
        if (refused := _foreign(request)) is not None:
            return refused
        token = request.headers.get(TOKEN, "")
        if not hmac.compare_digest(token.encode(), self._state.token.encode()):
            return _said(403, "This page is of an earlier run: load it again.")
        if action is None:
            return _said(404, "There is no such action.")
        try:
            body = action.asks.model_validate(await read(request))
        except BodyRefused as error:
            return _said(error.status, "That is too long.")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            return _said(400, first["msg"].removeprefix("Value error, "))
        view = self._state.views.get(body.view)
        if view is None:
            return _said(409, "This tab is too old: load it again.")
        try:
            await action.act(self._state, view, body)
        except ControlError as error:
            return _said(409, str(error))
        return Response(status_code=204, headers=dict(FRESH))


async def _fields(request: Request) -> dict[str, Any]:
    return _parsed(await read_body(request, BODY_MAX))


async def _fields_and_file(request: Request) -> dict[str, Any]:
    fields = _parsed(request.scope["query_string"])
    return {**fields, "content": await read_body(request, FILE_BYTES_MAX)}


def _parsed(form: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(form.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise BodyRefused(400) from None


def _foreign(request: Request) -> Response | None:
    """The answer to whoever reaches the page under another name, or from another site's page.
    Following a link to it is nothing of the kind."""
    host = only_host(request)
    if host is None or not is_loopback_host(host):
        return _said(400, "Host is not a name of this machine")
    if request.method == "POST" and not is_from_own_page(request, f"http://{host}"):
        return _said(403, "That was sent by another site's page")
    return None


def _embedded(request: Request) -> Response | None:
    """The answer to another site's page that loads this one for itself: each load opens a view."""
    site = request.headers.get("sec-fetch-site", "none")
    mode = request.headers.get("sec-fetch-mode", "navigate")
    if site not in ("none", "same-origin") and mode != "navigate":
        return _said(403, "That was sent by another site's page")
    return None


def _said(status: int, text: str) -> Response:
    return PlainTextResponse(text, status, headers=dict(FRESH))


def _events(events: AsyncIterator[ServerSentEvent]) -> Response:
    return EventSourceResponse(events, ping=PING_S, headers=dict(FRESH))


async def _once(event: ServerSentEvent) -> AsyncIterator[ServerSentEvent]:
    yield event
