"""Whether what must never break holds: books, audit log, backups, days compared with the bank."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.jobs.drill import PASSED
from bot.security import backup
from services.domain.business_days import business_day
from services.ports import Tx

AUDIT_ROWS = 50  # newest rows whose chain is verified; each night all are
BACKUP_OLD = timedelta(hours=26)  # one is made every night
DRILL_OLD = timedelta(days=1)  # it is held every night
CLOSED_LATE = timedelta(days=2)  # a day closes on the morning after it


def _read(tx: Tx, desk: Desk) -> Facts:
    imbalances = tx.overview.imbalances()
    problems = tx.audit.newest_problems(AUDIT_ROWS)
    head = next(iter(tx.audit.newest(1)), None)
    last_backup = _last_backup(desk, tx.now)
    drill = _day(tx.daily.last(PASSED))
    closed = tx.overview.last_closed_day()
    return {
        "now": tx.now,
        "books_sound": all(one.is_sound for one in imbalances),
        "imbalances": imbalances,
        "audit_problems": problems,
        "audit_rows": AUDIT_ROWS,
        "audit_day": _day(tx.daily.last("audit")),
        "head": head,
        "makes_backups": desk.backups is not None,
        "why_no_backups": desk.why_no_backups,
        "backup_at": last_backup,
        "backup_fine": last_backup is not None and tx.now - last_backup < BACKUP_OLD,
        "drill_day": drill,
        "drill_fine": drill is not None and business_day(tx.now) - drill <= DRILL_OLD,
        "closed": closed,
        "closed_fine": closed is not None and business_day(tx.now) - closed <= CLOSED_LATE,
        "damaged": desk.app.database.damaged,
    }


def _last_backup(desk: Desk, now: datetime) -> datetime | None:
    if desk.backups is None:
        return None
    newest = backup.newest_at(desk.backups, now)
    return None if newest == backup.NEVER else newest


def _day(stored: str | None) -> date | None:
    return None if stored is None else date.fromisoformat(stored)


SAFETY = Tile("safety", "Safety", _read)
