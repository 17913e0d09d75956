"""Where webhooks lead in a simulated world: to its own receiver, and elsewhere only in scripts."""

from __future__ import annotations

from contextlib import closing

import pytest

from bot.security.keyring import Keyring
from bot.simulation.receivers import check_simulated_url, is_own
from bot.simulation.world import World
from services import webhooks
from services.domain.refusal import Refusal
from storage.sqlite.simulated import in_memory
from storage.transaction import StoreTx

OWN = "http://127.0.0.1:8420/sim/receive"
PUBLIC = "https://duka.example/events"


async def _received(url: str, *, everywhere: bool) -> list[str]:
    def add(tx: StoreTx) -> None:
        keys = Keyring.read(sealing.get_secret_value())
        made = webhooks.create(
            tx, keys, world.random, "HOUSE", url, None, None, "hazina", check=check_simulated_url
        )
        assert not isinstance(made, Refusal)

    with closing(in_memory()) as memory:
        world = World(memory, threads=False, receives_everywhere=everywhere)
        sealing = world.settings.hazina_keys
        assert sealing is not None
        await world.open()
        await world.app.database.write(add)
        await world.app.database.write(lambda tx: tx.partner_events.add("HOUSE", "balance.low", {}))
        await world.settle()
        await world.restart()
        await world.close()
    return [one.headers["webhook-id"] for one in world.receiver.received]


async def test_its_own_receiver_gets_what_is_committed_at_once() -> None:
    assert await _received(OWN, everywhere=False) == ["ev_HOUSE_1"]


async def test_other_addresses_are_reached_only_where_it_is_said_so() -> None:
    assert await _received(PUBLIC, everywhere=False) == []
    assert await _received(PUBLIC, everywhere=True) == ["ev_HOUSE_1"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8420/sim/receive?x=1",
        "http://127.0.0.1:8420/sim/say",
        "http://10.0.0.1/sim/receive",
        "http://user@127.0.0.1/sim/receive",
        "ftp://127.0.0.1/sim/receive",
        "http://[::1/sim/receive",
    ],
)
def test_nothing_else_inside_is_its_own(url: str) -> None:
    assert not is_own(url)
    assert isinstance(check_simulated_url(url), Refusal)
