"""The first page: every tile, kept up to date."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.http.dashboard.board import Board
from bot.http.dashboard.door import ROOT
from bot.http.dashboard.site import Site
from bot.http.dashboard.visitor import Visitor, for_admins
from bot.http.web.headers import FRESH


class DeskPage:
    def __init__(self, site: Site, board: Board) -> None:
        self._site = site
        self._board = board

    def routes(self) -> list[Route]:
        return [
            Route(ROOT, for_admins(self._site, self._show), methods=["GET"]),
            Route(f"{ROOT}/changes", for_admins(self._site, self._changes), methods=["GET"]),
        ]

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        return self._site.page(
            "desk.html",
            visitor=visitor,
            pictures=await self._board.pictures(),
            is_still="still" in request.query_params,
        )

    async def _changes(self, request: Request, visitor: Visitor) -> Response:
        """What the page does not show yet; 204 makes htmx leave it as it is."""
        changed = await self._board.changed(request.query_params.getlist("seen"))
        return HTMLResponse(changed, 200 if changed else 204, headers=dict(FRESH))
