"""This build continues the databases of every earlier migration: their open conversations, payments
in flight, queued messages and sealed secrets."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bot.scripts import report
from bot.scripts.parse import load
from bot.scripts.player import LineFailed, Player
from bot.security import backup
from bot.security.keyring import Keyring, read_keys
from tests.guard.kept import Kept, ReopenedStage, every
from tests.guard.make import balances, has_table, operations, rows, sessions, shipped, waiting

EVERY = pytest.mark.parametrize("kept", every(), ids=lambda kept: kept.name)
RAM_DISK = Path("/dev/shm")
GREETING = "zzz"  # a valid answer to free-text questions only
BY_EVIDENCE = ("PENDING", "SENDING", "SEND_UNKNOWN", "UNKNOWN")  # top-ups that a payment settles
HELD = ("SUBMITTING", "ACCEPTED", "UNKNOWN")  # purchases and payouts that two admins settle
# Their outcome may arrive before the person writes.
WAITS = ("topup.push", "float.buy", "pay.send", "batch.run")
OVER = {
    "topup": {
        "PAID",
        "PAID_LATE",
        "NOT_PAID",
        "REJECTED",
        "OTP_EXPIRED",
        "OTP_LOCKED",
        "CANCELLED",
    },
    "b2c_float_purchase": {
        "SUCCEEDED",
        "FAILED",
        "REFUSED",
        "CANCELLED",
        "OTP_EXPIRED",
        "OTP_LOCKED",
    },
    "disbursement": {
        "PAID",
        "RETURNED",
        "REFUSED",
        "CANCELLED",
        "OTP_EXPIRED",
        "OTP_LOCKED",
    },
    "payout_batch": {
        "DONE",
        "STOPPED",
        "REFUSED",
        "CANCELLED",
        "OTP_EXPIRED",
        "OTP_LOCKED",
    },
    "adjustment": {"POSTED"},
    "reversal": {"POSTED"},
    "paybill_payment": {"CREDITED"},
}


@pytest.fixture(autouse=True)
def databases_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    if RAM_DISK.is_dir():
        monkeypatch.setattr(tempfile, "tempdir", str(RAM_DISK))


def test_there_is_one_of_every_migration() -> None:
    assert [kept.expected["migration"] for kept in every()] == list(range(1, shipped() + 1)), (
        "a migration without its database: `python -m tests.guard.make` makes the newest one"
    )


@EVERY
def test_it_holds_what_its_build_left(kept: Kept, tmp_path: Path) -> None:
    with kept.read(tmp_path) as conn:
        found = {
            "balances": balances(conn),
            "operations": operations(conn),
            "sessions": sessions(conn),
            "waiting": waiting(conn),
            "rows": rows(conn),
        }
    assert found == {name: kept.expected[name] for name in found}


@EVERY
async def test_it_lives_on(kept: Kept, tmp_path: Path) -> None:
    with kept.read(tmp_path) as conn:
        lines = [*head(kept), *pay(conn), *talk(kept), *type_codes(kept, conn)]
        lines += [*thaw(kept, conn), *work(kept, conn)]
    script = tmp_path / f"{kept.name}.chat"
    script.write_text("\n".join([*lines, ""]), encoding="utf-8")
    stage = ReopenedStage(kept, GREETING)
    try:
        await Player(load(script), stage).play()
    except LineFailed as failed:
        pytest.fail(report.failure(failed), pytrace=False)
    left = stage.left
    assert left.faults == 0
    assert left.flows == goes_on(kept, left.flows)
    assert [one for one in left.operations if one[2] not in OVER[one[1]]] == []
    assert codes(kept.expected.get("sealed", {}).values()) <= codes(left.texts)
    assert opened(kept, left.secrets) == kept.expected.get("secrets", {})


@pytest.mark.parametrize(
    "kept", [kept for kept in every() if kept.sealed_backup], ids=lambda kept: kept.name
)
def test_sealed_backup_is_sound_and_restores(kept: Kept, tmp_path: Path) -> None:
    sealed = kept.sealed_backup
    assert sealed is not None
    keys = read_keys((kept.folder / "backup.keys").read_text())
    assert backup.verify(sealed, keys, tmp_path / "beside") == []
    restored = tmp_path / "restored.db"
    backup.restore(sealed, restored, keys, kept.at, replace=False)
    conn = sqlite3.connect(restored)
    found = balances(conn), operations(conn)
    conn.close()
    assert found == (kept.expected["balances"], kept.expected["operations"])


def names_of(kept: Kept) -> dict[str, str]:
    """Account → name. Accounts were numbered in the order of the people who have one."""
    people = [line.split()[2] for line in kept.expected["givens"] if is_somebody(line)]
    return {str(number): name for number, name in enumerate(people, start=500_001)}


def is_somebody(line: str) -> bool:
    return line.startswith(("given person", "given admin"))


def head(kept: Kept) -> Iterator[str]:
    yield f"channels: {kept.expected['channel']}"
    yield "seed: 2"  # with the old seed the bank would reuse ids that it gave out then
    yield from kept.expected["givens"]
    yield from ("given admin zita", "given admin zoltan", "@audit ok", "@books")


def talk(kept: Kept) -> Iterator[str]:
    """Everybody with an open conversation sends a message and gets an answer."""
    yield "@advance 15s"  # queued messages go out before the next message
    for name in standing(kept):
        yield from ("bot*", f"{name}> {GREETING}", "bot< {*}")


def pay(conn: sqlite3.Connection) -> Iterator[str]:
    """Prompts that were not sent yet are sent and paid."""
    for (phone,) in conn.execute(
        "SELECT phone FROM wallet_transactions WHERE type = 'topup' AND state = 'CREATED'"
    ):
        yield f"@handset {phone} pays"


def type_codes(kept: Kept, conn: sqlite3.Connection) -> Iterator[str]:
    """Each person with a queued code types it correctly, and the latest purchase succeeds."""
    for row, text in kept.expected.get("sealed", {}).items():
        (phone,) = conn.execute("SELECT address FROM outbox WHERE id = ?", (row,)).fetchone()
        (name,) = (line.split()[2] for line in kept.expected["givens"] if f"phone {phone}" in line)
        (code,) = re.findall(r"Code ([0-9]{6})", text)
        yield from ("bot*", f"{name}> {code}", "@advance 10s", "@state float SUCCEEDED")


def thaw(kept: Kept, conn: sqlite3.Connection) -> Iterator[str]:
    """An owner of each partner whose payouts are frozen lets them go on."""
    if not has_table(conn, "recipients"):
        return
    frozen = conn.execute("SELECT partner FROM partner_wallets WHERE payouts_frozen_at IS NOT NULL")
    for (partner,) in frozen.fetchall():
        name, phone = first_owner(kept, partner)
        yield from ("bot*", f"{name}> /settings", "bot*", f"{name}> [thaw-payouts]")
        yield from (f"sms {phone}<~ Code {{thaw:[0-9]{{6}}}}", "bot*", f"{name}> {{thaw}}", "bot*")


def first_owner(kept: Kept, partner: str) -> tuple[str, str]:
    """Name and phone."""
    given = next(one for one in kept.expected["givens"] if f" of {partner} role owner " in one)
    (found,) = re.findall(r"person (\w+) .* phone ([0-9]+)", given)
    return found


def standing(kept: Kept) -> dict[str, str]:
    """Name → ``flow.node`` of the open conversation."""
    names = names_of(kept)
    return {names[account]: where for account, where in kept.expected["sessions"].items()}


def goes_on(kept: Kept, found: dict[str, str | None]) -> dict[str, str | None]:
    return {
        name: found.get(name) if where in WAITS else where.partition(".")[0]
        for name, where in standing(kept).items()
    }


def work(kept: Kept, conn: sqlite3.Connection) -> Iterator[str]:
    """Bring every open operation to its end, in the way it ends on a real day."""
    open_ones = conn.execute(
        "SELECT reference, type, state, phone, amount_cents, partner FROM wallet_transactions"
    ).fetchall()
    decided = list(proposals(conn))
    yield "@advance 3m"
    for reference, _ in decided:
        yield from approve(reference)
    for reference, kind, state, phone, cents, partner in open_ones:
        if reference in {about for _, about in decided}:
            continue
        if kind == "topup" and state in BY_EVIDENCE:
            account = reference.replace("-", "")
            yield f"@notify {phone} {cents // 100} ref 774451#{account}"
            yield "@answer 0"
        if kind in ("b2c_float_purchase", "disbursement") and state in HELD:
            yield from resolve(reference)
        if state == "AWAITING_APPROVAL":
            yield from decline(reference, first_owner(kept, partner)[0])
    yield from ("bot*", "@advance 95m", "bot*", "@audit ok", "@books")


def proposals(conn: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Reference and subject of each open proposal."""
    if has_table(conn, "proposals"):
        yield from conn.execute("SELECT id, about FROM proposals WHERE status = 'open'").fetchall()


