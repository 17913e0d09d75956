"""Where a world lives: in a temporary folder, or in a schema of its own on a server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.database import simulated_databases
from bot.simulation.world import Home
from services.domain.database import DatabaseServer


@contextmanager
def home(server: DatabaseServer | None = None, *, within: str | None = None) -> Iterator[Home]:
    """Gone with all that is in it when the block ends. ``within``: the folder of temporary folders.
    Raises ``DatabaseFault`` if the server has none to give."""
    if server is not None:
        with closing(simulated_databases.on_server(server)) as database:
            yield database
        return
    with tempfile.TemporaryDirectory(prefix="hazina-", dir=within) as folder:
        yield Path(folder)
