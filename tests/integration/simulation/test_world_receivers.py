"""A world may have servers of partners, and rules of its own for their addresses."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from bot.security.keyring import Keyring
from bot.simulation.world import World
from services import webhooks
from services.domain.refusal import Refusal
from services.domain.webhook import Taken, WebhookAnswer
from storage.sqlite.simulated import in_memory
from storage.transaction import SqliteTx

URL = "http://127.0.0.1:8420/sim/receive"


class Receiver:
    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        self.closed = 0

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        self.received.append((url, headers["webhook-id"]))
        return Taken(200)

    async def close(self) -> None:
        self.closed += 1


async def test_its_own_receiver_gets_what_is_committed_at_once() -> None:
    receiver = Receiver()

    def add(tx: SqliteTx) -> None:
        made = webhooks.create(
            tx,
            Keyring.read(sealing.get_secret_value()),
            world.random,
            "HOUSE",
            URL,
            None,
            None,
            "hazina",
            check=lambda url: url if url == URL else Refusal.of("webhook_url", why="form"),
        )
        assert not isinstance(made, Refusal)

    with closing(in_memory()) as memory:
        world = World(memory, threads=False, webhooks=receiver)
        sealing = world.settings.hazina_keys
        assert sealing is not None
        await world.open()
        await world.app.database.write(add)
        await world.app.database.write(lambda tx: tx.partner_events.add("HOUSE", "balance.low", {}))
        await world.settle()
        await world.restart()
        await world.close()
    assert receiver.received == [(URL, "ev_HOUSE_1")]
    assert receiver.closed == 2
