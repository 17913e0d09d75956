"""Write down what the outside said, however long the database takes to come back.

An answer in hand is worth more than a worker's time: a bank's id that is lost cannot be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from services.ports import Clock
from storage.sqlite.database import Database, DatabaseUnavailable, Priority
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

AGAIN_S = 1.0

PushRows = Callable[[Sequence[OutboxRow]], None]  # messages to be sent, once committed
T = TypeVar("T")
_log = structlog.get_logger(__name__)


async def write_until_committed(
    database: Database, clock: Clock, write: Callable[[SqliteTx], T]
) -> T:
    """Run ``write`` until it is committed; it must bear being run again after a commit that
    was reported as failed. Ends only with its task, or when ``write`` itself raises."""
    while True:
        try:
            return await database.write(write, Priority.JOBS)
        except DatabaseUnavailable as error:
            _log.error("cannot write down what the outside said, trying again", why=str(error))
            await clock.sleep(AGAIN_S)
