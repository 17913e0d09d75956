"""The table of rights in the docs is the one that is declared."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from bot.cli.main import main

ROLES = Path(__file__).parents[3] / "docs" / "roles.md"


def test_the_docs_have_the_declared_table_of_rights() -> None:
    printed = CliRunner().invoke(main, ["flows", "--rights"])
    assert printed.exit_code == 0
    assert printed.output in ROLES.read_text(encoding="utf-8")
