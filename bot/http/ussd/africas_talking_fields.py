"""What Africa's Talking says of a session in each of its forms (facts: USSD 1 and 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from bot.http.form import read_form
from bot.http.ussd.service_codes import ServiceCodes

NAME = "africas_talking"
_SESSION = re.compile(r"[!-~]{1,128}")
_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")  # E.164
_NETWORK = re.compile(r"[!-~]{0,16}")


class SessionFields(NamedTuple):
    """``code`` is the registered one, and ``tail`` what was dialled behind it. ``network`` is empty
    if it was not told."""

    session: str
    phone: str
    code: str
    tail: str
    network: str


def read_fields(body: bytes, fields_max: int) -> dict[str, str] | None:
    """``None`` if it is no form, or has a field twice: which of the two would count?"""
    pairs = read_form(body, fields_max)
    if pairs is None:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def read_session(fields: Mapping[str, str], codes: ServiceCodes) -> SessionFields | None:
    """``None`` if it is nobody's session: the id is 1-128 visible ASCII characters, the phone a
    number of any country with its ``+``, the code one of ``codes``, the network 0-16 characters."""
    session, network = fields.get("sessionId", ""), fields.get("networkCode", "")
    phone = _phone(fields.get("phoneNumber", ""))
    dialled = codes.split(fields.get("serviceCode", ""))
    if not _SESSION.fullmatch(session) or not _NETWORK.fullmatch(network):
        return None
    if phone is None or dialled is None:
        return None
    return SessionFields(session, phone, *dialled, network)


def _phone(number: str) -> str | None:
    """Its digits. One whose plus has become a blank was decoded twice, and is refused."""
    return number[1:] if _NUMBER.fullmatch(number) else None
