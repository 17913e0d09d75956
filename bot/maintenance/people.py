"""Links people from the command line; most are invited in the chat."""

from __future__ import annotations

import re

from bot.clock import SystemClock
from bot.database import database_engine
from flows.engine.normalise import normalise_input
from flows.parsers.values import read_mobile
from services import partners, person_lookup
from services.domain.database import DatabaseAddress
from services.domain.ledger import HOUSE
from services.domain.limits import DESK
from services.domain.names import NAME_MAX
from services.domain.partner import AddressTaken, Partner, Role
from services.domain.refusal import Refusal
from services.ports import Tx

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,15}")
_NO_NAME = {
    "not_a_name": f"a name begins with a letter from A to Z and has at most {NAME_MAX} characters:"
    " letters, digits, blanks and . ' - _",
    "name_alike": "that looks the same as {known}, who is there or invited: type that name exactly"
    " so, or choose another one",
}


class PersonRefused(Exception):
    """The person cannot be added like this; says why."""


async def add_person(
    database: DatabaseAddress,
    *,
    partner: str,
    new_partner: bool,
    name: str,
    role: str | None,
    phone: str,
    telegram: str,
    email: str | None,
) -> str:
    """Add or change the person and link the account. Returns what was done, in words.

    Raises ``PersonRefused``, and ``DatabaseFault``.
    """
    if not _CODE.fullmatch(partner) or partner in (HOUSE, DESK):
        raise PersonRefused(f"a partner's code is 2 to 16 capitals and digits, not {partner!r}")
    if not (telegram.isascii() and telegram.isdigit() and len(telegram) <= 16):
        raise PersonRefused("a Telegram user id is a number; the bot tells it to who writes to it")
    number = read_mobile(normalise_input(phone))
    if isinstance(number, Refusal):
        raise PersonRefused("the phone must be a Kenyan mobile number, such as 0712345678")

    def add(tx: Tx) -> str:
        called = person_lookup.name_to_invite(tx, partner, name)
        if isinstance(called, Refusal):
            raise PersonRefused(_NO_NAME[called.code].format(**called.facts))
        known = tx.people.partner(partner)
        if known is None:
            if not new_partner:
                raise PersonRefused(f"there is no partner {partner}: --new-partner adds it")
            partners.add(tx, Partner(partner))
        was_role, was_email = tx.people.named(partner, called) or (Role.OWNER, None)
        now_role = was_role if role is None else Role(role)
        person_id = tx.people.add_person(
            partner, called, now_role, number, was_email if email is None else email, "en"
        )
        try:
            tx.people.link("telegram", telegram, person_id)
        except AddressTaken as taken:
            raise PersonRefused(str(taken)) from None
        return f"{called} is {now_role} of {partner}, and writes from Telegram account {telegram}"

    opened = await database_engine.open_database(database, SystemClock().now)
    try:
        return await opened.write(add)
    finally:
        await opened.close()
