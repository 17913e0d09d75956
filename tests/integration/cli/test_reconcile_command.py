"""``hazina reconcile`` with a file: what it prints and writes, and its error messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import main

HEADER = "ValueDate,CreditDebitFlag,CreditAmount,DebitAmount,InstrumentReferenceNumber,Narrative"
CHARGE = "02032026,D,,25.00,FT1,=BANK CHARGES"


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE", str(tmp_path / "hazina.db"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["reconcile", *arguments])


def test_what_is_left_over_is_printed_and_written(desk: Path) -> None:
    (desk / "statement.csv").write_text(f"{HEADER}\n{CHARGE}\n")
    result = run("statement.csv", "--csv", "left.csv")
    assert result.exit_code == 1, result.output
    assert "2026-03-02  open  1 lines, 0 ours" in result.output
    assert "KES 25  unknown debit" in result.output
    written = (desk / "left.csv").read_text()
    assert "unknown_debit" in written
    assert "'=BANK" not in written.splitlines()[1].split(",")[0]
    assert run("statement.csv").output == result.output


def test_a_day_without_anything_left_is_closed(desk: Path) -> None:
    (desk / "statement.csv").write_text(f"{HEADER}\n")
    result = run("statement.csv", "--day", "2026-03-02")
    assert (result.exit_code, result.output.count("closed")) == (0, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [("nonsense", "statement.csv: no line has the columns"), (f"{HEADER}\nx,y\n", "line 2")],
)
def test_a_file_that_is_no_statement_is_refused(desk: Path, content: str, said: str) -> None:
    (desk / "statement.csv").write_text(content)
    result = run("statement.csv")
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("day", ["1999-12-31", "2100-01-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_of_ours_is_refused(desk: Path, day: str) -> None:
    (desk / "statement.csv").write_text(f"{HEADER}\n")
    result = run("statement.csv", "--day", day)
    assert (result.exit_code, f"{day}: not a day of ours" in result.output) == (2, True)


def test_without_a_file_or_a_bank_it_says_so() -> None:
    result = run()
    assert result.exit_code == 2
    assert "NCBA gave no statement: Open Banking is not set up" in result.output


def test_a_file_that_is_not_there_is_named() -> None:
    result = run("nowhere.csv")
    assert result.exit_code == 2
    assert "nowhere.csv" in result.output
