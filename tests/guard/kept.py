"""The databases that earlier builds left behind, and a stage on which one of them is opened."""

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

from bot.simulation.stage import SimulatedStage
from bot.simulation.world import World

DATABASES = Path(__file__).parent / "databases"
LATER = 900_000  # what is said now has other event ids than what was said then


@dataclass(frozen=True)
class Kept:
    """One of them. ``expected`` was written down when it was taken."""

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
        """A copy of the database, and of its key file beside it."""
        database.write_bytes(gzip.decompress((self.folder / "hazina.sqlite.gz").read_bytes()))
        keys = self.folder / "keys"
        if keys.exists():
            beside = database.with_name(database.name + ".keys")
            shutil.copyfile(keys, beside)
            beside.chmod(0o600)

    @contextmanager
    def read(self, folder: Path) -> Iterator[sqlite3.Connection]:
        """As its build left it, before anything migrates it."""
        self.put(folder / "then.db")
        with closing(sqlite3.connect(folder / "then.db")) as conn:
            yield conn


def every() -> list[Kept]:
    return [Kept(folder) for folder in sorted(DATABASES.iterdir()) if folder.is_dir()]


@dataclass
class Left:
    """What stands in the database when the play is over, and what phones have had by then."""

    operations: list[tuple[str, str, str]] = field(default_factory=list)
    faults: int = 0
    texts: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    flows: dict[str, str | None] = field(default_factory=dict)


class ReopenedStage(SimulatedStage):
    """The simulated world on a copy of a kept database, at the moment at which it was taken.

    The people of the ``given`` lines are in it already. Its bank has books of its own, which begin
    now, so ours are looked at by themselves.
    """

    def __init__(self, kept: Kept, greeting: str) -> None:
        """``greeting`` is what people say to be shown their screen again."""
        super().__init__(str(kept.expected["channel"]), events_before=LATER)
        self._kept = kept
        self._greeting = greeting
        self.left = Left()

    async def open(self, *given: Any) -> None:
        opens, sets_out = World.open, World.__init__

        def at_that_moment(world: World, *args: Any, **more: Any) -> None:
            sets_out(world, *args, **more, start=self._kept.at)

        async def on_the_copy(world: World) -> None:
            world.settings = world.settings.model_copy(update={"hazina_keys": None})
            self._kept.put(world.settings.database)
            if world.telegram is not None:
                world.telegram.restart_ids(LATER)
            await opens(world)

        with (
            mock.patch.object(World, "__init__", at_that_moment),
            mock.patch.object(World, "open", on_the_copy),
        ):
            await super().open(*given)

    def _seed(self, *_: object) -> None:
        """Everybody is there."""

    async def say(self, name: str, text: str, copies: int = 1) -> None:
        await super().say(name, text, copies)
        if text == self._greeting:
            await self.settle()
            standing = await self.current_node(name)
            self.left.flows[name] = standing and standing.partition(".")[0]

    async def books(self) -> Sequence[str]:
        return await self.world.app.database.read(lambda tx: tx.ledger.violations())

    async def close(self) -> None:
        if self._world is not None and self.world.settings.database.exists():
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
