"""Parsers that read typed text into the domain's values, or refuse it with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import phonenumbers

from flows.engine.host import Host
from flows.parsers.number_words import read_number_words
from services.domain.document import Period
from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.statement import read_period

MAIL_MAX, LOCAL_MAX = 254, 64  # characters of an address, and before its @ (RFC 5321)
TYPED_MAX = 40  # characters; more is never an amount or a phone

_AMOUNT = re.compile(
    r"(?P<sign>[-−–])?"
    r"(?P<whole>[0-9][0-9, ]*)"
    r"(?:\.(?P<part>[0-9]{1,3}))?"
    r"(?P<thousands>k)?"
    r"(?:/[-=])?"  # 1500/-
)
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3}( [0-9]{3})+|[0-9]+")
_LEADING_ZERO = re.compile(r"0+[1-9]")  # the beginning of a phone, never of an amount
_CURRENCY = re.compile(
    r"^(?:kes|kshs?|shs?|shilingi)\.?(?: |(?=[0-9+−–-]))| ?(?:shillings?|bob|kes|kshs?)$"
)
_NONE = frozenset({"none", "nothing", "nil", "zero", "free", "no fee", "hakuna", "bure", "sifuri"})
_MAIL = re.compile(
    r"(?P<local>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
_PHONE = re.compile(r"[0-9+() .\-]+")


@dataclass(frozen=True)
class Amount:
    """Reads an amount in shillings within the named ``limits``.

    "1500", "1,500", "1 500", "1500.00", "KES 1,500", "ksh1500", "1.5k", "1500/-", "fifteen hundred"
    and "elfu moja mia tano" are all 1,500. With ``cents`` it need not be whole, since M-PESA is not
    involved, and with ``or_none`` "none" is 0. Refusals: ``not_an_amount``, ``plain_digits``,
    ``blank_in_amount``, ``misplaced_comma``, ``negative``, ``part_shillings``, ``below_minimum``,
    ``above_maximum``.
    """

    limits: str
    cents: bool = False
    or_none: bool = False

    def __call__(self, text: str, host: Host) -> Money | Refusal:
        typed = text.strip().casefold()
        if len(typed) > TYPED_MAX:
            return Refusal("not_an_amount")
        if self.or_none and says_none(typed):
            return self._within_limits(Money(0), host)
        if any(char.isdigit() and not char.isascii() for char in typed):
            return Refusal("plain_digits")
        typed = _CURRENCY.sub("", typed.removesuffix("."))
        written = read_number_words(typed)
        if written is not None:
            return self._within_limits(Money(written * 100), host)
        match = _AMOUNT.fullmatch(typed)
        if match is None or _LEADING_ZERO.match(match["whole"]):
            if re.search(r"[0-9]\s+[0-9]", typed):
                return Refusal("blank_in_amount")
            return Refusal("not_an_amount")
        if not _GROUPED.fullmatch(match["whole"].strip()):
            return Refusal("blank_in_amount" if " " in match["whole"] else "misplaced_comma")
        if match["part"] and len(match["part"]) == 3 and not match["thousands"]:
            return Refusal("not_an_amount")  # 1.500 is 1,500 to some and 1.5 to others
        if match["sign"]:
            return Refusal("negative")
        digits = match["whole"].replace(",", "").replace(" ", "")
        shillings = Decimal(f"{digits}.{match['part'] or 0}")
        if match["thousands"]:
            shillings *= 1000
        if not self.cents and shillings != shillings.to_integral_value():
            return Refusal("part_shillings")
        return self._within_limits(Money(int(shillings * 100)), host)

    def _within_limits(self, amount: Money, host: Host) -> Money | Refusal:
        least, most = host.limits(self.limits)
        if amount < least:
            return Refusal.of("below_minimum", minimum=least)
        if most < amount:
            return Refusal.of("above_maximum", maximum=most)
        return amount


@dataclass(frozen=True)
class StatementPeriod:
    """Parser of a period question; see ``services.domain.statement.read_period``."""

    def __call__(self, text: str, host: Host) -> Period | Refusal:
        read = read_period(text, host.today())
        return read if isinstance(read, Refusal) else Period(*read)


@dataclass(frozen=True)
class KenyanMobile:
    """Parser of a phone question; see ``read_mobile``."""

    def __call__(self, text: str, host: Host) -> Phone | Refusal:
        return read_mobile(text)


@dataclass(frozen=True)
class MailAddress:
    """A mail address, with its domain in lower case.

    No quotes or comments, and ASCII only, as every server accepts it. Refusal:
    ``not_a_mail_address``.
    """

    def __call__(self, text: str, host: Host) -> str | Refusal:
        typed = text.strip()
        match = _MAIL.fullmatch(typed)
        if len(typed) > MAIL_MAX or match is None or len(match["local"]) > LOCAL_MAX:
            return Refusal("not_a_mail_address")
        return f"{match['local']}@{match['domain'].lower()}"


def says_none(text: str) -> bool:
    """Whether it says that there shall be no amount, where that is possible."""
    return " ".join(text.casefold().split()).rstrip(".") in _NONE


def read_mobile(text: str) -> Phone | Refusal:
    """A Kenyan mobile number in any of its usual forms (facts: M-PESA, Phones).

    Refusals: ``plain_digits``, ``not_a_phone``, ``not_a_kenyan_mobile``.
    """
    typed = text.strip()
    if any(char.isdigit() and not char.isascii() for char in typed):
        return Refusal("plain_digits")
    if len(typed) > TYPED_MAX or not _PHONE.fullmatch(typed):
        return Refusal("not_a_phone")
    if typed.startswith("00"):
        typed = "+" + typed[2:]
    try:
        number = phonenumbers.parse(typed, "KE")
    except phonenumbers.NumberParseException:
        return Refusal("not_a_phone")
    if not phonenumbers.is_valid_number_for_region(number, "KE"):
        return Refusal("not_a_kenyan_mobile")
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        return Refusal("not_a_kenyan_mobile")
    try:
        return Phone(f"254{number.national_number}")
    except ValueError:
        return Refusal("not_a_kenyan_mobile")
