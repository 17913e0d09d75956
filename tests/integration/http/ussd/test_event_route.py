"""The end of a session is counted once, after its commit, and has no other effect."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from bot.http.form import MEDIA_TYPE
from bot.http.request_limits import with_request_limits
from bot.http.ussd.africas_talking import AfricasTalking
from bot.http.ussd.routes import EVENT_BODY_MAX, UssdEndpoint, event_route
from bot.http.ussd.session_events import SessionEvents
from bot.observe.metrics import Metrics
from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.ussd_requests import CODE, EVENT, PHONE, SESSION, body

SECRET = "of-the-gateway_0123456789abcdefgh"
URL = f"http://desk/ussd/{SECRET}/events"
FORM = {"Content-Type": MEDIA_TYPE}


class Books:
    """What is kept of the sessions that have ended."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.database = database
        self.metrics = Metrics()

    def rows(self) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as conn:
            return conn.execute(
                "SELECT gateway, session, phone, network, code, status, hops, duration_ms,"
                " cost_cents, error FROM ussd_events ORDER BY session"
            ).fetchall()

    def at_rest(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.path.parent.iterdir())

    def counted(self, status: str, network: str) -> float | None:
        labels = {"status": status, "network": network}
        return self.metrics.registry.get_sample_value("hazina_ussd_sessions_total", labels)

    @property
    def cents(self) -> float | None:
        return self.metrics.registry.get_sample_value("hazina_ussd_cost_cents_total")


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    path = tmp_path / "hazina.db"
    database = await Database.open(blank_file(path), VirtualClock().now)
    yield Books(path, database)
    await database.close()


@pytest.fixture
async def client(books: Books) -> AsyncIterator[httpx.AsyncClient]:
    events = SessionEvents(books.database, books.metrics)
    endpoint = UssdEndpoint(SECRET, AfricasTalking([CODE]))
    app = with_request_limits([event_route(events.record, endpoint)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        yield client


async def test_an_event_is_kept_masked_although_its_session_is_not_known(
    client: httpx.AsyncClient, books: Books
) -> None:
    answer = await client.post(URL, data=EVENT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert books.rows() == [
        ("africas_talking", SESSION, "2547*****001", "63902", CODE, "success", 4, 41_250, 10, None)
    ]


async def test_nothing_that_was_typed_is_at_rest(client: httpx.AsyncClient, books: Books) -> None:
    said = {"errorMessage": f"no answer from https://desk/ussd/{SECRET} to 2*500*482913"}
    await client.post(URL, data=EVENT | said)
    assert books.rows()[0][-1] == "no answer from https://desk/ussd/ to 2*500*"
    for secret in ("482913", PHONE, SECRET):
        assert secret.encode() not in books.at_rest()


async def test_an_event_that_comes_again_changes_and_counts_nothing(
    client: httpx.AsyncClient, books: Books
) -> None:
    await client.post(URL, data=EVENT)
    again = await client.post(URL, data=EVENT | {"status": "Failed", "cost": "KES 9.00"})
    assert again.status_code == 200
    assert [row[5] for row in books.rows()] == ["success"]
    assert (books.counted("success", "safaricom"), books.cents) == (1, 10)
    assert books.counted("failed", "safaricom") is None


@pytest.mark.parametrize(
    ("code", "network"),
    [
        ("63902", "safaricom"),
        ("63903", "airtel"),
        ("63907", "telkom"),
        ("63999", "equitel"),
        ("99999", "sandbox"),
        ("", "other"),
        ("made-up", "other"),
    ],
)
async def test_a_session_is_counted_by_its_network(
    client: httpx.AsyncClient, books: Books, code: str, network: str
) -> None:
    await client.post(URL, data=EVENT | {"networkCode": code, "status": "Incomplete"})
    assert books.counted("incomplete", network) == 1


async def test_costs_are_added_up(client: httpx.AsyncClient, books: Books) -> None:
    for number, cost in enumerate(["KES 0.10", "KES 1.255", ""]):
        await client.post(URL, data=EVENT | {"sessionId": f"s{number}", "cost": cost})
    assert books.cents == 10 + 126


async def test_what_was_not_committed_is_said_and_not_counted(
    client: httpx.AsyncClient, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(function: Callable[[object], object], priority: object) -> object:
        raise OSError(f"no space for {PHONE}")

    with monkeypatch.context() as broken, structlog.testing.capture_logs() as lines:
        broken.setattr(books.database, "write", fails)
        assert (await client.post(URL, data=EVENT)).status_code == 503
    assert books.counted("success", "safaricom") is None
    assert [line["error"] for line in lines] == ["OSError"]
    assert PHONE not in str(lines)
    assert (await client.post(URL, data=EVENT)).status_code == 200
    assert books.counted("success", "safaricom") == 1


@pytest.mark.parametrize(
    "wire",
    [b"", b"\xff", body(EVENT, status="Done"), body(EVENT, serviceCode="*999#"), body(EVENT) * 2],
    ids=["empty", "bytes", "another-end", "another-code", "twice"],
)
async def test_what_cannot_be_read_is_refused_without_a_word(
    client: httpx.AsyncClient, books: Books, wire: bytes
) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await client.post(URL, content=wire, headers=FORM)
    assert (answer.status_code, answer.content) == (400, b"")
    assert books.rows() == []
    assert [line["event"] for line in lines] == ["ussd_event_unreadable"]
    assert "482913" not in str(lines)


async def test_a_body_has_sixteen_kilobytes_at_most(client: httpx.AsyncClient) -> None:
    longest = (body(EVENT) + b"&other=").ljust(EVENT_BODY_MAX, b"x")
    assert (await client.post(URL, content=longest, headers=FORM)).status_code == 200
    assert (await client.post(URL, content=longest + b"x", headers=FORM)).status_code == 413


async def test_without_the_secret_there_is_nothing_there(
    client: httpx.AsyncClient, books: Books
) -> None:
    answer = await client.post("http://desk/ussd/wrong/events", data=EVENT)
    assert (answer.status_code, answer.content) == (404, b"")
    assert (await client.get(URL)).status_code == 405
    assert books.rows() == []
