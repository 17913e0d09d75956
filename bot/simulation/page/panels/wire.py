"""The drawer's Wire: what went out to bank, people and partners, and what the bank tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulation.notification_sender import Told
from bot.simulation.record import Texted
from bot.simulation.served.served_world import ServedWorld
from bot.simulation.webhook_receiver import ReceivedWebhook
from services.domain.evidence import ProviderCall
from services.domain.money import Money
from services.ports import Tx

CALLS_MAX = 15
TEXTS_MAX = 10
RECEIVED_MAX = 10
TOLD_MAX = 10


@dataclass(frozen=True, slots=True)
class Untold:
    """A prompt that was paid and that the bank has not told of."""

    transaction_id: str
    phone: str
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class WirePanel:
    """``held`` are notifications that the bank was told never to send."""

    counts: Mapping[str, int]
    calls: Sequence[tuple[str, ProviderCall]]
    untold: Sequence[Untold]
    told: Sequence[Told]
    texts: Sequence[Texted]
    received: Sequence[ReceivedWebhook]


def wire_panel(
    served: ServedWorld, calls: Sequence[str], held: frozenset[str], tx: Tx
) -> WirePanel:
    """Each list newest first."""
    world = served.world
    texts = [entry for entry in served.record.entries if isinstance(entry, Texted)]
    return WirePanel(
        {call: world.api_of(call).calls(call) for call in calls},
        tx.evidence.newest_calls(CALLS_MAX),
        untold(served, held),
        served.told[: -TOLD_MAX - 1 : -1],
        texts[: -TEXTS_MAX - 1 : -1],
        world.receiver.received[: -RECEIVED_MAX - 1 : -1],
    )


def untold(served: ServedWorld, held: frozenset[str] = frozenset()) -> list[Untold]:
    return [
        Untold(
            prompt.transaction_id,
            prompt.phone,
            Money(prompt.amount_kes * 100),
            prompt.account_no,
        )
        for prompt in served.world.bank.paybill.untold()
        if prompt.transaction_id not in held
    ]
