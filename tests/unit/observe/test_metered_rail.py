"""Every answer of Daraja is counted, by what was asked and what it says."""

from __future__ import annotations

from bot.adapters import NoPayoutRail
from bot.observe.metrics import MeteredPayoutRail, Metrics
from services.domain.bank import NotSent, Ready
from services.domain.payout_answers import PayoutAnswer, PayoutOrder, Refused
from tests.kit.daraja_gateway import ORDER


class RefusingRail(NoPayoutRail):
    async def pay(self, ready: Ready, order: PayoutOrder) -> PayoutAnswer:
        return Refused("Bad Request - Invalid Amount")


async def test_answers_are_counted_and_passed_on() -> None:
    metrics = Metrics()
    rail = MeteredPayoutRail(RefusingRail(), metrics)
    assert isinstance(await rail.prepare(), NotSent)
    assert isinstance(await rail.pay(Ready("token"), ORDER), Refused)
    await rail.ask_status(ORDER.originator_id)
    await rail.ask_balance()
    for call, outcome in (
        ("payout_token", "NotSent"),
        ("payout", "Refused"),
        ("payout_status", "NoAnswer"),
        ("payout_balance", "NoAnswer"),
    ):
        labels = {"call": call, "outcome": outcome}
        assert metrics.registry.get_sample_value("hazina_bank_calls_total", labels) == 1


async def test_a_silent_daraja_does_not_make_prompts_slow() -> None:
    metrics = Metrics()
    rail = MeteredPayoutRail(NoPayoutRail(), metrics)
    for _ in range(10):
        await rail.prepare()
    assert not metrics.prompts_are_slow()
