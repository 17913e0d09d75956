"""How many people reached each screen of what moves money: where the number falls, they leave.

The figures are those of /stats, which a job counts when somebody looks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.handlers.admin.stats import ALWAYS, FLOWS
from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from services.ports import Tx

FRESH = timedelta(minutes=5)  # older figures are counted again, as that reads a month's operations


def _read(tx: Tx, desk: Desk) -> Facts:
    return {}  # the job has read it


def _beside(desk: Desk) -> Facts:
    figures = desk.app.context.board.figures
    screens = {} if figures is None else {flow: figures.screens.of(flow) for flow in FLOWS}
    return {
        "at": None if figures is None else figures.at,
        "flows": [
            (desk.say(f"menu.{flow}"), reached, max((one.times for one in reached), default=0))
            for flow, reached in screens.items()
            if reached or flow in ALWAYS
        ],
    }


def ask_for_figures(desk: Desk, now: datetime) -> None:
    """Have them counted if they are old. Call on the event loop."""
    board = desk.app.context.board
    known = board.figures
    if known is None or not timedelta(0) <= now - known.at <= FRESH:
        board.refresh_requested = True
        desk.app.jobs.ask("stats")


DROPOFF = Tile("dropoff", "Where people leave", _read, _beside)
