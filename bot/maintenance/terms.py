"""Sets fees and limits, and shows and lifts code locks, from the command line.

Admins do the same in the chat.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from bot.clock import SystemClock
from bot.database import database_engine
from flows.engine.normalise import normalise_input
from flows.parsers.values import read_mobile
from services import otp, terms
from services.domain.audit import by_account
from services.domain.database import DatabaseAddress
from services.domain.fees import Fee, FeeKind, percent_to_ppm
from services.domain.limits import EVERYBODY, LIMITS
from services.domain.money import Money
from services.domain.otp import CodeHolder
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.ports import Tx

SOURCE = "command line"
_WHY = {
    "no_partner": "there is no partner {partner}",
    "limit_of_desk": "that limit is of the whole desk, not of one partner",
    "limit_least": "the least of one payment cannot be less than {minimum}",
    "limit_crossed": "the least would be above the most: the other one is {other}",
}
_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")

T = TypeVar("T")


class TermsRefused(Exception):
    """It cannot be set like this; says why."""


async def set_fee(
    database: DatabaseAddress,
    *,
    partner: str,
    kind: str,
    fixed: str,
    percent: str,
    minimum: str | None,
    maximum: str | None,
) -> str:
    """Add a version of the fee, in force from now.

    Raises ``TermsRefused``, and ``DatabaseFault``.
    """
    try:
        fee = Fee(
            FeeKind(kind),
            fixed=_amount(fixed),
            ppm=percent_to_ppm(percent),
            minimum=None if minimum is None else _amount(minimum),
            maximum=None if maximum is None else _amount(maximum),
        )
    except ValueError as error:
        raise TermsRefused(str(error)) from None

    def write(tx: Tx) -> str:
        added = terms.set_fee(tx, partner, fee, SOURCE)
        if isinstance(added, Refusal):
            raise TermsRefused(f"there is no partner {partner}")
        return f"{partner} has version {added.version} of its {kind} fee from now on"

    return await _write(database, write)


async def set_limit(
    database: DatabaseAddress, *, name: str, amount: str, partner: str | None
) -> str:
    """Set a limit from now on. Raises ``TermsRefused``, and ``DatabaseFault``."""
    if name not in LIMITS:
        raise TermsRefused(f"a limit is one of {', '.join(LIMITS)}")
    try:
        limit = _amount(amount)
    except ValueError as error:
        raise TermsRefused(str(error)) from None

    def write(tx: Tx) -> str:
        refusal = terms.set_limit(tx, name, limit, SOURCE, partner or EVERYBODY)
        if refusal is not None:
            raise TermsRefused(_WHY[refusal.code].format_map({"partner": partner, **refusal.facts}))
        return f"{name} is {limit} for {partner or 'all without their own'} from now on"

    return await _write(database, write)


async def code_status(database: DatabaseAddress, phone: str) -> str:
    """Whether the number or an account of its people is locked. Raises ``TermsRefused``."""
    number = _phone(phone)

    def look(tx: Tx) -> str:
        since = ((who, tx.otps.locked_since(who)) for who in otp.of_number(tx, number))
        lines = [
            f"{_name(who)} is locked since {at:%Y-%m-%d %H:%M} UTC: too many wrong codes in a day"
            for who, at in since
            if at is not None
        ]
        return "\n".join(lines) or f"{number} can have codes"

    return await _write(database, look)


async def unlock(database: DatabaseAddress, phone: str) -> str:
    """Unlock the number and its people's accounts. Raises ``TermsRefused``."""
    number = _phone(phone)

    def write(tx: Tx) -> str:
        unlocked = [who for who in otp.of_number(tx, number) if otp.unlock(tx, who, SOURCE)]
        lines = [f"{_name(who)} can have codes again" for who in unlocked]
        return "\n".join(lines) or f"{number} was not locked"

    return await _write(database, write)


async def _write(database: DatabaseAddress, function: Callable[[Tx], T]) -> T:
    opened = await database_engine.open_database(database, SystemClock().now)
    try:
        return await opened.write(function)
    finally:
        await opened.close()


def _amount(text: str) -> Money:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"an amount is a plain decimal such as 1700.50, not {text[:20]!r}")
    return Money.of(text)


def _name(who: CodeHolder) -> str:
    return str(who) if isinstance(who, Phone) else by_account(*who)


def _phone(text: str) -> Phone:
    number = read_mobile(normalise_input(text))
    if isinstance(number, Refusal):
        raise TermsRefused("the phone must be a Kenyan mobile number, such as 0712345678")
    return number
