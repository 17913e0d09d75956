"""Arms the bank, or Daraja, with a fault that was read from a script's directive."""

from __future__ import annotations

from datetime import timedelta

from bot.scripts.directive import ArmBank
from bot.simulation.faults import parse_fault
from bot.simulation.world import World


def arm_bank(world: World, what: ArmBank) -> None:
    """Raises ``ValueError`` if the call cannot meet that fault."""
    parsed = parse_fault(str(what.fault))
    api = world.api_of(what.call)
    if what.lasts_s is None:
        api.arm(parsed, what.call, what.times)
    else:
        api.arm_for(parsed, what.call, timedelta(seconds=what.lasts_s))
