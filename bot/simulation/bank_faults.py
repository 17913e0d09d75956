"""Arms the simulated bank with a fault that was read from a script's directive."""

from __future__ import annotations

from datetime import timedelta

from bot.scripts.directive import ArmBank
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.bank import SimulatedBank


def arm_bank(bank: SimulatedBank, what: ArmBank) -> None:
    """Raises ``ValueError`` if the call cannot meet that fault."""
    parsed = parse_fault(str(what.fault))
    if what.lasts_s is None:
        bank.arm(parsed, what.call, what.times)
    else:
        bank.arm_for(parsed, what.call, timedelta(seconds=what.lasts_s))
