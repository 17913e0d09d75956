"""What two processes with a database in common owe each other: fresh settings, whole chains."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from services.domain.fees import Fee, FeeKind
from services.domain.ledger import Account, AccountKind, opening_balance
from services.domain.limits import EVERYBODY
from services.domain.money import Money
from services.domain.notification import ChatMode, NotificationKind, NotificationPreference
from services.domain.partner import Partner, Role
from storage.sqlite.empty_database import empty_database
from storage.time.clock_step import shift_times
from storage.time.milliseconds import to_ms
from storage.transaction import StoreTx
from tests.kit.plain_store import OTHER_PHONE, PHONE, START, connect

T = TypeVar("T")


class Process:
    """A writer with a connection and caches of its own."""

    def __init__(self, path: Path) -> None:
        self.conn = connect(path)
        self.tx = StoreTx(self.conn)
        self.sql: list[str] = []
        self.conn.set_trace_callback(self.sql.append)

    def do(self, function: Callable[[StoreTx], T]) -> T:
        """Run and commit one function, as the writer would."""
        self.sql.clear()
        self.conn.execute("BEGIN IMMEDIATE")
        self.tx.begin(START)
        try:
            result = function(self.tx)
        except Exception:
            self.tx.forget()
            self.conn.execute("ROLLBACK")
            raise
        self.conn.execute("COMMIT")
        return result

    def ran(self, part: str) -> int:
        """How many statements of the last function had this in them."""
        return sum(part in sql for sql in self.sql)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[Process, Process]]:
    path = tmp_path / "hazina.db"
    path.write_bytes(empty_database())
    one, other = Process(path), Process(path)
    one.do(set_up)
    yield one, other
    one.conn.close()
    other.conn.close()


def set_up(tx: StoreTx) -> None:
    tx.people.add_partner(Partner("DEMO"))
    tx.ledger.open_accounts("DEMO", AccountKind, "KES")
    amina = tx.people.add_person("DEMO", "Amina", Role.OWNER, PHONE, None, "en")
    tx.people.link("telegram", "77", amina)


# Caches -------------------------------------------------------------------------------------


def amina_id(tx: StoreTx) -> int:
    (amina,) = tx.people.of("DEMO")
    return amina.id


DIGEST = NotificationKind.DIGEST
READS: dict[str, Callable[[StoreTx], object]] = {
    "person": lambda tx: tx.people.at("telegram", "77"),
    "stranger": lambda tx: tx.people.at("telegram", "78"),
    "partner": lambda tx: tx.people.partner("DEMO"),
    "limit": lambda tx: tx.limits.find("float.day", EVERYBODY),
    "fee": lambda tx: tx.fees.in_force("DEMO", FeeKind.TRANSFER),
    "preference": lambda tx: tx.notification_preferences.get("DEMO", DIGEST),
}
CHANGES: list[tuple[str, Callable[[StoreTx], object]]] = [
    ("person", lambda tx: tx.people.set_language(amina_id(tx), "sw")),
    ("person", lambda tx: tx.people.set_phone(amina_id(tx), OTHER_PHONE)),
    ("person", lambda tx: tx.people.set_email(amina_id(tx), "a@b.example")),
    ("person", lambda tx: tx.people.unlink("telegram", "77")),
    ("person", lambda tx: tx.people.add_partner(Partner("DEMO", suspended=True))),
    ("person", lambda tx: tx.people.add_person("DEMO", "Amina", Role.VIEWER, PHONE, None, "en")),
    ("stranger", lambda tx: tx.people.link("telegram", "78", amina_id(tx))),
    ("partner", lambda tx: tx.people.add_partner(Partner("DEMO", suspended=True))),
    ("limit", lambda tx: tx.limits.set_from_now("float.day", Money(5_000), "admin")),
    ("fee", lambda tx: tx.fees.set("DEMO", Fee(FeeKind.TRANSFER, fixed=Money(7)), "admin")),
    (
        "preference",
        lambda tx: tx.notification_preferences.set(
            "DEMO", NotificationPreference(DIGEST, ChatMode.OFF, sms=True, owners=False)
        ),
    ),
]


@pytest.mark.parametrize(("what", "change"), CHANGES, ids=[f"{n}" for n in range(len(CHANGES))])
def test_a_change_is_seen_by_the_next_function_of_every_process(
    processes: tuple[Process, Process], what: str, change: Callable[[StoreTx], object]
) -> None:
    one, other = processes
    before = one.do(READS[what])
    assert other.do(READS[what]) == before
    other.do(change)
    after = other.do(READS[what])
    assert after != before, "the test would prove nothing"
    assert one.do(READS[what]) == after


@pytest.mark.parametrize("what", READS)
def test_what_nobody_has_changed_is_asked_for_once(
    processes: tuple[Process, Process], what: str
) -> None:
    one, _ = processes
    one.do(READS[what])

    def twice(tx: StoreTx) -> None:
        READS[what](tx)
        READS[what](tx)

    one.do(twice)
    assert one.ran("SELECT") == one.ran("FROM cache_versions") == 1


def test_a_function_sees_its_own_changes(processes: tuple[Process, Process]) -> None:
    one, _ = processes

    def change(tx: StoreTx) -> tuple[object, object]:
        before = tx.limits.find("float.day")
        tx.limits.set_from_now("float.day", Money(5_000), "admin")
        return before, tx.limits.find("float.day")

    assert one.do(change) == (None, Money(5_000))
    assert one.do(READS["limit"]) == Money(5_000)


def test_a_change_that_was_rolled_back_is_seen_by_nobody(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes

    def fail(tx: StoreTx) -> None:
        tx.limits.set_from_now("float.day", Money(5_000), "admin")
        assert tx.limits.find("float.day") == Money(5_000)
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        one.do(fail)
    assert one.do(READS["limit"]) is None
    # The other's change raises the version to the number that the failed one had.
    other.do(lambda tx: tx.limits.set_from_now("float.day", Money(6_000), "admin"))
    assert one.do(READS["limit"]) == Money(6_000)


def test_settings_that_the_clock_has_moved_are_read_again(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes
    in_an_hour = to_ms(START + timedelta(hours=1))
    one.do(lambda tx: tx.limits.set("float.day", in_an_hour, Money(5_000), "admin"))
    assert one.do(READS["limit"]) is None
    was = to_ms(START + timedelta(hours=2))
    other.do(lambda tx: shift_times(tx.conn, was, to_ms(START) - was))
    assert one.do(READS["limit"]) == Money(5_000)


def test_who_takes_the_next_number_of_a_fee_waits_for_others_first(
    processes: tuple[Process, Process],
) -> None:
    one, _ = processes
    one.do(CHANGES[-2][1])
    first, second, *_ = (sql for sql in one.sql if not sql.startswith("BEGIN"))
    assert first.startswith("UPDATE cache_versions")
    assert second.startswith("INSERT INTO fee_versions")


# The audit log ------------------------------------------------------------------------------


def test_two_processes_write_one_chain(processes: tuple[Process, Process]) -> None:
    one, other = processes
    for number, process in enumerate((one, one, other, one, other, other)):
        process.do(lambda tx, n=number: tx.audit.add("DEMO", "amina", "act", f"about {n}"))
    assert [row.n for row in one.do(lambda tx: tx.audit.newest(10))] == [6, 5, 4, 3, 2, 1]
    assert one.do(lambda tx: tx.audit.chain_breaks()) == []
    assert one.do(lambda tx: tx.invariants.violations()) == []


def test_the_end_of_a_chain_is_taken_before_it_is_read(
    processes: tuple[Process, Process],
) -> None:
    """The last row may be another's that has not committed; whoever updates the head first makes
    the others wait."""
    one, _ = processes
    one.do(lambda tx: tx.audit.add("DEMO", "amina", "act", "about"))
    head, row, digest = (sql for sql in one.sql if "audit_" in sql)
    assert head.startswith("INSERT INTO audit_heads")
    assert row.startswith("INSERT INTO audit_log")
    assert digest.startswith("UPDATE audit_heads")


def test_an_act_that_was_rolled_back_leaves_its_number_to_the_next(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes

    def fail(tx: StoreTx) -> None:
        tx.audit.add("DEMO", "amina", "act", "about")
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        one.do(fail)
    other.do(lambda tx: tx.audit.add("DEMO", "amina", "act", "about"))
    assert [row.n for row in one.do(lambda tx: tx.audit.newest(10))] == [1]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_heads SET n = n + 1",
        "UPDATE audit_heads SET hash = 'x'",
        "DELETE FROM audit_heads",
        "INSERT INTO audit_heads VALUES ('HOUSE', 1, 'x')",
    ],
)
def test_a_head_that_is_not_the_last_row_is_found(
    processes: tuple[Process, Process], harm: str
) -> None:
    one, _ = processes
    one.do(lambda tx: tx.audit.add("DEMO", "amina", "act", "about"))
    one.do(lambda tx: tx.conn.execute(harm))
    (found,) = one.do(lambda tx: tx.invariants.violations())
    assert "is not its last row" in found


# The books ----------------------------------------------------------------------------------


WALLET, FLOAT = (Account("DEMO", kind) for kind in (AccountKind.WALLET, AccountKind.FLOAT))
NUMBERED = (
    "INSERT INTO transfers (seq, id, operation, phase, debit_partner, debit_kind, credit_partner,"
    " credit_kind, currency, amount_cents, code, booked_at, debit_move, credit_move)"
    " VALUES (?, ?, 'x', 'single', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 100, 'opening', 0,"
    " ?, ?)"
)


def book(process: Process, *values: object) -> None:
    process.do(lambda tx: tx.conn.execute(NUMBERED, values))


@pytest.fixture
def funded(processes: tuple[Process, Process]) -> tuple[Process, Process]:
    """The wallet holds 1,000 shillings, by its first move."""
    processes[0].do(lambda tx: tx.ledger.book(opening_balance("DEMO", WALLET.kind, Money(100_000))))
    return processes


def test_two_processes_book_in_turn(funded: tuple[Process, Process]) -> None:
    one, other = funded
    leg = opening_balance("DEMO", WALLET.kind, Money(100))
    for number, process in enumerate((one, other, other, one)):
        process.do(lambda tx, n=number: tx.ledger.book(replace(leg, id=f"leg {n}")))
    assert one.do(lambda tx: tx.ledger.balance(WALLET)).posted == Money(100_400)
    assert one.do(lambda tx: tx.invariants.violations()) == []


def test_the_order_of_numbers_need_not_be_the_order_of_booking(
    funded: tuple[Process, Process],
) -> None:
    """Writers draw a number each before either of them commits."""
    one, other = funded
    book(other, 20, "drawn second", 2, 1)
    book(one, 10, "drawn first", 3, 2)
    assert one.do(lambda tx: tx.ledger.balance(FLOAT)).posted == Money(200)
    assert one.do(lambda tx: tx.invariants.violations()) == []


@pytest.mark.parametrize(
    "moves",
    [(1, 1), (3, 1), (2, 0), (2, 2), (None, 1), (2, None)],
    ids=lambda moves: f"wallet {moves[0]}, float {moves[1]}",
)
def test_a_transfer_bears_the_next_number_in_both_accounts(
    funded: tuple[Process, Process], moves: tuple[int | None, int | None]
) -> None:
    """A number that another writer has used meanwhile is refused too."""
    one, _ = funded
    with pytest.raises(sqlite3.IntegrityError, match="sum of transfers"):
        book(one, 7, "leg", *moves)
    assert one.do(lambda tx: tx.ledger.balance(WALLET)).posted == Money(100_000)
    book(one, 7, "leg", 2, 1)


# Daily work ---------------------------------------------------------------------------------


def test_one_of_two_processes_marks_a_day_done(processes: tuple[Process, Process]) -> None:
    done = [
        process.do(lambda tx, day=day: tx.daily.done("digest", day))
        for day in ("2026-03-02", "2026-03-03")
        for process in processes
    ]
    assert done == [True, False, True, False]


def test_one_of_two_processes_sends_a_partners_digest(processes: tuple[Process, Process]) -> None:
    one, _ = processes
    one.do(CHANGES[-1][1])
    due = [
        process.do(lambda tx: tx.notification_preferences.digests_due("2026-03-02", 9))
        for process in processes
    ]
    assert due == [["DEMO"], ["DEMO"]]
    claimed = [
        process.do(lambda tx: tx.notification_preferences.claim_digest("DEMO", "2026-03-02"))
        for process in processes
    ]
    assert claimed == [True, False]
