"""Partners: list, show, add, suspend and resume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services import balances, partners
from services.domain.partner import Partner, Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

PAGE = 8  # partners of one page
SUGGESTED = 6  # codes offered as buttons


@HANDLERS.view("partners", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """By code. The cursor is the code before the page, or after it if it begins with "<"."""
    page = turn.tx.people.partners_page(cursor, PAGE)
    lines = [turn.say("partners.list.line", _facts(turn, partner)) for partner in page.partners]
    return View(
        {"lines": "\n".join(lines) or turn.say("partners.list.empty")},
        [(partner.code, partner.code) for partner in page.partners],
        page.more,
        page.newer,
        timeless=True,
        place=_place(turn, page.partners),
    )


def _place(turn: TurnContext, page: Sequence[Partner]) -> Place | None:
    if not page:
        return None
    first = turn.tx.people.count_partners(page[0].code)
    return Place(first, first + len(page) - 1, turn.tx.people.count_partners())


@HANDLERS.view(
    "partner",
    needs=Right.ADMIN,
    shows=("available", "code", "float", "mark", "people", "state", "wallet"),
)
def detail(turn: TurnContext, code: str) -> View | None:
    partner = turn.tx.people.partner(code)
    if partner is None:
        return None
    return View(_facts(turn, partner) | {"people": len(turn.tx.people.of(partner.code))})


@HANDLERS.use_case("add_partner", needs=Right.ADMIN)
def add(turn: TurnContext, code: str) -> Exit | Refusal:
    if turn.tx.people.partner(code) is not None:
        return Refusal.of("partner_there", partner=code)
    partners.add(turn.tx, Partner(code))
    turn.audit(code, "partner_added", code)
    return Exit("done")


@HANDLERS.use_case("suspend_partner", needs=Right.ADMIN)
def suspend(turn: TurnContext, code: str) -> Exit | Refusal:
    return _set_suspended(turn, code, suspended=True)


@HANDLERS.use_case("resume_partner", needs=Right.ADMIN)
def resume(turn: TurnContext, code: str) -> Exit | Refusal:
    return _set_suspended(turn, code, suspended=False)


def _set_suspended(turn: TurnContext, code: str, *, suspended: bool) -> Exit:
    turn.tx.people.add_partner(replace(get(turn, code), suspended=suspended))
    turn.audit(code, "partner_suspended" if suspended else "partner_resumed", code)
    return Exit("done")


def get(turn: TurnContext, code: str) -> Partner:
    """A partner whose code the question's parser has already checked."""
    partner = turn.tx.people.partner(code)
    assert partner is not None, "only partners that are there can be named"
    return partner


@HANDLERS.suggestion("codes", needs=Right.ADMIN)
def suggested(turn: TurnContext) -> list[str]:
    return [partner.code for partner in turn.tx.people.partners_page(None, SUGGESTED).partners]


def _facts(turn: TurnContext, partner: Partner) -> dict[str, Any]:
    seen = balances.of(turn.tx, partner)
    return {
        "code": partner.code,
        "state": turn.say(f"partner_state.{'suspended' if partner.suspended else 'active'}"),
        "wallet": seen.wallet.posted,
        "available": seen.wallet.available,
        "float": seen.float.posted,
        "mark": seen.threshold,
    }