def resolve(reference: str) -> Iterator[str]:
    yield from ("bot*", f"zoltan> /resolve {reference}", "bot*", "zoltan> [failed]")
    yield from ("bot*", "zoltan> The bank wrote that it never came in", "bot*", "zoltan> [yes]")
    yield "bot[zoltan]<~ {proposal:PR-[A-Z0-9]+}"
    yield from approve("{proposal}")


def approve(proposal: str) -> Iterator[str]:
    yield from ("bot*", "zita> /approvals", "bot*", f"zita> [{proposal}]", "bot*")
    yield from ("zita> [approve]", "bot*", "zita> [yes]")


def decline(reference: str, owner: str) -> Iterator[str]:
    yield from ("bot*", f"{owner}> /approve", "bot*", f"{owner}> [{reference}]", "bot*")
    yield f"{owner}> [no]"


def codes(texts: Iterable[str]) -> set[str]:
    return {code for text in texts for code in re.findall(r"Code [0-9]{6}", text)}


def opened(kept: Kept, sealed: dict[str, str]) -> dict[str, str | None]:
    keys = kept.folder / "keys"
    if not keys.exists():
        return {}
    ring = Keyring.read(keys.read_text())
    return {name: ring.unseal_secret(name, text) for name, text in sealed.items()}
