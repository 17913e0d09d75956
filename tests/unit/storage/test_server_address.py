"""Where a connection goes when Patroni says which node is the primary."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import conninfo

from services.domain.database import DatabaseServer
from storage.postgres import primary, server
from storage.postgres.primary import PORT, Primary

URLS = ("http://10.0.0.11:8008", "http://10.0.0.12:8008", "http://10.0.0.13:8008")
HOSTS = "10.0.0.11,10.0.0.12,10.0.0.13"


class Connected(Exception):
    """Instead of a connection: the address that was asked for."""


@pytest.fixture(autouse=True)
def nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three is the primary, and nobody connects."""

    def connect(address: str, **others: object) -> None:
        raise Connected(address)

    primary.primary_search.cache_clear()
    monkeypatch.setattr(primary, "find_primary", lambda urls: Primary("10.0.0.12", PORT))
    monkeypatch.setattr(psycopg, "connect", connect)


def asked_for(dsn: str, patroni: tuple[str, ...] = URLS) -> tuple[str, str]:
    """Host and port."""
    with pytest.raises(Connected) as connected:
        server.connect(DatabaseServer(dsn, patroni=patroni), "test")
    asked = conninfo.conninfo_to_dict(str(connected.value))
    return str(asked["host"]), str(asked["port"])


@pytest.mark.parametrize(
    ("hosts", "port"),
    [
        (HOSTS, "5432"),  # as libpq's own: each has the port that is left out
        ("10.0.0.11:6001,10.0.0.12:6002,10.0.0.13:6003", "6002"),
        ("10.0.0.11,10.0.0.12:6002,10.0.0.13", "6002"),
        ("10.0.0.11:6001,10.0.0.12,10.0.0.13:6003", "5432"),
        ("db.example.com:6000", "6000"),
        ("a.example.com:6000,b.example.com:6000", "6000"),
        ("a.example.com:6001,b.example.com:6002", "5432"),  # which of them it is, nothing says
    ],
)
def test_the_primary_is_reached_at_its_own_port(hosts: str, port: str) -> None:
    assert asked_for(f"postgresql://desk:secret@{hosts}/hazina") == ("10.0.0.12", port)


def test_one_port_may_stand_for_all() -> None:
    assert asked_for(f"postgresql:///hazina?host={HOSTS}&port=6000") == ("10.0.0.12", "6000")


def test_a_service_address_does_not_lead_elsewhere() -> None:
    dsn = f"postgresql:///hazina?host={HOSTS}&hostaddr={HOSTS}"
    with pytest.raises(Connected) as connected:
        server.connect(DatabaseServer(dsn, patroni=URLS), "test")
    assert "hostaddr" not in conninfo.conninfo_to_dict(str(connected.value))


def test_without_patroni_libpq_chooses_among_all() -> None:
    dsn = "postgresql://desk@10.0.0.11:6001,10.0.0.12:6002/hazina"
    assert asked_for(dsn, ()) == ("10.0.0.11,10.0.0.12", "6001,6002")


def test_nobody_is_connected_to_while_nobody_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primary, "find_primary", lambda urls: None)
    with pytest.raises(psycopg.OperationalError, match="no node says"):
        server.connect(DatabaseServer(f"postgresql://desk@{HOSTS}/hazina", patroni=URLS), "test")
