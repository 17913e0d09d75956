"""Credentials are listed without their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.secret_commands import NEW, OLD, OTHER, VALUE, changed, hazina, kept


def test_a_list_says_name_moment_and_key_and_no_value(env: pytest.MonkeyPatch) -> None:
    kept()
    env.setenv("HAZINA_KEYS", f"{NEW},{OLD}")
    kept("SMTP_PASSWORD", OTHER)
    result = hazina("secrets", "list")
    first, second = result.output.splitlines()
    assert first.startswith("NCBA_PASSWORD  set 20")
    assert first.endswith("UTC  key 1")
    assert second.endswith("UTC  key 2")
    assert VALUE not in result.output
    assert OTHER not in result.output


def test_a_list_of_nothing_makes_neither_database_nor_key(tmp_path: Path) -> None:
    assert hazina("secrets", "list").output == ""
    assert list(tmp_path.iterdir()) == []


def test_a_list_shows_nothing_of_what_was_put_in_unsealed(database: Path) -> None:
    kept()
    changed(database, "UPDATE secrets SET sealed = ?", f"plain:{VALUE}")
    assert "key ?" in hazina("secrets", "list").output
    assert VALUE not in hazina("secrets", "list").output
