"""Captures the database that the present build leaves behind: ``python -m tests.guard.make``.

It plays every story in ``making/`` in one simulated world on a virtual clock and takes the files as
a kill would leave them: conversations open, payments in flight and messages queued. The files go to
``databases/NNNN/``, where NNNN is the newest migration. Existing files are not touched.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from unittest import mock

from bot.scripts.parse import load
from bot.scripts.player import Player
from bot.security import backup, stored_secrets
from bot.security.keyring import Keyring, key_file_beside, new_key, read_keys
from bot.simulation.inboxes import CARRIER_FAULTS
from bot.simulation.stage import SimulatedStage
from bot.simulation.world import World
from storage.sqlite.migrate import migrate
from storage.transaction import StoreTx

GUARD = Path(__file__).parent
STORIES = GUARD / "making"
DATABASES = GUARD / "databases"
HEAD = "title: What a build leaves behind\nchannels: {channel}\nrestart: no (calls are in flight)"
PARTS = ("past", "open", "last", "stop")  # each part plays for all migrations before the next part
HOLD_CARRIERS = "hold-carriers"  # written like a job: after it, the carriers accept no SMS or mail
STANDING = {  # table → the column or expression that gives a row's status
    "api_answers": "status",
    "approvals": "coalesce(decision, 'open')",
    "api_keys": "iif(revoked_at IS NULL, 'good', 'taken back')",
    "blocked_phones": "'blocked'",
    "broadcasts": "state",
    "dashboard_logins": "iif(session IS NULL, 'offered', 'open')",
    "desk_pin_changes": "iif(digest IS NULL, 'proved', 'typed')",
    "desk_pins": "iif(locked_at IS NULL, 'set', 'locked')",
    "documents": "format || ' ' || state",
    "external_payments": "state",
    "invites": "status",
    "mpesa_balances": "account",
    "otp_validations": "purpose || ' ' || status",
    "partner_events": "type",
    "payout_batch_rows": "iif(payout IS NULL, 'read', 'begun')",
    "payout_batches": "iif(authorised_at IS NULL, 'not run', 'run')",
    "payout_messages": "kind || ' ' || concluded",
    "payout_pauses": "iif(ended_at IS NULL, 'open', 'ended')",
    "proposals": "kind || ' ' || status",
    "recipients": "'saved'",
    "review_items": "iif(closed_at IS NULL, 'open', 'closed')",
    "short_code_lines": "'listed'",
    "webhook_deliveries": "state",
    "webhook_endpoints": "iif(disabled_at IS NULL, 'on', 'off')",
}
CLOSED = CARRIER_FAULTS["down"]


class KeptStage(SimulatedStage):
    """A stage whose database files are captured before it is cleaned up."""

    def __init__(self, channel: str, taken: Path) -> None:
        super().__init__(channel)
        self._taken = taken
        self.at: datetime | None = None

    async def open(self, *given: object) -> None:
        opens = World.open

        async def with_a_key_file(world: World) -> None:
            world.settings = world.settings.model_copy(update={"hazina_keys": None})
            await opens(world)

        with mock.patch.object(World, "open", with_a_key_file):
            await super().open(*given)  # type: ignore[arg-type]
        if invented := invented_secrets():
            keys = Keyring.read(key_file_beside(self.world.settings.database).read_text())

            def put(tx: StoreTx) -> None:
                for name, value in invented.items():
                    tx.secrets.put(name, keys.seal_secret(name, value))

            await self.world.app.database.write(put)

    async def run_job(self, name: str) -> None:
        if name != HOLD_CARRIERS:
            await super().run_job(name)
            return
        self.world.sms.fault = CLOSED
        self.world.mail.fault = CLOSED

    async def close(self) -> None:
        database = self.world.settings.database
        self.at = self.world.clock.now()
        with closing(sqlite3.connect(database)) as conn:
            conn.execute("VACUUM INTO ?", (str(self._taken),))
        if key_file_beside(database).exists():
            key_file_beside(self._taken).write_bytes(key_file_beside(database).read_bytes())
        await super().close()


def invented_secrets() -> dict[str, str]:
    return {name: f"invented {name.lower()} of nobody" for name in stored_secrets.storable_names()}


def story(number: int) -> tuple[list[str], list[str]]:
    """The given lines and the played lines of all stories up to this migration."""
    givens: list[str] = []
    lines: list[str] = []
    for part in PARTS:
        for file in sorted(STORIES.glob(f"{part}-*.chat")):
            if int(file.name.split("-")[1]) > number:
                continue
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.startswith("given "):
                    givens.append(line)
                    continue
                if re.match(r"[\w.-]+> ", line):
                    lines.append("bot*")
                lines.append(line)
    return givens, [*lines, "bot*"]


def newest(conn: sqlite3.Connection) -> int:
    (number,) = conn.execute("SELECT max(number) FROM schema_migrations").fetchone()
    return int(number)


def shipped() -> int:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        migrate(conn)
        return newest(conn)


def expected(database: Path, channel: str, at: datetime) -> str:
    """What the tests compare, read with plain SQL because the schema does not change."""
    with closing(sqlite3.connect(database)) as conn:
        number = newest(conn)
        lines = [
            "# What the build of the time left, written down as the database was taken.",
            f'channel = "{channel}"',
            f"at = {at.isoformat()}",
            f"migration = {number}",
            f"givens = {json.dumps(story(number)[0], indent=2)}",
            "",
            *table("balances", balances(conn)),
            *table("operations", operations(conn)),
            *table("sessions", sessions(conn)),
            *table("waiting", waiting(conn)),
            *table("rows", rows(conn)),
        ]
        if key_file_beside(database).exists():
            keys = Keyring.read(key_file_beside(database).read_text())
            lines += table("sealed", sealed(conn, keys))
            lines += table("secrets", kept_secrets(conn, keys))
        return "\n".join(lines)


def table(name: str, rows: Mapping[str, object]) -> list[str]:
    pairs = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in sorted(rows.items())]
    return [f"[{name}]", *pairs, ""]


def balances(conn: sqlite3.Connection) -> dict[str, int]:
    """``PARTNER kind`` → posted cents, positive on the account's normal side."""
    rows = conn.execute(
        "SELECT partner || ' ' || kind, CASE normal_side WHEN 'credit'"
        " THEN credits_posted - debits_posted ELSE debits_posted - credits_posted END"
        " FROM accounts WHERE debits_posted + credits_posted > 0"
    )
    return dict(rows.fetchall())


