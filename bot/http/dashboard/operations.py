"""One operation, or whatever else has a reference, from beginning to end; and how to find it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.context import AppContext
from bot.handlers.admin import search
from bot.handlers.admin.timeline import in_order
from bot.handlers.admin.timeline_subjects import find_timeline
from bot.http.dashboard.door import ROOT
from bot.http.dashboard.site import Site
from bot.http.dashboard.viewing import note_view
from bot.http.dashboard.visitor import Visitor, for_admins
from bot.http.web.headers import FRESH
from flows.engine.host import Exit
from flows.parsers.values import read_mobile
from services.domain.operation import FoundOperation
from services.domain.phone import Phone
from services.ownership import partner_of
from services.ports import Tx

SOUGHT_MAX = 64  # characters
_LAST_FOUR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class OperationView:
    """``why`` are the reasons for which admins must look at it now."""

    summary: str
    lines: list[tuple[datetime, str]]
    partner: str | None
    why: list[str]


class OperationPages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        show, find = for_admins(self._site, self._show), for_admins(self._site, self._find)
        return [
            Route(f"{ROOT}/operations/{{reference}}", show, methods=["GET"]),
            Route(f"{ROOT}/find", find, methods=["GET"]),
        ]

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        reference = request.path_params["reference"]
        app = self._site.app
        tell = partial(_look_up, context=app.context, visitor=visitor, reference=reference)
        view = await app.database.read(tell)
        if view is None:
            return self._site.page("nothing.html", 404, visitor=visitor, what=reference)
        await note_view(self._site, visitor, view.partner, reference)
        return self._site.page("operation.html", visitor=visitor, reference=reference, view=view)

    async def _find(self, request: Request, visitor: Visitor) -> Response:
        """By reference, bank id or receipt, as /find does. Numbers of people stay out of addresses
        that browsers remember."""
        what = request.query_params.get("what", "").strip()[:SOUGHT_MAX]
        if _LAST_FOUR.fullmatch(what) or isinstance(read_mobile(what), Phone):
            return self._site.page("nothing.html", 400, visitor=visitor, what=None)
        app = self._site.app
        look = partial(_found, context=app.context, visitor=visitor, what=what)
        found = await app.database.read(look)
        if isinstance(found, str):
            return RedirectResponse(f"{ROOT}/operations/{quote(found)}", 303, headers=dict(FRESH))
        if not found:
            return self._site.page("nothing.html", 404, visitor=visitor, what=what)
        return self._site.page("found.html", visitor=visitor, what=what, found=found)


def _look_up(
    tx: Tx, *, context: AppContext, visitor: Visitor, reference: str
) -> OperationView | None:
    turn = visitor.turn(context, tx)
    subject = find_timeline(turn, reference)
    if subject is None:
        return None
    why = [
        context.texts.phrase("en", "why", one) for one in tx.evidence.open_review_reasons(reference)
    ]
    return OperationView(
        subject.summary, list(in_order(turn, subject)), partner_of(tx, reference), why
    )


def _found(
    tx: Tx, *, context: AppContext, visitor: Visitor, what: str
) -> str | list[FoundOperation]:
    """The reference, if there is only one."""
    turn = visitor.turn(context, tx)
    found = search.search(turn, what)
    if not isinstance(found, Exit):
        return []
    if found.name == "one":
        return str(found.sets["reference"])
    return search.matching(turn, what)
