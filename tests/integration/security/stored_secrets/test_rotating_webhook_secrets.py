"""What signs partners' events is sealed for as long as the endpoint is there, so it is resealed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.security.keyring import Keyring
from tests.kit.secret_commands import NEW, OLD, hazina, kept

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def endpoint(database: Path, env: pytest.MonkeyPatch) -> Path:
    """One endpoint, sealed with the old key, and no other secret."""
    kept()
    hazina("secrets", "remove", "NCBA_PASSWORD")
    with closing(sqlite3.connect(database)) as conn, conn:
        conn.execute(
            "INSERT INTO webhook_endpoints (id, partner, url, secret, created_by, created_at)"
            " VALUES ('we_1', 'HOUSE', 'https://duka.co.ke/', ?, 'person:1', 0)",
            (Keyring.read(OLD).seal(SECRET),),
        )
    return database


def sealed(database: Path) -> str:
    with closing(sqlite3.connect(database)) as conn:
        return str(conn.execute("SELECT secret FROM webhook_endpoints").fetchone()[0])


def test_after_a_rotation_the_old_key_is_not_needed(
    endpoint: Path, env: pytest.MonkeyPatch
) -> None:
    env.setenv("HAZINA_KEYS", f"{NEW},{OLD}")
    assert hazina("secrets", "rotate").output == "1 sealed with key 2\n"
    assert Keyring.read(NEW).unseal(sealed(endpoint)) == SECRET


def test_one_that_cannot_be_opened_stops_the_rotation(
    endpoint: Path, env: pytest.MonkeyPatch
) -> None:
    before = sealed(endpoint)
    env.setenv("HAZINA_KEYS", NEW)
    result = hazina("secrets", "rotate")
    assert result.exit_code == 2
    assert "the secret of webhook we_1" in result.output
    assert sealed(endpoint) == before
