"""The audit log of all partners, newest first."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, readable
from bot.handlers.declaring import Handlers
from flows.engine.host import View
from services.domain.audit import AuditRow
from services.domain.partner import Right

HANDLERS = Handlers()

PAGE = 10  # rows of one page


@HANDLERS.view("audit", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """The cursor names the last row of the previous page, so that rows of one moment all appear."""
    if cursor:
        at_ms, partner, n = cursor.split("|")
        rows = turn.tx.audit.before(int(at_ms), partner, int(n), PAGE + 1)
    else:
        rows = turn.tx.audit.newest(PAGE + 1)
    page = rows[:PAGE]
    more = None
    if len(rows) > PAGE:
        last = page[-1]
        more = f"{last.at_ms}|{last.partner}|{last.n}"
    lines = [_line(turn, row) for row in page]
    return View(
        {"lines": "\n".join(lines) or turn.say("audit.list.empty")},
        more=more,
        newer="" if cursor else None,
    )


def _line(turn: TurnContext, row: AuditRow) -> str:
    is_person = row.about.startswith("person:")
    facts = {
        "at": row.at,
        "who": actor_name(turn, row.actor),
        "act": readable(row.act),
        "about": actor_name(turn, row.about) if is_person else row.about,
    }
    return turn.say("audit.list.line", facts)
