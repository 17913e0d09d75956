"""Statistics for admins, counted by a background job so that no turn waits for them."""

from __future__ import annotations

from datetime import timedelta

from bot.context import TurnContext
from bot.handlers import statement
from bot.handlers.declaring import Handlers
from bot.observe.statistics import FRESH, Figures
from flows.engine.host import OperationStarted, View
from services.domain.business_days import business_day
from services.domain.document import DocumentFormat, Period
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.domain.statistics import OperationCounts

HANDLERS = Handlers()

JOB = "stats"
ALWAYS = ("topup", "float")
FLOWS = (*ALWAYS, "pay")  # flows whose screens are counted; not every desk pays customers
CHART_DAYS = 30


@HANDLERS.view("stats", needs=Right.ADMIN, shows=("lines",))
def figures(turn: TurnContext) -> View:
    known = _figures(turn)
    if known is None:
        return View({"lines": turn.say("stats.figures.counting")})
    lines = [turn.say("stats.figures.at", {"at": known.at})]
    pays = any(count.begun for count in known.payouts.values())  # not every desk does
    for window in known.topups:
        lines.append(turn.say(f"stats.figures.{window}"))
        lines.append(_line(turn, "topups", known.topups[window]))
        lines.append(_line(turn, "floats", known.floats[window]))
        if pays:
            lines.append(_line(turn, "payouts", known.payouts[window]))
        if (files := known.batches[window]).begun:
            lines.append(turn.say("stats.figures.batches", files._asdict()))
    return View({"lines": "\n".join(lines)})


def _line(turn: TurnContext, kind: str, count: OperationCounts) -> str:
    unknown = turn.say("stats.figures.none")
    facts = {
        "begun": count.begun,
        "done": count.done,
        "total": count.total,
        "returned": count.returned,
        "unknown": count.unknown,
        "rate": f"{100 * count.done / count.decided:.0f} %" if count.decided else unknown,
        "median": unknown if count.median_s is None else f"{count.median_s:.0f} s",
    }
    return turn.say(f"stats.figures.{kind}", facts)


@HANDLERS.view("screens", needs=Right.ADMIN, shows=("lines",))
def screens(turn: TurnContext) -> View:
    """How many people reached each screen: where the number falls, people leave."""
    known = _figures(turn)
    if known is None:
        return View({"lines": turn.say("stats.figures.counting")})
    lines = []
    for flow in FLOWS:
        reached = known.screens.of(flow)
        if not reached and flow not in ALWAYS:
            continue
        lines.append(turn.say(f"menu.{flow}"))
        most = max((visit.times for visit in reached), default=0)
        for visit in reached:
            facts = {"node": visit.node, "times": visit.times, "share": 100 * visit.times // most}
            lines.append(turn.say("stats.screens.line", facts))
    return View({"lines": "\n".join(lines)})


def _figures(turn: TurnContext) -> Figures | None:
    """The latest figures; requests a refresh when they are stale."""
    board = turn.app.board
    known = board.figures
    if known is None or not timedelta(0) <= turn.tx.now - known.at <= FRESH:
        board.refresh_requested = True
        turn.wake(JOB)
    return known


@HANDLERS.use_case(
    "chart_activity",
    needs=Right.ADMIN,
    waits=True,
    shows=("reference", "status"),
    tells=("period", "reference"),
)
def chart(turn: TurnContext) -> OperationStarted | Refusal:
    today = business_day(turn.tx.now)
    period = Period(today - timedelta(days=CHART_DAYS - 1), today)
    return statement.queue_document(turn, None, DocumentFormat.ACTIVITY, period)
