"""The Bot API over HTTP, as an ASGI app and as a transport that needs no socket."""

from __future__ import annotations

import asyncio
import re

import httpx
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator.telegram import errors
from bot.simulator.telegram.body import read_parameters
from bot.simulator.telegram.errors import ApiError
from bot.simulator.telegram.faults import Faults
from bot.simulator.telegram.methods import Methods, Result

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


def api_app(token: str, methods: Methods, faults: Faults) -> Starlette:
    async def answer(request: Request) -> Response:
        try:
            _check_token(request.path_params["token"], token)
            method = request.path_params["method"]
            faults.meet(method)
            try:
                parameters = await read_parameters(request)
            except ValueError as error:
                raise errors.bad_request("can't parse the request's body") from error
            result = await _while_connected(request, methods, method, parameters)
        except ApiError as error:
            return Response(to_json(error.body), error.code, media_type="application/json")
        return Response(to_json({"ok": True, "result": result}), media_type="application/json")

    return Starlette(
        routes=[Route("/bot{token}/{method}", answer, methods=["GET", "POST"])],
    )


class ApiTransport(httpx.ASGITransport):
    """Straight into the app. A lost answer is a read time-out at once: no time has to pass."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.status_code == errors.no_answer().code:
            raise httpx.ReadTimeout("the simulated answer was lost", request=request)
        return response


def _check_token(given: str, expected: str) -> None:
    if not _TOKEN.fullmatch(given):
        raise errors.not_found()
    if given != expected:
        raise errors.unauthorized()


async def _while_connected(
    request: Request, methods: Methods, method: str, parameters: dict[str, object]
) -> Result:
    """A client that goes away takes its long poll with it; a server does not tell us by itself."""
    if method != "getUpdates":
        return await methods.call(method, parameters)
    call = asyncio.create_task(methods.call(method, parameters))
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({call, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not call.done():
            raise errors.no_answer()  # nobody is left to read it
        return call.result()
    finally:
        call.cancel()
        gone.cancel()
