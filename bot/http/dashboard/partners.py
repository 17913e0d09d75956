"""Partners: a list with search, and one partner with its people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.door import ROOT
from bot.http.dashboard.site import Site
from bot.http.dashboard.tiles.tile import Facts
from bot.http.dashboard.viewing import note_view
from bot.http.dashboard.visitor import Visitor, for_admins
from services import balances
from services.balances import Balances
from services.domain.business_days import start_of_day_at
from services.domain.fees import FeeKind
from services.domain.ledger import AccountKind
from services.domain.limits import LimitName
from services.domain.partner import Partner
from services.domain.runway import PAID_FOR, PaidOut, Runway, paid_out
from services.ports import Tx

PAGE = 25  # partners
OPERATIONS = 20  # the newest of one partner
SEARCH_MAX = 32  # characters
_SOON = timedelta(seconds=1)  # a period ends before its last moment


@dataclass(frozen=True, slots=True)
class Listed:
    partner: Partner
    balances: Balances
    active_at: datetime | None  # when its newest operation was begun


class PartnerPages:
    def __init__(self, site: Site, desk: Desk) -> None:
        self._site = site
        self._desk = desk

    def routes(self) -> list[Route]:
        return [
            Route(f"{ROOT}/partners", for_admins(self._site, self._list), methods=["GET"]),
            Route(f"{ROOT}/partners/{{code}}", for_admins(self._site, self._one), methods=["GET"]),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        part = request.query_params.get("q", "").strip()[:SEARCH_MAX]
        after = request.query_params.get("after", "")[:SEARCH_MAX]
        found = await self._site.app.database.read(partial(_listed, part=part, after=after))
        return self._site.page(
            "partners.html",
            visitor=visitor,
            part=part,
            after=after,
            listed=found[:PAGE],
            more=found[PAGE - 1].partner.code if len(found) > PAGE else None,
        )

    async def _one(self, request: Request, visitor: Visitor) -> Response:
        code = request.path_params["code"]
        facts = await self._site.app.database.read(partial(_details, code=code))
        if facts is None:
            return self._site.page("nothing.html", 404, visitor=visitor, what=code)
        await note_view(self._site, visitor, code, code)
        return self._site.page("partner.html", visitor=visitor, desk=self._desk, **facts)


def _listed(tx: Tx, *, part: str, after: str) -> list[Listed]:
    """One more than a page, if there are more."""
    found = []
    for code in tx.overview.partners(part, after, PAGE + 1):
        partner = tx.people.partner(code)
        assert partner is not None, "its wallet refers to it"
        newest = next(iter(tx.operations.page(code, 1)), None)
        active_at = None if newest is None else newest.begun_at
        found.append(Listed(partner, balances.of(tx, partner), active_at))
    return found


def _details(tx: Tx, *, code: str) -> Facts | None:
    partner = tx.people.partner(code)
    if partner is None:
        return None
    seen = balances.of(tx, partner)
    week, today = (_paid_since(tx, code, at) for at in (tx.now - PAID_FOR, start_of_day_at(tx.now)))
    return {
        "now": tx.now,
        "partner": partner,
        "balances": seen,
        "runway": Runway(seen.float.available, week),
        "paid_today": today,
        "people": [(person, tx.people.linked_at(person.id)) for person in tx.people.of(code)],
        "limits": [
            (name, tx.limits.find(name, code), tx.limits.own(name, code) is not None)
            for name in LimitName
            if name is not LimitName.FLOAT_DAY_DESK
        ],
        "fees": [(kind, tx.fees.in_force(code, kind)) for kind in FeeKind],
        "keys": [key for key in tx.api_keys.of(code) if key.is_active(tx.now)],
        "endpoints": tx.webhooks.of(code),
        "operations": tx.operations.page(code, OPERATIONS),
    }


def _paid_since(tx: Tx, code: str, moment: datetime) -> PaidOut:
    return paid_out(tx.statements.totals(code, AccountKind.FLOAT, moment, tx.now + _SOON))
