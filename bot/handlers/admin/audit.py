"""The audit log of all partners, newest first."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name
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
    facts = {
        "at": row.at,
        "who": actor_name(turn, row.actor),
        "act": row.act,
        "about": _about(turn, row),
    }
    return turn.say("audit.list.line", facts)


def _about(turn: TurnContext, row: AuditRow) -> str:
    """What the row is about, as people call it. A fee or limit is stored as ``CODE:name``."""
    kind, _, rest = row.about.partition(":")
    match row.act, kind:
        case "fee_set" | "limit_set", _:
            return turn.say(
                f"audit.list.{row.act.removesuffix('_set')}", {"code": kind, "name": rest}
            )
        case "job_run" | "cleanup_run", _:
            return turn.phrase("job", row.about)
        case "strange", _:
            return turn.phrase("tried", row.about)
        case _, "person" | "admin" | "account":
            return actor_name(turn, row.about)
        case _, "partner" | "seen":
            return rest
    return row.about
