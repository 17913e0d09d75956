"""Partners: list, show, add, suspend and resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.context import TurnContext
from bot.handlers.signatures import Suggester, UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services import balances, partners
from services.domain.partner import Partner
from services.domain.refusal import Refusal

PAGE = 8  # partners of one page
SUGGESTED = 6  # codes offered as buttons


def listed(turn: TurnContext, _: Mapping[str, Any], cursor: str | None) -> View:
    """By code. The cursor is the code before the page, or after it if it begins with "<"."""
    page = turn.tx.people.partners_page(cursor, PAGE)
    lines = [turn.say("partners.list.line", _facts(turn, partner)) for partner in page.partners]
    return View(
        {"lines": "\n".join(lines) or turn.say("partners.list.empty")},
        [(partner.code, partner.code) for partner in page.partners],
        page.more,
        page.newer,
        timeless=True,
    )


def detail(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    partner = get(turn, args["code"])
    return View(_facts(turn, partner) | {"people": len(turn.tx.people.of(partner.code))})


def add(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    code = args["code"]
    if turn.tx.people.partner(code) is not None:
        return Refusal.of("partner_there", partner=code)
    partners.add(turn.tx, Partner(code))
    turn.audit(code, "partner_added", code)
    return Exit("done")


def suspend(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    return _set_suspended(turn, args["code"], suspended=True)


def resume(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    return _set_suspended(turn, args["code"], suspended=False)


def _set_suspended(turn: TurnContext, code: str, *, suspended: bool) -> Exit:
    turn.tx.people.add_partner(replace(get(turn, code), suspended=suspended))
    turn.audit(code, "partner_suspended" if suspended else "partner_resumed", code)
    return Exit("done")


def get(turn: TurnContext, code: str) -> Partner:
    """A partner whose code the question's parser has already checked."""
    partner = turn.tx.people.partner(code)
    assert partner is not None, "only partners that are there can be named"
    return partner


def suggested(turn: TurnContext, _: Mapping[str, Any]) -> list[str]:
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


USE_CASES: dict[str, UseCase] = {
    "add_partner": add,
    "suspend_partner": suspend,
    "resume_partner": resume,
}
VIEWS: dict[str, ViewBuilder] = {"partners": listed, "partner": detail}
SUGGESTERS: dict[str, Suggester] = {"codes": suggested}
