"""Numbered SQL migrations, forward only: each is one transaction, recorded with its checksum.

A change has the same number for both engines. PostgreSQL's begin with one that makes all that
SQLite's had made until then.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TypeAlias

from services.domain.database import MigrationError

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

Applied: TypeAlias = Mapping[int, tuple[str, str]]  # number → (name, checksum)


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    sql: str

    @cached_property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def shipped(engine: str) -> tuple[Migration, ...]:
    """This program's migrations for an engine, by the name of its folder, in order."""
    found = []
    for file in files("storage").joinpath("migrations", engine).iterdir():
        match = _NAME.fullmatch(file.name)
        if match:
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), file.name.removesuffix(".sql"), text))
    return tuple(sorted(found, key=lambda migration: migration.number))


def pending(had: Applied, ours: Sequence[Migration]) -> list[Migration]:
    """Those of ``ours`` that a database lacks which has had ``had``.

    Raises ``MigrationError`` when the database is newer than the program, or an applied migration
    has changed since.
    """
    latest = max((migration.number for migration in ours), default=0)
    newer = sorted(number for number in had if number > latest)
    if newer:
        raise MigrationError(
            f"the database is newer than this program (it has migration {newer[-1]:04d}, "
            f"the program ends at {latest:04d}): install the newer hazina"
        )
    for migration in ours:
        if migration.number in had and had[migration.number][1] != migration.checksum:
            raise MigrationError(
                f"migration {migration.name} was changed after it had been applied: "
                "restore the file, and put the change into a new one"
            )
    known = {migration.number for migration in ours}
    strange = sorted(number for number in had if number not in known)
    if strange:
        raise MigrationError(
            f"the database has had migration {had[strange[0]][0]}, which this program does not "
            "know: install the hazina that it belongs to"
        )
    waiting = [migration for migration in ours if migration.number not in had]
    if waiting and had and waiting[0].number < max(had):
        raise MigrationError(
            f"migration {waiting[0].name} comes before one that was applied already: "
            "number it behind the last one"
        )
    return waiting
