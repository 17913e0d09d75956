"""Journeys of payouts whose crash points are tried do lead where they say."""

from __future__ import annotations

import pytest

from bot.simulation.world import Home
from bot.storm.crash_points import JOURNEYS, JourneyRun
from services.domain.payout import PayoutState
from services.ports import Tx
from storage.raw import connection


@pytest.mark.parametrize(
    ("journey", "state", "sources"),
    [
        ("payout", PayoutState.PAID, ["daraja.result"]),
        ("payout told early", PayoutState.PAID, ["daraja.result"]),
        ("payout unheard of", PayoutState.PAID, ["daraja.order", "daraja.status"]),
        ("payout told to nobody", PayoutState.PAID, ["daraja.status"]),
        ("payout confirmed", PayoutState.PAID, ["daraja.result", "daraja.status"]),
        (
            "payout after its return",
            PayoutState.PAID_AFTER_RETURN,
            ["daraja.result", "daraja.result"],
        ),
        ("payout by two admins", PayoutState.RETURNED, ["daraja.order", "admins"]),
        ("payout frozen", PayoutState.PAID, ["daraja.result"]),
    ],
)
async def test_a_journey_ends_by_the_evidence_that_it_is_about(
    world_home: Home, journey: str, state: PayoutState, sources: list[str]
) -> None:
    def look(tx: Tx) -> tuple[PayoutState, list[str]]:
        (payout,) = tx.payouts.every()
        rows = connection(tx).execute(
            "SELECT source FROM evidence WHERE operation = ? AND kind <> 'undecided' ORDER BY id",
            (payout.reference,),
        )
        return payout.state, [source for (source,) in rows]

    play = JourneyRun(world_home)
    await play.open()
    await JOURNEYS[journey](play)
    assert await play.world.app.database.read(look) == (state, sources)
    await play.world.close()
