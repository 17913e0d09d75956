"""The program with its API as measured: partners with keys, and a bare route beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from bot.app import App
from bot.bench.program import NullChannel, Person, running_program, seed_people
from bot.clock import system_random
from bot.http.api.routes import api_routes
from bot.http.request_limits import with_request_limits
from services import api_keys
from services.domain.api_key import Scope
from services.ports import Tx, WebhookTransport

BARE = "/bare"


@dataclass(frozen=True, slots=True)
class ApiDesk:
    """``keys`` by partner. ``bare`` is the document that the bare route answers with."""

    app: App
    keys: Mapping[str, str]
    bare: dict[str, object]

    def routes(self) -> list[BaseRoute]:
        async def answer(request: Request) -> Response:
            return JSONResponse(self.bare)

        return [Route(BARE, answer), *api_routes(self.app)]

    def asgi(self) -> ASGIApp:
        """As served, without a socket."""
        return with_request_limits(self.routes())


@asynccontextmanager
async def open_desk(
    database: Path, people: Sequence[Person], webhooks: WebhookTransport | None = None
) -> AsyncIterator[ApiDesk]:
    """``people`` are added with their partners, and a key with every scope for each partner."""
    async with running_program(database, NullChannel(), webhooks=webhooks) as app:
        await app.database.write(lambda tx: seed_people(tx, people))
        partners = sorted({person.partner for person in people})
        keys = await app.database.write(lambda tx: _create_keys(tx, partners))
        yield ApiDesk(app, keys, {})


def _create_keys(tx: Tx, partners: Sequence[str]) -> dict[str, str]:
    keys = {}
    for partner in partners:
        made = api_keys.create(tx, system_random(), partner, tuple(Scope), 1, "bench")
        assert isinstance(made, api_keys.CreatedKey)
        keys[partner] = made.key
    return keys
