"""Orders payments of a world's simulated Daraja, as the product's gateway would."""

from __future__ import annotations

from base64 import b64encode

import httpx

from bot.simulation.daraja.credentials import CREDENTIALS
from bot.simulation.simulated_client import SimulatedClient
from bot.simulation.world import World
from tests.kit.daraja_caller import BASE, payout


async def order(world: World, **changes: object) -> httpx.Response:
    """Through the client that the product is given, with a token of its own."""
    credentials = f"{CREDENTIALS.consumer_key}:{CREDENTIALS.consumer_secret}".encode()
    async with SimulatedClient(world.daraja) as client:
        given = await client.get(
            f"{BASE}/oauth/v1/generate?grant_type=client_credentials",
            headers={"Authorization": "Basic " + b64encode(credentials).decode()},
        )
        token = given.json()["access_token"]
        return await client.post(
            f"{BASE}/mpesa/b2c/v3/paymentrequest",
            json=payout(**changes),
            headers={"Authorization": f"Bearer {token}"},
        )


async def pay(world: World, **changes: object) -> None:
    answer = await order(world, **changes)
    assert answer.json()["ResponseCode"] == "0"
