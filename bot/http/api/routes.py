"""Mounts the API in the HTTP server."""

from __future__ import annotations

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bot.app import App
from bot.http.api.edge import ApiEdge
from bot.http.api.older import problems as older_problems
from bot.http.api.table import OLDER, V1


class ApiDoor(BaseRoute):
    """Everything below a prefix of the API, so that what is not there is answered in its words."""

    def __init__(self, prefix: str, edge: ApiEdge) -> None:
        self._prefix = prefix
        self._edge = edge

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"].startswith(self._prefix):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._edge(scope, receive, send)


def api_routes(app: App) -> list[BaseRoute]:
    return [
        ApiDoor("/v1/", ApiEdge(app, V1)),
        ApiDoor("/functions/v1/", ApiEdge(app, OLDER, older_problems.document)),
    ]
