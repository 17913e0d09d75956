"""The desk serves USSD where its settings say so, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.http.request_limits import with_request_limits
from bot.http.routes import inbound_routes, ussd_endpoint
from bot.settings import Settings
from tests.kit.measured_desk import desk_in
from tests.kit.ussd_requests import CODE, EVENT

SECRET = "of-the-gateway_0123456789abcdefgh"


async def test_an_event_reaches_the_books_and_the_metrics(tmp_path: Path) -> None:
    settings = Settings(ussd_secret=SecretStr(SECRET), ussd_codes=frozenset({CODE}))
    async with desk_in(tmp_path) as world:
        transport = httpx.ASGITransport(with_request_limits(inbound_routes(world.app, settings)))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            posting = client.post(f"/ussd/{SECRET}/events", data=EVENT)
            assert (await posting).status_code == 200
        counted = world.app.metrics.registry.get_sample_value("hazina_ussd_cost_cents_total")
    assert counted == 10


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(ussd_secret=SecretStr(SECRET)),
        Settings(ussd_codes=frozenset({CODE})),
    ],
    ids=["neither", "no-codes", "no-secret"],
)
def test_without_secret_and_codes_there_is_no_endpoint(settings: Settings) -> None:
    assert ussd_endpoint(settings) is None
