"""Everything that a served world answers on its one port."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from bot.http.api.routes import api_refusal
from bot.simulation import webhook_receiver
from bot.simulation.served.control_app import ControlApp, check_caller, failed
from bot.simulation.served.controls import CONTROLS
from bot.simulation.served.served_world import (
    API_CALL,
    GATEWAY_CALL,
    ControlError,
    ServedWorld,
)

API_PATHS = ("/v1/", "/functions/v1/")
USSD_PATH = "/ussd/"


class ServedApp:
    """Paths under ``/sim`` belong to the world around the product, all others to the product."""

    def __init__(self, served: ServedWorld) -> None:
        self._served = served
        self._controls = ControlApp(served, CONTROLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_control(scope):
            if scope["method"] not in ("GET", "HEAD"):
                self._note_call(scope["path"])
            await self._served.door(scope, receive, send)
        elif (scope["method"], scope["path"]) == ("POST", webhook_receiver.PATH):
            await self._receive_webhook(scope, receive, send)
        else:
            await self._controls(scope, receive, send)

    def _note_call(self, path: str) -> None:
        if path.startswith(API_PATHS):
            self._served.note_call(API_CALL)
        elif path.startswith(USSD_PATH):
            self._served.note_call(GATEWAY_CALL)

    async def _receive_webhook(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_caller(Request(scope))
        except ControlError as error:
            await failed(str(error))(scope, receive, send)
            return
        await self._served.world.receiver(scope, receive, send)


def served_routes(served: ServedWorld) -> list[BaseRoute]:
    return [Mount("", app=ServedApp(served))]


def refusal(scope: Scope, status: int) -> Response:
    """Whatever goes wrong with a control is a 400 with its reason."""
    if not _is_control(scope):
        return api_refusal(scope, status)
    words = {408: "the body came too slowly", 413: "the body is too large"}
    return failed(words.get(status, "it took too long"))


def _is_control(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/sim" or path.startswith("/sim/")
