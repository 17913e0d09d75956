"""What waits to be done: operations by state, messages, events, the writer, and background jobs."""

from __future__ import annotations

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.http.dashboard.wording import COUNTED_MAX
from bot.readiness import WRITER
from services.ports import Tx

MIB = 1024 * 1024


def _read(tx: Tx, desk: Desk) -> Facts:
    app = desk.app
    queued, since = tx.outbox.waiting(COUNTED_MAX)
    stuck = {name for name, is_stuck in app.readiness.stuck().items() if is_stuck}
    return {
        "now": tx.now,
        "desk": desk,
        "operations": tx.operations.waiting(COUNTED_MAX),
        "queued": queued,
        "queued_since": since,
        "events": tx.overview.deliveries_due(COUNTED_MAX),
        "writer_waiting": app.database.waiting,
        "writer_stuck": WRITER in stuck,
        "size_mib": app.database.size_bytes / MIB,
        "jobs": sorted(app.jobs.states.values(), key=lambda state: state.name),
        "stuck": stuck,
    }


QUEUES = Tile("queues", "Queues", _read)
