"""What ``GET /sim/world`` tells: partners, people, admins, fees, the clock, and what to dial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.simulation.credentials import USSD_CODE
from bot.simulation.served.opening import PARTNERS
from bot.simulation.stage_people import StagePeople
from bot.simulation.world import World
from services.domain.fees import Fee, FeeKind, ppm_to_percent
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Person
from services.ports import Tx


async def describe_world(world: World, people: StagePeople) -> dict[str, object]:
    admins = sorted(people.names[address] for address in world.settings.admin_ids)

    def look(tx: Tx) -> dict[str, object]:
        everybody = [person for code in PARTNERS for person in tx.people.of(code)]
        return {
            "clock": rfc3339(world.clock.true_now()),
            "partners": [_partner(tx, code) for code in PARTNERS],
            "people": [_person(person) for person in everybody],
            "admins": admins,
            "service_code": USSD_CODE,
            "fees": [
                _fee(code, tx.fees.in_force(code, kind)) for code in PARTNERS for kind in FeeKind
            ],
        }

    return await world.app.database.read(look)


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _partner(tx: Tx, code: str) -> Mapping[str, object]:
    partner = tx.people.partner(code)
    assert partner is not None, "partners are never removed"
    wallet = tx.ledger.balance(Account(code, AccountKind.WALLET))
    float_ = tx.ledger.balance(Account(code, AccountKind.FLOAT))
    return {
        "code": code,
        "currency": partner.currency,
        "wallet": wallet.posted.decimal,
        "float": float_.posted.decimal,
        "wallet_threshold": Money(partner.low_balance_cents).decimal,
        "float_threshold": Money(partner.low_float_cents).decimal,
    }


def _person(person: Person) -> Mapping[str, object]:
    return {
        "name": person.name,
        "partner": person.partner.code,
        "role": person.role.value,
        "phone": person.phone.msisdn,
        "email": person.email,
        "language": person.language,
    }


def _fee(code: str, fee: Fee) -> Mapping[str, object]:
    return {
        "partner": code,
        "kind": fee.kind.value,
        "fixed": fee.fixed.decimal,
        "percent": ppm_to_percent(fee.ppm),
        "min": None if fee.minimum is None else fee.minimum.decimal,
        "max": None if fee.maximum is None else fee.maximum.decimal,
    }
