"""The initial world of a storm: settings, partners, fees and people drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from zlib import crc32

from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from bot.storm.people import (
    ADMIN_COMMANDS,
    COMMANDS,
    LIMIT_COMMANDS,
    NAMES,
    OWNER_COMMANDS,
    PAYEES,
    Actor,
)
from services import recipients
from services.domain.fees import Fee, FeeKind
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone, phones_in
from services.ports import Tx

STRANGER = "254733000001"
ADMINS = ("a1", "a2")


def draw_settings(world: World, dice: random.Random) -> dict[str, Actor]:
    """Set up a world that is not open yet. Returns its admins by address."""
    changes: dict[str, object] = {"admin_ids": frozenset(ADMINS)}
    if dice.random() < 0.3:
        changes["topup_code_above"] = 1_500
    if dice.random() < 0.7:  # colleagues may agree from the first day on
        changes["phone_freeze_hours"] = 0
    if dice.random() < 0.2:  # a product whose prompts do not carry our reference
        world.bank.accept_accounts(AcceptedAccounts.REGISTERED)
        changes["ncba_account_ref_template"] = "{account}"
    world.settings = world.settings.model_copy(update=changes)
    if dice.random() < 0.5:  # a third of the statement's lines does not name the payer
        world.bank.statements.names_payer = lambda receipt: crc32(receipt.encode()) % 3 > 0
    if dice.random() < 0.5:  # some payments are charged for, some are credited twice
        statements = world.bank.statements
        statements.is_charged = lambda receipt: crc32(receipt.encode()) % 5 == 0
        statements.is_credited_twice = lambda receipt: crc32(receipt.encode()) % 7 == 0
    commands = (*ADMIN_COMMANDS, *LIMIT_COMMANDS) if dice.random() < 0.2 else ADMIN_COMMANDS
    return {
        address: Actor(address, STRANGER, is_admin=True, commands=commands) for address in ADMINS
    }


def draw_people(tx: Tx, dice: random.Random, floats: Mapping[str, Money]) -> dict[str, Actor]:
    """Add a partner for each code, with that much float. Returns its people by address."""
    actors: dict[str, Actor] = {}
    for n, (code, float_) in enumerate(floats.items()):
        above = 500_000 if dice.random() < 0.2 else None
        partner = Partner(code, low_balance_cents=100_000, approve_above_cents=above)
        wallet = Money(dice.choice((0, 1_500_000, 4_000_000)))
        add_partner(tx, partner, wallet, float_)
        if dice.random() < 0.7:
            tx.fees.set(code, Fee(FeeKind.TRANSFER, fixed=Money(2_500)), "storm")
            tx.fees.set(code, Fee(FeeKind.PROCESSING, ppm=5_000), "storm")
        for k, role in enumerate((Role.OWNER, Role.OPERATOR, Role.VIEWER)):
            number = n * 10 + k
            phone = f"2547100{number:05}"
            mail = f"p{number}@storm.example" if dice.random() < 0.5 else None
            person = tx.people.add_person(code, f"p{number}", role, Phone(phone), mail, "en")
            address = f"p{number}"  # six digits would eventually equal somebody's code
            tx.people.link("terminal", address, person)
            commands = OWNER_COMMANDS if role is Role.OWNER else COMMANDS
            actors[address] = Actor(address, phone, commands=commands, mail=mail)
            if role is Role.OWNER:
                (owner,) = tx.people.linked_with(Phone(phone))
                recipients.save(tx, owner, NAMES[0], Phone(phones_in(PAYEES[0])[0]))
    return actors
