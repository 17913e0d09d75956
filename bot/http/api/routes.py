"""Mounts the API in the HTTP server."""

from __future__ import annotations

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bot.app import App
from bot.http.api.edge import ApiEdge
from bot.http.api.table import ROUTES

PREFIXES = ("/v1/", "/functions/v1/")


class ApiDoor(BaseRoute):
    """Everything below the API's prefixes, so that what is not there is answered in its words."""

    def __init__(self, edge: ApiEdge) -> None:
        self._edge = edge

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"].startswith(PREFIXES):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._edge(scope, receive, send)


def api_routes(app: App) -> list[BaseRoute]:
    return [ApiDoor(ApiEdge(app, ROUTES))]
