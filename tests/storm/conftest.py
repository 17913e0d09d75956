"""Where the worlds of these tests live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.simulation.world import Home
from services.ports.simulated_databases import SimulatedDatabase
from tests.kit.copied_database import copied_home
from tests.kit.open_databases import simulated_database


@pytest.fixture
def world_home() -> Iterator[Home]:
    """A folder, or with ``--on-postgres`` a database on the server."""
    with copied_home() as place:
        yield place


@pytest.fixture
def world_database() -> Iterator[SimulatedDatabase]:
    """In memory, or with ``--on-postgres`` on the server."""
    with closing(simulated_database()) as database:
        yield database
