"""What callers make the outside of a served world do: phones, bank and M-PESA, and its death."""

from __future__ import annotations

from bot.scripts.directive import ArmBank, ArmCrash
from bot.simulation.bank_faults import arm_bank as arm
from bot.simulation.daraja.payees import parse_payee
from bot.simulation.ncba.handsets import Handset
from bot.simulation.notification_sender import Told
from bot.simulation.served.served_world import ControlError, ServedWorld
from services.domain.money import Money
from services.domain.phone import Phone


async def set_handset(served: ServedWorld, phone: Phone, does: Handset) -> None:
    async with served.turn() as world:
        served.record.did(f"@handset {phone.msisdn} {does}")
        world.bank.set_handset(phone.msisdn, does)


async def set_payee(served: ServedWorld, phone: Phone, does: str) -> None:
    """What M-PESA does with the next payout there. Raises ``ControlError`` for other words than
    those of ``@payee``."""
    try:
        payee = parse_payee(does)
    except ValueError as error:
        raise ControlError(str(error)) from None
    async with served.turn() as world:
        served.record.did(f"@payee {phone.msisdn} {' '.join(does.split())}")
        world.daraja.set_payee(phone.msisdn, payee)


async def arm_bank(served: ServedWorld, what: ArmBank) -> None:
    """Raises ``ControlError`` for a fault that the call cannot meet."""
    async with served.turn() as world:
        try:
            arm(world, what)
        except ValueError as error:
            raise ControlError(str(error)) from None
        served.record.armed(what.call, str(what.fault), what.times)


async def disarm_bank(served: ServedWorld) -> None:
    """The faults that have not been met yet are no more."""
    async with served.turn() as world:
        for call, unused in world.faults_left().items():
            served.record.disarmed(call, unused)
        for api in world.apis:
            api.disarm()


async def notify(
    served: ServedWorld,
    phone: Phone,
    amount: Money,
    reference: str,
    *,
    receipt: str | None = None,
    times: int = 1,
    late_s: int = 0,
) -> Told:
    """A payment at the paybill, notified so many times."""
    words = f"@notify {phone.msisdn} {amount.decimal} ref {reference}"
    words += f" receipt {receipt}" if receipt else ""
    words += f" late {late_s}s" if late_s else ""
    words += f" times {times}" if times > 1 else ""
    async with served.turn() as world:
        served.record.did(words)
        notice = world.bank.paybill.notify(phone.msisdn, amount, reference, receipt)
        deliveries = [world.notify(notice, late_s) for _ in range(times)]
        told = Told(phone, amount, reference, deliveries)
        served.told.append(told)
    return told


async def arm_crash(served: ServedWorld, what: ArmCrash) -> None:
    async with served.turn() as world:
        served.record.did(f"@crash at {what.point}")
        world.arm_crash(what.point.point, what.point.call, what.point.nth)
