"""What Africa's Talking says of a session that has ended (facts: USSD 3)."""

from __future__ import annotations

import re

from bot.http.ussd.africas_talking_fields import NAME, read_fields, read_session
from bot.http.ussd.service_codes import ServiceCodes
from services.domain.phone import masked_number
from services.domain.ussd import UssdEvent

FIELDS_MAX = 32  # an event has thirteen
ERROR_MAX = 200  # characters
_STATUSES = {"Success": "success", "Incomplete": "incomplete", "Failed": "failed"}
_COUNT = re.compile(r"[0-9]{1,9}")
_COST = re.compile(r"KES ([0-9]{1,7})(?:\.([0-9]{1,4}))?")
# What an error may quote and nobody may keep: the address we are called at, and what was typed.
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,}|\d{4,}")


def read_event(body: bytes, codes: ServiceCodes) -> UssdEvent | None:
    """``None`` if it is none, or of a code that is not ours. A figure that is missing is 0; one
    that cannot be read makes the event unreadable.

    ``input`` and ``lastAppResponse`` repeat the PIN that was typed: they are not even looked at.
    """
    fields = read_fields(body, FIELDS_MAX)
    session = None if fields is None else read_session(fields, codes)
    if fields is None or session is None:
        return None
    status = _STATUSES.get(fields.get("status", ""))
    hops, duration_ms = (_count(fields.get(name, "")) for name in ("hopsCount", "durationInMillis"))
    cost_cents = _cents(fields.get("cost", ""))
    if status is None or hops is None or duration_ms is None or cost_cents is None:
        return None
    return UssdEvent(
        gateway=NAME,
        session=session.session,
        phone=masked_number(session.phone),
        network=session.network,
        code=session.code,
        status=status,
        hops=hops,
        duration_ms=duration_ms,
        cost_cents=cost_cents,
        error=_error(fields.get("errorMessage", "")),
    )


def _count(text: str) -> int | None:
    if not text:
        return 0
    return int(text) if _COUNT.fullmatch(text) else None


def _cents(cost: str) -> int | None:
    """Of ``KES 0.1050``, which has up to four decimals: 11, a half rounded up."""
    if not cost:
        return 0
    found = _COST.fullmatch(cost)
    if found is None:
        return None
    shillings, decimals = found[1], found[2] or ""
    return (int(shillings + decimals.ljust(4, "0")) + 50) // 100


def _error(message: str) -> str | None:
    """Its printable characters without what may be secret, 200 at most; ``None`` if there are
    none."""
    printable = "".join(char if char.isprintable() else " " for char in message)
    return " ".join(_SECRET.sub("", printable).split())[:ERROR_MAX].strip() or None
