"""The database engine, chosen here and nowhere else: the rest of ``bot`` knows only protocols.

An engine is three modules of functions, which mypy compares with the protocols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.ports.database import DatabaseEngine
from services.ports.database_files import DatabaseFiles
from services.ports.simulated_databases import SimulatedDatabases
from storage.sqlite import engine as sqlite_engine
from storage.sqlite import simulated as sqlite_simulated
from storage.sqlite import snapshots as sqlite_files

if TYPE_CHECKING:
    from services.ports import Tx
    from storage.transaction import StoreTx

    def compared(tx: StoreTx) -> Tx:
        """Of a store that does not fit its protocol, mypy says here which one it is."""
        return tx


database_engine: DatabaseEngine = sqlite_engine
database_files: DatabaseFiles = sqlite_files
simulated_databases: SimulatedDatabases = sqlite_simulated
