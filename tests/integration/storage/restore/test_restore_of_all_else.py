"""A restore ends codes, marks the database and leaves the program ready to continue."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.terminal import event_from_line
from bot.security import backup
from bot.simulation.faults import parse_fault
from bot.simulation.log_capture import full_log
from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from services import desk_pins, float_settlement
from services.domain.api_key import ApiKey
from services.domain.invite import Invite, InviteStatus
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.session import SessionRow
from services.otp import Passed
from storage.sqlite import snapshots
from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.desk_pins import PIN, WRONG, PinHolder
from tests.kit.float_buyer import FloatBuyer, in_state
from tests.kit.plain_store import START
from tests.kit.restored_store import HELD, Old, S, opened, sound

# Work under way at the time of the backup ---------------------------------------------------------


def waiting(tx: StoreTx) -> None:
    """Store messages, an invitation, a broadcast, a key and conversations, all under way."""
    add = tx.outbox.add
    for kind in ("answer", "progress", "notice", "receipt", "wipe"):
        add("terminal", "1", kind=kind, text=kind)
    add("terminal", "1", kind="code", text="sealed", otp="hz_1")
    ends_at = tx.now + timedelta(minutes=30)
    invite = Invite("IN-1", "DEMO", Role.VIEWER, "B", "admin:1", ends_at, InviteStatus.OPEN)
    assert tx.invites.add(invite, "digest")
    assert tx.broadcasts.add("BC-1", "hello", "admin:1")
    key = ApiKey("hz_1", "DEMO", frozenset(), "admin:1", tx.now, ends_at)
    assert tx.api_keys.add(key, "digest")
    gone = replace(key, id="hz_2")
    assert tx.api_keys.add(gone, "another digest")
    tx.conn.execute("UPDATE api_keys SET revoked_at = ? WHERE id = 'hz_2'", (tx.now_ms,))
    tx.sessions.save("terminal", "1", SessionRow(41, "topup", "amount", "{}", ends_at))
    tx.sessions.save("terminal", "2", SessionRow(7, "topup", "push", "{}", None))
    tx.dashboard_logins.offer("terminal", "9", "spent", ends_at)
    assert tx.dashboard_logins.spend("spent", "session") is not None
    tx.dashboard_logins.offer("terminal", "9", "link", ends_at)


async def test_messages_invitations_broadcasts_and_old_buttons_do_not_come_to_life(
    old: Old, buyer: FloatBuyer
) -> None:
    old.do(waiting)
    file = old.copy()
    assert list(snapshots.faults(file)) == []
    database = await opened(file, timedelta(minutes=1))

    def look(tx: StoreTx) -> None:
        rows = tx.conn.execute("SELECT kind, state, text FROM outbox ORDER BY id").fetchall()
        assert rows == [
            ("answer", "dead", "answer"),
            ("progress", "dead", "progress"),
            ("notice", "dead", "notice"),
            ("receipt", "queued", "receipt"),
            ("wipe", "queued", "wipe"),
            ("code", "dead", ""),
        ]
        invite = tx.invites.get("IN-1")
        assert invite is not None
        assert invite.status is InviteStatus.REVOKED
        broadcast = tx.broadcasts.get("BC-1")
        assert broadcast is not None
        assert broadcast.state == "STOPPED"
        for address in ("1", "2"):
            session = tx.sessions.load("terminal", address)
            assert session is not None
            assert session.turn > 1_000_000
            assert session.expires_at == (tx.now if address == "1" else None)
        assert tx.conn.execute("SELECT count(*) FROM dashboard_logins").fetchone() == (0,)
        restore = tx.restores.unannounced()[0]
        assert (restore.found["api_keys"], restore.found["proposals"]) == (1, 0)
        (facts,) = tx.conn.execute("SELECT facts FROM audit_log WHERE act = 'restored'").fetchone()
        assert json.loads(facts)["messages"] == 4

    await database.read(look)
    await sound(database)
    await database.close()


async def test_a_desk_pin_has_one_try_left_and_one_being_set_is_given_up(old: Old) -> None:
    holder, other = PinHolder(old), PinHolder(old, "ACME")
    holder.set()
    other.set()
    for _ in range(3):
        other.check(WRONG)
    change = holder.proved()
    database = await opened(old.copy(), timedelta(minutes=1))

    def look(tx: StoreTx) -> None:
        pin, locked = tx.desk_pins.find(holder.person.id), tx.desk_pins.find(other.person.id)
        assert pin is not None
        assert (pin.tries_left, pin.is_locked) == (1, False)
        assert locked is not None
        assert locked.is_locked
        assert tx.desk_pins.change(change) is None

    await database.read(look)
    await sound(database)

    def type_it(tx: StoreTx) -> None:
        assert desk_pins.check(tx, holder.keys, holder.policy, holder.person, PIN) == Passed()
        pin = tx.desk_pins.find(holder.person.id)
        assert pin is not None
        assert pin.tries_left == 3

    await database.write(type_it)
    await database.close()


# Restore marks ----------------------------------------------------------------------------------


def marks(path: Path) -> list[tuple[int, bool]]:
    """Return the time of each restore the file records, and whether it is still to come."""
    with closing(sqlite3.connect(path)) as conn:
        rows = conn.execute("SELECT made_at, begun_at IS NULL FROM restores ORDER BY id")
        return [(made_at, bool(to_come)) for made_at, to_come in rows]


START_MS = int(START.timestamp() * 1000)


async def test_the_second_start_is_an_ordinary_one(old: Old, buyer: FloatBuyer) -> None:
    file = old.copy()
    assert marks(file) == [(START_MS, True)]
    database = await opened(file)
    buyer.store.tx = StoreTx(old.conn)
    await database.close()
    assert marks(file) == [(START_MS, False)]
    database = await opened(file, timedelta(hours=2))
    assert marks(file) == [(START_MS, False)]
    assert await database.read(lambda tx: tx.audit.count()) == 1
    await database.close()


async def test_a_desk_that_only_crashed_or_stopped_sends_what_waits(
    old: Old, buyer: FloatBuyer
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    old.conn.execute("COMMIT")
    database = await opened(old.path, timedelta(seconds=1))
    work, _ = await database.write(lambda tx: float_settlement.claim(tx, HELD, 9, 9))
    assert [(one.reference, one.state) for one in work] == [(reference, S.AUTHORISED)]
    await database.close()


async def test_a_copy_of_a_backup_is_as_old_as_the_backup(old: Old, tmp_path: Path) -> None:
    first, second = old.copy(), tmp_path / "second.db"
    snapshots.copy(first, second, START + timedelta(days=1))
    assert marks(second) == [(START_MS, True)]


async def test_a_backup_of_a_restored_desk_is_one_of_its_own(old: Old, tmp_path: Path) -> None:
    file = old.copy()
    database = await opened(file)
    snapshots.copy(file, tmp_path / "second.db", START + timedelta(days=1))
    await database.close()
    assert marks(tmp_path / "second.db") == [
        (START_MS, False),
        (START_MS + 86_400_000, True),
    ]


@pytest.mark.parametrize("keys", [{}, {"vault": b"v" * 32}])
async def test_restored_twice_it_is_unknown_twice(
    old: Old, buyer: FloatBuyer, tmp_path: Path, keys: dict[str, bytes]
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    old.conn.execute("COMMIT")
    made = backup.make(old.path, tmp_path / "backups", keys, START)
    content = made.read_bytes()
    assert backup.verify(made, keys, tmp_path) == []
    for n in range(2):
        to = tmp_path / f"new-{n}.db"
        backup.restore(made, to, keys, START + timedelta(hours=1), replace=False)
        database = await opened(to)
        purchase = await database.read(lambda tx: tx.purchases.get(reference))
        assert purchase is not None
        assert purchase.state is S.UNKNOWN
        await database.close()
    assert made.read_bytes() == content  # inspecting and using it changes nothing


async def test_one_without_a_mark_gets_it_when_it_is_restored(
    old: Old, buyer: FloatBuyer, tmp_path: Path
) -> None:
    """Such as a plain copy of the database file."""
    reference = in_state(buyer, S.AUTHORISED)
    file = old.copy()
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("DELETE FROM restores")
        conn.commit()
    to = tmp_path / "new.db"
    backup.restore(file, to, {}, START, replace=False)
    database = await opened(to)
    purchase = await database.read(lambda tx: tx.purchases.get(reference))
    assert purchase is not None
    assert purchase.state is S.UNKNOWN
    await database.close()


def test_a_backup_from_before_there_were_marks_is_as_old_as_its_name_says(tmp_path: Path) -> None:
    older = tmp_path / "hazina.db"
    with closing(sqlite3.connect(older, isolation_level=None)) as conn:
        migrate(conn, shipped()[:7])
    file = tmp_path / "hazina-20260302T060000Z.db"
    snapshots.copy(older, file)
    to = tmp_path / "new.db"
    backup.restore(file, to, {}, START + timedelta(days=1), replace=False)
    assert marks(to) == [(START_MS, True)]


# The whole program ------------------------------------------------------------------------------

OWNER, ADMIN, PHONE = "1001", "1000", "254712345678"


class Play:
    """A world with one owner; Hazina is restored from a backup while the bank carries on."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.settings = self.world.settings.model_copy(
            update={"admin_ids": frozenset({ADMIN})}
        )
        self.said = 0

    async def open(self) -> None:
        def seed(tx: StoreTx) -> None:
            add_partner(tx, Partner("FINSAFE"), Money(100_000_00), Money(0))
            amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, Phone(PHONE), None, "en")
            tx.people.link("terminal", OWNER, amina)

        await self.world.open()
        await self.world.app.database.write(seed)

    async def says(self, *lines: str) -> None:
        for line in lines:
            self.said += 1
            self.world.submit(event_from_line(OWNER, f"e-{self.said}", line))
            await self.world.settle()

    async def types_its_code(self) -> None:
        code = re.search(r"Code (\d{6})", self.world.sms.texts[PHONE][-1])
        assert code is not None
        await self.says(code[1])

    async def back_to(self, file: Path) -> list[str]:
        """Restore as after losing the machine; return the log lines about the restore."""
        await self.world.close()
        database = self.world.settings.database
        backup.restore(file, database, {}, self.world.clock.now(), replace=True)
        logged: list[str] = []
        with full_log(logged.append):
            await self.world.open()
            await self.world.settle()
        return [line for line in logged if "restored from a backup" in line]

    def backup(self) -> Path:
        database = self.world.settings.database
        return backup.make(database, database.parent / "b", {}, self.world.clock.now())

    @property
    def reference(self) -> str:
        """The reference of the only purchase, as its owner read it."""
        found = re.search(r"FL-[0-9A-Z]{6}", self.heard(OWNER))
        assert found is not None
        return found[0]

    def heard(self, address: str) -> str:
        """Return everything an account was shown."""
        return "\n".join(
            shown.content.text
            for shown in self.world.terminal.messages.values()
            if shown.address == address
        )

    async def state(self) -> str:
        newest = await self.world.app.database.read(lambda tx: tx.purchases.newest())
        assert newest is not None
        return newest.state.value


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    play = Play(tmp_path)
    await play.open()
    await play.says("/float", "5000", "1")
    yield play
    await play.world.close()


