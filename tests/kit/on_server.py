"""The server on which tests that can run on either engine have their databases.

``pytest --on-postgres`` starts one; without it, tests use SQLite.
"""

from __future__ import annotations

import os

from services.domain.database import DatabaseServer

VARIABLE = "HAZINA_TEST_SERVER"  # inherited by the processes of pytest-xdist


def test_server() -> DatabaseServer | None:
    dsn = os.environ.get(VARIABLE)
    return None if dsn is None else DatabaseServer(dsn)


test_server.__test__ = False  # type: ignore[attr-defined]  # its name does not make it a test
