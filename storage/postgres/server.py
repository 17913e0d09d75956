"""How a server is reached."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection, conninfo

from services.domain.database import DatabaseServer
from storage.postgres.faults import NoPrimary
from storage.postgres.primary import Primary, find_primary, primary_search

# Advisory locks, each with a number for the schema, since a database may hold several desks.
MIGRATING = 7001
SERVING = 7002
RECOVERING = 7003
SERVE_ALONE = "SELECT pg_try_advisory_lock(%s, hashtext(current_schema()))"
SERVE_TOGETHER = "SELECT pg_try_advisory_lock_shared(%s, hashtext(current_schema()))"

START_MAX_S = 15.0  # that a start waits for a primary that answers
SETTLE_EVERY_S = 0.5

# Unless the address says otherwise. Times are in seconds; the last one in milliseconds. Keep-alives
# and ``tcp_user_timeout`` end a connection to a machine that is gone (facts: postgres 2).
DEFAULTS = {
    "connect_timeout": 3,
    "target_session_attrs": "read-write",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5_000,
}
# A frozen process must not keep others out for long: its locks end with its session.
SESSION = (
    "-c client_encoding=UTF8 -c jit=off -c statement_timeout=60s -c lock_timeout=3s"
    " -c idle_in_transaction_session_timeout=10s"
)


def connect(address: DatabaseServer, name: str) -> Connection[Any]:
    """A connection in autocommit mode; the server lists it as hazina's, with ``name``.

    Raises ``psycopg.OperationalError``, which may be ``NoPrimary``.
    """
    asked = conninfo.conninfo_to_dict(address.dsn)
    if address.patroni:
        asked |= _primary(address, asked)
    options = f"{SESSION} {asked.pop('options', '')}".strip()
    name = f"hazina {name}"
    where: dict[str, Any] = {"application_name": name, **DEFAULTS, **asked, "options": options}
    return psycopg.connect(conninfo.make_conninfo("", **where), autocommit=True)


def connect_at_start(address: DatabaseServer, name: str) -> Connection[Any]:
    """``connect``, but a failover in which no node is the primary yet is waited for, for
    ``START_MAX_S``. Blocks."""
    ends_at = time.monotonic() + START_MAX_S
    while True:
        try:
            return connect(address, name)
        except NoPrimary:
            if time.monotonic() > ends_at:
                raise
        time.sleep(SETTLE_EVERY_S)


def _primary(address: DatabaseServer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of several nodes the one that Patroni calls the primary: a leader whose Patroni is frozen
    takes connections beside the new one (facts: postgres 8)."""
    primary = primary_search(address.patroni).find()
    if primary is None:
        raise NoPrimary("no node says that it is the primary")
    return {"host": primary.host, "port": _port(primary, asked), "hostaddr": None}


def _port(primary: Primary, asked: Mapping[str, Any]) -> str | int:
    """Patroni's address tells only the host. The port is the one that the database's address has
    for that host, or for all: libpq takes ``a,b:6000`` as the ports ``,6000``."""
    hosts, ports = (str(asked.get(name) or "").split(",") for name in ("host", "port"))
    if len(set(ports)) == 1:
        return ports[0] or primary.port
    return dict(zip(hosts, ports, strict=False)).get(primary.host) or primary.port


def is_primary(address: DatabaseServer, conn: Connection[Any]) -> bool | None:
    """``None`` when no node says that it is the primary. Each asks for itself: a question that was
    under way already could be answered with what was true before this process was frozen."""
    if not address.patroni:
        return True
    primary = find_primary(address.patroni, conn.info.port)
    return None if primary is None else primary.host == conn.info.host


def is_true(conn: Connection[Any], statement: str, *parameters: object) -> bool:
    row = conn.execute(statement.encode(), parameters).fetchone()
    return row is not None and bool(row[0])
