"""What two processes with a database in common owe each other: fresh settings, whole chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from services.domain.ledger import Account, AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner, Role
from storage.sqlite.empty_database import empty_database
from storage.transaction import SqliteTx
from tests.kit.plain_store import PHONE, START, connect

T = TypeVar("T")


class Process:
    """A writer with a connection and caches of its own."""

    def __init__(self, path: Path) -> None:
        self.conn = connect(path)
        self.tx = SqliteTx(self.conn)
        self.sql: list[str] = []
        self.conn.set_trace_callback(self.sql.append)

    def do(self, function: Callable[[SqliteTx], T]) -> T:
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


def set_up(tx: SqliteTx) -> None:
    tx.people.add_partner(Partner("DEMO"))
    tx.ledger.open_accounts("DEMO", AccountKind, "KES")
    amina = tx.people.add_person("DEMO", "Amina", Role.OWNER, PHONE, None, "en")
    tx.people.link("telegram", "77", amina)


# The audit log ------------------------------------------------------------------------------


def test_two_processes_write_one_chain(processes: tuple[Process, Process]) -> None:
    one, other = processes
    for number, process in enumerate((one, one, other, one, other, other)):
        process.do(lambda tx, n=number: tx.audit.add("DEMO", "amina", "act", f"about {n}"))
    assert [row.n for row in one.do(lambda tx: tx.audit.newest(10))] == [6, 5, 4, 3, 2, 1]
    assert one.do(lambda tx: tx.audit.chain_breaks()) == []
    assert one.do(lambda tx: tx.ledger.violations()) == []


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

    def fail(tx: SqliteTx) -> None:
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
    (found,) = one.do(lambda tx: tx.ledger.violations())
    assert "is not its last row" in found


# The books ----------------------------------------------------------------------------------


def test_two_processes_book_in_turn(processes: tuple[Process, Process]) -> None:
    one, other = processes
    for number, process in enumerate((one, other, other, one)):
        leg = opening_balance("DEMO", AccountKind.WALLET, Money(100 + number))
        process.do(lambda tx, leg=leg, n=number: tx.ledger.book(replace(leg, id=f"leg {n}")))
    wallet = Account("DEMO", AccountKind.WALLET)
    assert one.do(lambda tx: tx.ledger.balance(wallet)).posted == Money(406)
    assert one.do(lambda tx: tx.ledger.violations()) == []
