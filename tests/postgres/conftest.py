"""A server of each file's own, and in it a schema of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from services.domain.database import DatabaseServer
from storage.postgres.simulated import ServedDatabase
from tests.kit.postgres_server import postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[DatabaseServer]:
    with postgres_server() as running:
        yield DatabaseServer(running.dsn)


@pytest.fixture
def served(server: DatabaseServer) -> Iterator[ServedDatabase]:
    with closing(ServedDatabase(server)) as database:
        yield database
