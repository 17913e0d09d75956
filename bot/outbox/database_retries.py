"""Commits answers from outside, and reads what is sent, waiting as long as the database is
unavailable.

An answer must not be lost: without the bank's id, for example, we could never query its status. And
a message or a document that cannot be read just now has not failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from services.domain.database import DatabaseUnavailable, Priority, leading
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

AGAIN_S = 1.0

PushRows = Callable[[Sequence[OutboxRow]], None]  # called with committed messages, to send them
T = TypeVar("T")
_log = structlog.get_logger(__name__)


async def write_until_committed(database: Database, clock: Clock, write: Callable[[Tx], T]) -> T:
    """Retry ``write`` until it commits. It must be idempotent: a commit reported as failed may have
    succeeded. Ends early only when its task is cancelled or ``write`` itself raises.

    What the outside said is so, whoever leads by now: it is written from any process."""
    token = leading.set(False)
    try:
        while True:
            try:
                return await database.write(write, Priority.JOBS)
            except DatabaseUnavailable as error:
                _log.error("cannot write down what the outside said, trying again", why=str(error))
                await clock.sleep(AGAIN_S)
    finally:
        leading.reset(token)


async def read_when_available(database: Database, clock: Clock, read: Callable[[Tx], T]) -> T:
    """Retry ``read`` while the database is away. Ends early only when its task is cancelled or
    ``read`` itself raises."""
    while True:
        try:
            return await database.read(read)
        except DatabaseUnavailable:
            await clock.sleep(AGAIN_S)