async def test_a_purchase_that_the_old_desk_went_on_with_is_bought_once(play: Play) -> None:
    world = play.world
    world.bank.arm(parse_fault("slow 15s"), "token", 1)
    await play.types_its_code()
    file = play.backup()
    assert await play.state() == "AUTHORISED"
    await world.advance(20)
    assert (await play.state(), world.bank.calls("float")) == ("SUCCEEDED", 1)

    (logged,) = await play.back_to(file)
    assert await play.state() == "UNKNOWN"
    assert play.reference in logged
    assert play.reference in play.heard(OWNER).rpartition("we cannot tell yet")[0]
    assert "1 float purchase (/pending)" in play.heard(ADMIN)
    await world.restart()
    await world.advance(3600)
    assert (await play.state(), world.bank.calls("float")) == ("SUCCEEDED", 1)
    assert play.heard(ADMIN).count("was restored") == 1


async def test_a_code_that_the_old_desk_took_does_not_pass_again(play: Play) -> None:
    file = play.backup()
    assert await play.state() == "OTP_SENT"
    await play.types_its_code()
    await play.world.advance(20)
    assert (await play.state(), play.world.bank.calls("float")) == ("SUCCEEDED", 1)

    await play.back_to(file)
    await play.types_its_code()
    await play.world.advance(3600)
    assert (await play.state(), play.world.bank.calls("float")) == ("CANCELLED", 1)
    assert "may have been bought" in play.heard(OWNER)
    assert play.reference in play.heard(ADMIN)
