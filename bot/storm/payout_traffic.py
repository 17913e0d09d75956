"""What M-PESA does to payouts in a storm: payees who are not paid, are paid late or silently, calls
that meet every fault, Results that are forged."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import timedelta

from bot.simulation.crashes import CrashPointName
from bot.simulation.daraja.payees import PAYS, parse_payee
from bot.simulation.faults import ResultShape, parse_fault
from bot.simulation.world import World
from bot.storm.people import PAYEES
from bot.storm.story import Story
from services.domain.money import Money
from services.domain.phone import phones_in
from services.ports import Tx

DOES = (
    *("pays", "silent", "silent", "twice", "twice", "before-ack", "before-ack"),
    *("late 10m", "late 5h", "late 30h", "fails 4", "fails SFC_IC0003", "fails 17"),
    *("fails 4 late 10m", "fails 8 late 1h", "fails 2040 late 24h"),
)
PAUSING = ("fails 1", "fails 2001", "fails 11")  # after each, nobody's payouts are sent
_SHAPES = tuple(f"result {shape}" for shape in ResultShape)
_ANY = ("http 500", "html", "garbage", "timeout-before", "spike-arrest", "quota", "slow 25s")
FAULTS_BY_CALL = {
    "payout-token": ("refuse Invalid Access Token", *_ANY),
    "payout": (
        *_ANY,
        *("timeout-after", "timeout-after", "timeout-after", "slow 100s", "queue-timeout"),
        *("queue-timeout", "refuse Bad Request - Invalid PartyB", "duplicate", "system-error"),
        *("refuse-after System internal error.", "says-failed Internal Failure.", "contradicts"),
        *("token-gone", "http 401", "http 503"),
    ),
    "payout-status": (
        *_ANY,
        *("timeout-after", "queue-timeout", "refuse Bad Request", "system-error", "token-gone"),
        *("says-failed Internal Failure.", "says-failed The service request has timed out."),
    ),
}
OUTAGES = {
    "payout": ("http 500", "timeout-before", "timeout-after", "queue-timeout"),
    "payout-status": ("http 500", "timeout-before", "says-failed Internal Failure."),
    "payout-token": ("http 500",),
}
OUTAGES_S = (1_200, 7_200, 21_600)
CRASH_POINTS: tuple[tuple[CrashPointName, str], ...] = (
    *(("before-call", call) for call in FAULTS_BY_CALL),
    *(("after-call", call) for call in FAULTS_BY_CALL),
)


class PayoutTraffic:
    def __init__(self, world: World, dice: random.Random, story: Story) -> None:
        self._world = world
        self._dice = dice
        self._story = story
        self._phones = [phone for payee in PAYEES for phone in phones_in(payee)]

    def draw_opening(self, codes: Sequence[str]) -> dict[str, Money]:
        """Set up a world that is not open yet. Returns the float of each partner at the start."""
        if self._dice.random() < 0.6:
            confirmed = {"payout_confirm_above": 5_000}
            self._world.settings = self._world.settings.model_copy(update=confirmed)
        floats = {code: Money(self._dice.choice((0, 2_000_000, 10_000_000))) for code in codes}
        self._world.daraja.opening(sum(float_.cents for float_ in floats.values()))
        return floats

    def arm(self) -> None:
        """Draw what M-PESA does with the next payouts, and what the calls meet."""
        dice, daraja = self._dice, self._world.daraja
        for phone in self._phones:
            if dice.random() < 0.3:
                does = dice.choice(DOES if dice.random() < 0.97 else PAUSING)
                daraja.set_payee(phone, parse_payee(does))
                self._story.fault(f"{phone} {does}", "payee")
        if dice.random() < 0.25:
            call = dice.choice(list(FAULTS_BY_CALL))
            fault, times = dice.choice(FAULTS_BY_CALL[call]), dice.choice((1, 1, 2, 5))
            daraja.arm(parse_fault(fault), call, times)
            self._story.fault(f"{fault} on {call} times {times}", call)
        if dice.random() < 0.08:  # what is approved meanwhile waits, and may be frozen
            daraja.revoke_tokens()
            daraja.arm(parse_fault("http 503"), "payout-token", dice.choice((1, 2, 10, 20)))
            self._story.fault("tokens are gone, and no other is given", "payout-token")
        if dice.random() < 0.25:
            shape, call = dice.choice(_SHAPES), dice.choice(("payout", "payout", "payout-status"))
            daraja.arm(parse_fault(shape), call)
            self._story.fault(f"{shape} on {call}", "result shape")
        if dice.random() < 0.02:
            call = dice.choice(list(OUTAGES))
            fault, lasts_s = dice.choice(OUTAGES[call]), dice.choice(OUTAGES_S)
            daraja.arm_for(parse_fault(fault), call, timedelta(seconds=lasts_s))
            self._story.fault(f"{fault} on {call} for {lasts_s} s", f"{call} down")
        if dice.random() < 0.05:
            latency = dice.choice((0.0, 0.0, 0.3, 2.0))
            daraja.latency = lambda: latency
        if dice.random() < 0.04:
            point, at_call = dice.choice(CRASH_POINTS)
            self._world.arm_crash(point, at_call, dice.randint(1, 2))
            self._story.fault(f"a crash is armed at {point} {at_call}", "crash")

    async def forge(self) -> None:
        """Somebody who knows the address calls a payout paid that is not, with the receipt of
        another: one that we do not know yet would be believed."""
        daraja, now = self._world.daraja, self._world.clock.true_now()
        others = [one for one in daraja.payments() if one.paid_at > now]
        if not others or self._dice.random() < 0.6:
            return
        receipts = await self._world.app.database.read(_receipts)
        if not receipts:
            return
        payment = self._dice.choice(others)
        urls = [one.url for one in daraja.results.deliveries if "/result/" in one.url]
        result = {
            "ResultType": 0,
            "ResultCode": 0,
            "ResultDesc": "The service request is processed successfully.",
            "OriginatorConversationID": payment.originator_id,
            "ConversationID": payment.conversation_id,
            "TransactionID": self._dice.choice(receipts),
        }
        body = json.dumps({"Result": result}).encode()
        daraja.results.send(urls[-1], lambda: body)
        self._story.fault(f"a Result is forged for {payment.originator_id}", "forged result")

    def calm(self) -> None:
        """From now on M-PESA pays everybody."""
        self._world.daraja.disarm()
        for phone in self._phones:
            self._world.daraja.set_payee(phone, PAYS)


def _receipts(tx: Tx) -> list[str]:
    return [payout.receipt for payout in tx.payouts.every() if payout.receipt is not None]
