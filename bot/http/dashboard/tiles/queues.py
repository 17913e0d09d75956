"""What waits to be done: operations by state, messages, events, the writer, and background jobs."""

from __future__ import annotations

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.http.dashboard.wording import COUNTED_MAX
from services.ports import Tx

MIB = 1024 * 1024


def _read(tx: Tx, desk: Desk) -> Facts:
    queued, since = tx.outbox.waiting(COUNTED_MAX)
    return {
        "now": tx.now,
        "operations": tx.operations.waiting(COUNTED_MAX),
        "queued": queued,
        "queued_since": since,
        "events": tx.overview.deliveries_due(COUNTED_MAX),
    }


def _beside(desk: Desk) -> Facts:
    app, jobs = desk.app, desk.app.all_jobs
    stuck = {name for name, is_stuck in app.readiness.stuck().items() if is_stuck}
    return {
        "writer_waiting": jobs.waiting,
        "size_mib": app.database.size_bytes / MIB,
        "jobs": sorted(jobs.states.values(), key=lambda state: state.name),
        "stuck": stuck.union(jobs.stuck()),
    }


QUEUES = Tile("queues", "Queues", _read, _beside)
