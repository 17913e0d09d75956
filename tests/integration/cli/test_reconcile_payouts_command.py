"""``hazina reconcile-payouts`` with a file: what it prints, settles and refuses."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import main
from tests.kit.batch_sender import BatchSender
from tests.kit.payout_payer import AMOUNT, NO_READABLE_ANSWER, RECEIPT, PayoutPayer, S, in_state
from tests.kit.plain_store import PlainStore, connect

HEADER = "Receipt No.,Completion Time,Details,Transaction Status,Withdrawn,Other Party Info"
STRANGE = "SG9999999Z,02/03/2026 10:00,Business Payment to Customer,Completed,-25.00,"
CHARGE = "SG9999999Z,02/03/2026 10:00,Business Payment Charge,Completed,-5.00,"
DAY = "2026-03-02"


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE", str(tmp_path / "hazina.db"))
    return tmp_path


def unknown_payout(desk: Path) -> tuple[str, str]:
    """An owner's payout whose order nobody answered, and its line on the statement."""
    store = PlainStore(desk / "hazina.db")
    payer = PayoutPayer(store)
    payer.channel = "telegram"
    store.do(lambda tx: tx.people.link("telegram", "1", payer.person.id))
    payer.fund()
    payer.lift_the_limit_of_new_numbers()
    reference = in_state(payer, S.UNKNOWN)
    phone = payer.get(reference).recipient.msisdn
    store.conn.execute("COMMIT")
    store.conn.close()
    line = f"{RECEIPT},02/03/2026 09:00,Business Payment,Completed,-{AMOUNT.whole_units},{phone}"
    return reference, line


def unknown_rows_of_a_file(desk: Path) -> tuple[str, list[str]]:
    """A file of payouts, none of whose orders anybody answered, and its lines on the statement."""
    store = PlainStore(desk / "hazina.db")
    sender = BatchSender(store)
    sender.channel = "telegram"
    store.do(lambda tx: tx.people.link("telegram", "1", sender.person.id))
    sender.fund()
    sender.lift_the_limit_of_new_numbers()
    reference = sender.running(*(AMOUNT.whole_units,) * 2)
    lines = []
    for number, claimed in enumerate(sender.scan()[0]):
        submitting = sender.begin(claimed)
        assert submitting is not None
        sender.answered(submitting, NO_READABLE_ANSWER)
        lines.append(
            f"SG000000{number}X,02/03/2026 09:00,Business Payment,Completed,"
            f"-{AMOUNT.whole_units},{claimed.recipient.msisdn}"
        )
    assert len(lines) == 2
    store.conn.execute("COMMIT")
    store.conn.close()
    return reference, lines


def compare(desk: Path, *lines: str, day: str = DAY) -> Result:
    (desk / "statement.csv").write_text("\n".join((HEADER, *lines)))
    return CliRunner().invoke(main, ["reconcile-payouts", "statement.csv", "--day", day])


def test_an_unknown_payout_that_the_statement_shows_is_paid_and_its_owner_told(
    desk: Path,
) -> None:
    reference, line = unknown_payout(desk)
    result = compare(desk, line)
    assert result.exit_code == 0, result.output
    assert f"{DAY}  agrees  1 payments, 1 ours, out KES 1,500" in result.output
    assert f"{reference}  is paid: the statement shows it" in result.output
    with closing(connect(desk / "hazina.db")) as conn:
        told = [row[0] for row in conn.execute("SELECT text FROM outbox ORDER BY id")]
    assert [f"M-PESA receipt {RECEIPT}" in text for text in told] == [True, False]
    assert told[1].endswith("Paid.")
    again = compare(desk, line)
    assert (again.exit_code, "is paid" in again.output) == (0, False)


def test_a_file_all_of_whose_rows_one_statement_shows_is_done_and_its_maker_told_once(
    desk: Path,
) -> None:
    reference, lines = unknown_rows_of_a_file(desk)
    result = compare(desk, *lines)
    assert result.exit_code == 0, result.output
    with closing(connect(desk / "hazina.db")) as conn:
        ((state,),) = conn.execute(
            "SELECT state FROM wallet_transactions WHERE reference = ?", [reference]
        )
        told = [row[0] for row in conn.execute("SELECT text FROM outbox ORDER BY id")]
    assert state == "DONE"
    assert [text.startswith(f"{reference}: everything was paid") for text in told] == [True, False]
    assert "2 paid, 0 not paid, 0 to go" in told[1]


def test_a_payment_of_nobody_here_and_the_charges_are_printed(desk: Path) -> None:
    result = compare(desk, STRANGE, CHARGE)
    assert result.exit_code == 1, result.output
    assert f"{DAY}  differs  1 payments, 0 ours" in result.output
    assert "KES 25  unknown debit: M-PESA receipt SG9999999Z" in result.output
    assert "charges on the statement: KES 5" in result.output
    assert compare(desk, STRANGE, CHARGE).output == result.output


def test_a_day_without_payouts_agrees_with_an_empty_statement(desk: Path) -> None:
    result = compare(desk)
    assert (result.exit_code, "agrees  0 payments" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,02/03/2026 10:00,,Completed,-25.00,", "line 2"),
        ("SG9999999Z,yesterday,,Completed,-25.00,", "line 2"),
        ("SG9999999Z,02/03/2026 10:00,,Completed,-much,", "line 2"),
    ],
)
def test_a_file_that_is_no_statement_is_refused(desk: Path, line: str, said: str) -> None:
    result = compare(desk, line)
    assert result.exit_code == 2
    assert f"statement.csv: {said}" in result.output


@pytest.mark.parametrize("day", ["1999-12-31", "9999-12-31"])
def test_a_day_that_is_none_of_ours_is_refused(desk: Path, day: str) -> None:
    result = compare(desk, day=day)
    assert (result.exit_code, f"{day}: not a day of ours" in result.output) == (2, True)
