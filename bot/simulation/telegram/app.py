"""The Bot API over HTTP, as an ASGI app and as an httpx transport without a socket."""

from __future__ import annotations

import asyncio
import re

import httpx
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulation.telegram.body import read_parameters
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.faults import Faults
from bot.simulation.telegram.files import Files
from bot.simulation.telegram.methods import DescribedResult, Methods, Result

_LOST: int = ApiRefusal.NO_ANSWER.value[0]
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


def api_app(token: str, methods: Methods, files: Files, faults: Faults) -> Starlette:
    async def answer(request: Request) -> Response:
        try:
            _check_token(request.path_params["token"], token)
            method = request.path_params["method"]
            faults.raise_due(method)
            try:
                parameters = await read_parameters(request)
            except ValueError as error:
                raise ApiError(ApiRefusal.UNREADABLE_BODY) from error
            except ClientDisconnect as error:
                raise ApiError(ApiRefusal.NO_ANSWER) from error  # nobody is left to read it
            result = await _while_connected(request, methods, method, parameters)
        except ApiError as error:
            return _refusal(error)
        body: dict[str, object] = {"ok": True, "result": result}
        if isinstance(result, DescribedResult):
            body = {"ok": True, "result": result.result, "description": result.description}
        return Response(to_json(body), media_type="application/json")

    async def download(request: Request) -> Response:
        try:
            _check_token(request.path_params["token"], token)
            upload = files.at(request.path_params["path"])
        except ApiError as error:
            return _refusal(error)
        return Response(upload.data, media_type="application/octet-stream")

    return Starlette(
        routes=[
            Route("/bot{token}/{method}", answer, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", download, methods=["GET"]),
        ],
    )


class ApiTransport(httpx.ASGITransport):
    """Calls the app directly. A lost answer is a read timeout at once, without waiting."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.status_code == _LOST:
            raise httpx.ReadTimeout("the simulated answer was lost", request=request)
        return response


def _refusal(error: ApiError) -> Response:
    wait = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return Response(to_json(error.body), error.code, wait, media_type="application/json")


def _check_token(given: str, expected: str) -> None:
    if not _TOKEN.fullmatch(given):
        raise ApiError(ApiRefusal.NO_SUCH_TOKEN)
    if given != expected:
        raise ApiError(ApiRefusal.UNAUTHORIZED)


async def _while_connected(
    request: Request, methods: Methods, method: str, parameters: dict[str, object]
) -> Result:
    """Cancel the long poll when the client disconnects; a server does not do that by itself."""
    if method.lower() != "getupdates":
        return await methods.call(method, parameters)
    call = asyncio.create_task(methods.call(method, parameters))
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({call, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not call.done():
            raise ApiError(ApiRefusal.NO_ANSWER)
        return call.result()
    finally:
        call.cancel()
        gone.cancel()
