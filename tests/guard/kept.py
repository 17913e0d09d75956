"""Databases left by earlier builds, and a simulated stage that opens one of them."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

from bot.simulation.scene import Scene
from bot.simulation.stage import SimulatedStage
from bot.simulation.world import World

DATABASES = Path(__file__).parent / "databases"
LATER = 900_000  # keeps new event ids apart from those in the kept database


@dataclass(frozen=True)
class Kept:
    """One kept database. ``expected`` was written when the database was captured."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def expected(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "expected.toml").read_text(encoding="utf-8"))

    @property
    def at(self) -> datetime:
        at = self.expected["at"]
        assert isinstance(at, datetime)
        return at

    @property
    def sealed_backup(self) -> Path | None:
        return next(iter(self.folder.glob("*.db.sealed")), None)

    def put(self, database: Path) -> None:
        """Copy the database, and its key file if there is one, to ``database``."""
        database.write_bytes(gzip.decompress((self.folder / "hazina.sqlite.gz").read_bytes()))
        keys = self.folder / "keys"
        if keys.exists():
            beside = database.with_name(database.name + ".keys")
            shutil.copyfile(keys, beside)
            beside.chmod(0o600)

    @contextmanager
    def read(self, folder: Path) -> Iterator[sqlite3.Connection]:
        """Open the database as its build left it, before any migration runs."""
        self.put(folder / "then.db")
        with closing(sqlite3.connect(folder / "then.db")) as conn:
            yield conn


def every() -> list[Kept]:
    return [Kept(folder) for folder in sorted(DATABASES.iterdir()) if folder.is_dir()]


@dataclass
class Left:
    """What the database holds after the play, and the messages that phones received by then."""

    operations: list[tuple[str, str, str]] = field(default_factory=list)
    faults: int = 0
    texts: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    flows: dict[str, str | None] = field(default_factory=dict)


class ReopenedStage(SimulatedStage):
    """The simulated world on a copy of a kept database, starting at the moment of its capture.

    The people of the ``given`` lines already exist in it. The simulated bank starts with empty
    books, so the test checks our books without comparing them with the bank's.
    """

    def __init__(self, kept: Kept, greeting: str) -> None:
        """``greeting`` is a message that makes the bot show a person's current screen again."""
        super().__init__(str(kept.expected["channel"]), events_before=LATER, start=kept.at)
        self._kept = kept
        self._greeting = greeting
        self.left = Left()

    async def open(self, *given: Any) -> None:
        opens = World.open

        async def on_the_copy(world: World) -> None:
            world.settings = world.settings.model_copy(update={"hazina_keys": None})
            self._kept.put(world.settings.database)
            if world.telegram is not None:
                world.telegram.restart_ids(LATER)
            await opens(world)

        def with_its_people(scene: Scene, tx: Any) -> None:
            """Nothing is seeded: they are in the kept database."""

        with (
            mock.patch.object(World, "open", on_the_copy),
            mock.patch.object(Scene, "fill", with_its_people),
        ):
            await super().open(*given)

    async def say(self, name: str, text: str, copies: int = 1) -> None:
        await super().say(name, text, copies)
        if text == self._greeting:
            await self.settle()
            standing = await self.current_node(name)
            self.left.flows[name] = standing and standing.partition(".")[0]

    async def books(self) -> Sequence[str]:
        return await self.world.app.database.read(lambda tx: tx.invariants.violations())

    async def close(self) -> None:
        if self._scene is not None and self.world.settings.database.exists():
            with closing(sqlite3.connect(self.world.settings.database)) as conn:
                self.left.operations = conn.execute(
                    "SELECT reference, type, state FROM wallet_transactions"
                ).fetchall()
                (self.left.faults,) = conn.execute(
                    "SELECT count(*) FROM events WHERE fault IS NOT NULL"
                ).fetchone()
                self.left.secrets = dict(conn.execute("SELECT name, sealed FROM secrets"))
            self.left.texts = [text for texts in self.world.sms.texts.values() for text in texts]
        await super().close()
