"""Reads the whole database file periodically, to find damage in pages that are rarely used."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bot.database import database_files
from services.domain.database import DatabaseFailed
from services.ports import Clock
from services.ports.database import Database

EVERY_S = 10.0
PAUSES = 1_000  # pause in multiples of the check's duration; a gigabyte takes a few seconds
_log = structlog.get_logger(__name__)


class FileWatch:
    """The database keeps and reports the damage that is found."""

    def __init__(self, database: Database, path: Path, clock: Clock) -> None:
        self._database = database
        self._check = database_files.file_check(path)
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        self._task = asyncio.create_task(self._watch())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._check.interrupt()

    async def _watch(self) -> None:
        pause_s = EVERY_S
        while self._database.damaged is None:
            await self._clock.sleep(pause_s)
            began = self._clock.monotonic()
            try:
                wrong = await asyncio.to_thread(self._check.run)
            except DatabaseFailed as error:
                _log.warning("the database's file could not be checked", why=str(error))
                wrong = None
            if wrong is not None:
                self._database.mark_damaged(wrong)
            pause_s = max(EVERY_S, PAUSES * (self._clock.monotonic() - began))