def operations(conn: sqlite3.Connection) -> dict[str, int]:
    """``type STATE`` → number of operations."""
    rows = conn.execute(
        "SELECT type || ' ' || state, count(*) FROM wallet_transactions GROUP BY type, state"
    )
    return dict(rows.fetchall())


def sessions(conn: sqlite3.Connection) -> dict[str, str]:
    """Account → ``flow.node`` of its open conversation."""
    rows = conn.execute(
        "SELECT address, flow || '.' || node FROM sessions WHERE flow IS NOT NULL ORDER BY address"
    )
    return dict(rows.fetchall())


def waiting(conn: sqlite3.Connection) -> dict[str, int]:
    """Kind of message → number of queued messages."""
    rows = conn.execute("SELECT kind, count(*) FROM outbox WHERE state = 'queued' GROUP BY kind")
    return dict(rows.fetchall())


def rows(conn: sqlite3.Connection) -> dict[str, int]:
    """``table WORD`` → number of rows with that status, for every other table whose rows can be
    open. Tables that this database does not have are left out."""
    found: dict[str, int] = {}
    for name, word in STANDING.items():
        if has_table(conn, name):
            counted = conn.execute(f"SELECT {word}, count(*) FROM {name} GROUP BY 1")  # noqa: S608
            found |= {f"{name} {state}": count for state, count in counted}
    return found


def has_table(conn: sqlite3.Connection, name: str) -> bool:
    found = conn.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def sealed(conn: sqlite3.Connection, keys: Keyring) -> dict[str, str]:
    """Outbox row → the text sealed in it. These codes were never delivered to anyone."""
    rows = conn.execute(
        "SELECT id, text FROM outbox WHERE state = 'queued' AND otp IS NOT NULL AND text <> ''"
    )
    return {str(row): keys.unseal(text) or "DOES NOT OPEN" for row, text in rows}


def kept_secrets(conn: sqlite3.Connection, keys: Keyring) -> dict[str, str]:
    if not invented_secrets():
        return {}
    rows = conn.execute("SELECT name, sealed FROM secrets")
    return {name: keys.unseal_secret(name, text) or "DOES NOT OPEN" for name, text in rows}


async def play(number: int, channel: str, taken: Path) -> datetime:
    script = taken.with_name("story.chat")
    givens, lines = story(number)
    script.write_text("\n".join([HEAD.format(channel=channel), *givens, *lines, ""]))
    stage = KeptStage(channel, taken)
    await Player(load(script), stage).play()
    assert stage.at is not None
    return stage.at


def keep(taken: Path, at: datetime, channel: str, folder: Path, *, with_backup: bool) -> None:
    folder.mkdir(parents=True)
    (folder / "expected.toml").write_text(expected(taken, channel, at), encoding="utf-8")
    packed = gzip.compress(taken.read_bytes(), mtime=0)
    (folder / "hazina.sqlite.gz").write_bytes(packed)
    if key_file_beside(taken).exists():
        (folder / "keys").write_bytes(key_file_beside(taken).read_bytes())
    if with_backup:
        line = new_key("backup-1")
        (folder / "backup.keys").write_text(line + "\n")
        made = backup.make(taken, taken.parent / "copies", read_keys(line), at)
        made.replace(folder / made.name)


def main(arguments: Sequence[str]) -> int:
    number = shipped()
    folder = DATABASES / f"{number:04d}"
    if folder.exists():
        print(f"{folder} is there already: a database that was kept is never made again")
        return 1
    channel = arguments[0] if arguments else "telegram"
    with tempfile.TemporaryDirectory() as inside:
        taken = Path(inside) / "hazina.db"
        at = asyncio.run(play(number, channel, taken))
        keep(taken, at, channel, folder, with_backup="backup" in arguments)
    for line in report(folder):
        print(line)
    return 0


def report(folder: Path) -> Iterator[str]:
    for file in sorted(folder.iterdir()):
        yield f"{file}: {file.stat().st_size:,} bytes"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
