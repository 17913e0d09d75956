"""Faults of a storm: the bank, carriers and sends fail, the process dies, the clock changes."""

from __future__ import annotations

import random
from datetime import timedelta

from bot.simulation.crashes import CrashPointName
from bot.simulation.faults import parse_fault
from bot.simulation.inboxes import CARRIER_FAULTS
from bot.simulation.world import World
from bot.storm.story import Story

CLOCK_STEPS = (-259_200, -86_400, -10_800, -120, -5, -4, 4, 30, 600, 10_800, 86_400, 259_200)
FAULTS_BY_CALL = {
    "token": ("refuse Invalid credentials", "http 500", "html", "timeout-before", "slow 3s"),
    "initiate": (
        "refuse The balance is insufficient for the transaction",
        "http 500",
        "http 401",
        "html",
        "garbage",
        "timeout-before",
        "timeout-after",
        "timeout-after",
        "refuse Request timeout",
        "refuse-after Duplicate request",
        "refuse-after System internal error.",
        "token-gone",
        "slow 15s",
        "slow 25s",
    ),
    "query": (
        "http 500",
        "html",
        "garbage",
        "timeout-before",
        "slow 25s",
        "says-failed Unknown",
        "says-failed Request rejected: too many queries",
        "says-failed Transaction cancelled due to timeout",
        "contradicts",
        "token-gone",
    ),
    "float": (
        "http 500",
        "html",
        "garbage",
        "timeout-before",
        "timeout-after",
        "timeout-after",
        "refuse Upstream request timeout",
        "refuse-after Duplicate transaction reference",
        "duplicate",
        "only-accepted",
        "only-accepted settles 20m",
        "only-accepted settles 5h",
        "only-accepted fails 3h",
        "only-accepted never",
        "bounces",
        "token-gone",
        "slow 40s",
        "slow 100s",
        "slow 300s",
    ),
    "status": ("http 500", "html", "timeout-before", "slow 30s", "contradicts", "token-gone"),
    "qr": ("refuse No such till", "http 500", "timeout-before"),
}
# Faults that last minutes or hours; those of the status query were seen in practice.
OUTAGES = {
    "initiate": ("refuse Invalid AccountNo: wrong format", "http 500", "timeout-before"),
    "query": ("http 500", "timeout-before"),
    "float": ("http 500", "html"),
    "status": ("http 500", "http 500", "html"),
}
OUTAGES_S = (1_200, 7_200, 21_600)
CRASH_POINTS: tuple[tuple[CrashPointName, str | None], ...] = (
    ("commit", None),
    ("after-commit", None),
    *(("before-call", call) for call in FAULTS_BY_CALL),
    *(("after-call", call) for call in FAULTS_BY_CALL),
)


class FaultInjector:
    """Draws faults from the seed's random numbers."""

    def __init__(self, world: World, dice: random.Random, story: Story) -> None:
        self._world = world
        self._dice = dice
        self._story = story

    def arm(self) -> None:
        dice, bank = self._dice, self._world.bank
        if dice.random() < 0.25:
            call = dice.choice(list(FAULTS_BY_CALL))
            fault = dice.choice(FAULTS_BY_CALL[call])
            times = dice.choice((1, 1, 2, 5))
            bank.arm(parse_fault(fault), call, times)
            self._story.fault(f"{fault} on {call} times {times}", call)
        if dice.random() < 0.03:
            call = dice.choice(list(OUTAGES))
            fault, lasts_s = dice.choice(OUTAGES[call]), dice.choice(OUTAGES_S)
            bank.arm_for(parse_fault(fault), call, timedelta(seconds=lasts_s))
            self._story.fault(f"{fault} on {call} for {lasts_s} s", f"{call} down")
        if dice.random() < 0.05:
            latency = dice.choice((0.0, 0.0, 0.3, 2.0))
            bank.latency = lambda: latency
        if dice.random() < 0.05:
            what = dice.choice(("403", "429:5", "timeout"))
            self._world.terminal.fail_next(what, dice.randint(1, 3))
            self._story.fault(f"a send meets {what}", "send")
        if dice.random() < 0.05:
            carrier = dice.choice(list(CARRIER_FAULTS))
            self._world.sms.fault = CARRIER_FAULTS[carrier]
            self._story.fault(f"SMS is {carrier}", "sms")
        if dice.random() < 0.08:
            point, at_call = dice.choice(CRASH_POINTS)
            self._world.arm_crash(point, at_call, dice.randint(1, 12 if at_call is None else 2))
            self._story.fault(f"a crash is armed at {point} {at_call or ''}", "crash")

    async def set_clock(self) -> None:
        """Change the machine's clock or correct it; a worker may notice before the clock watch
        does.
        """
        dice, clock = self._dice, self._world.clock
        wrong = (clock.now() - clock.true_now()).total_seconds()
        if wrong and dice.random() < 0.2:
            seconds = -wrong
        elif dice.random() < 0.02:
            seconds = dice.choice(CLOCK_STEPS)
        else:
            return
        self._story.fault(f"the clock is set by {seconds:.0f} s", "clock")
        if dice.random() < 0.5:
            await self._world.set_clock(seconds)
        else:
            clock.step(seconds)

    async def restart_or_crash(self) -> None:
        if self._dice.random() < 0.5:
            self._story.fault("a crash", "crash")
            await self._world.crash()
        else:
            self._story.fault("a restart", "restart")
            await self._world.restart()
