"""Link people from the command line, until they can be invited in the chat."""

from __future__ import annotations

import re
from pathlib import Path

import phonenumbers

from bot.clock import SystemClock
from services import partners
from services.domain.ledger import HOUSE
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from storage.database import Database
from storage.people import AddressTaken
from storage.transaction import SqliteTx

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,15}")
_NAME = re.compile(r"[^\W\d_][\w .'-]{0,39}")


class PersonRefused(Exception):
    """The person cannot be added so; says why."""


async def add_person(
    database: Path,
    *,
    partner: str,
    new_partner: bool,
    name: str,
    role: str,
    phone: str,
    telegram: str,
    email: str | None,
) -> str:
    """Add or change the person and link the account; returns what was done, in words.

    Raises ``PersonRefused``, and what ``Database.open`` raises.
    """
    if not _CODE.fullmatch(partner) or partner == HOUSE:
        raise PersonRefused(f"a partner's code is 2 to 16 capitals and digits, not {partner!r}")
    if not _NAME.fullmatch(name):
        raise PersonRefused("a name begins with a letter and has at most 40 characters")
    if not (telegram.isascii() and telegram.isdigit() and len(telegram) <= 16):
        raise PersonRefused("a Telegram user id is a number; the bot tells it to who writes to it")
    number = _phone(phone)

    def add(tx: SqliteTx) -> str:
        known = tx.people.partner(partner)
        if known is None:
            if not new_partner:
                raise PersonRefused(f"there is no partner {partner}: --new-partner adds it")
            partners.add(tx, Partner(partner))
        person_id = tx.people.add_person(partner, name, Role(role), number, email, "en")
        try:
            tx.people.link("telegram", telegram, person_id)
        except AddressTaken as taken:
            raise PersonRefused(str(taken)) from None
        return f"{name} is {role} of {partner}, and writes from Telegram account {telegram}"

    opened = await Database.open(database, SystemClock().now)
    try:
        return await opened.write(add)
    finally:
        await opened.close()


def _phone(text: str) -> Phone:
    try:
        number = phonenumbers.parse(text, "KE")
        return Phone(f"{number.country_code}{number.national_number}")
    except (phonenumbers.NumberParseException, ValueError):
        raise PersonRefused("the phone must be a Kenyan mobile, such as 0712345678") from None
