"""What M-PESA does with payments to a phone, as scripts spell it (``@payee PHONE DOES``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.simulation.faults import parse_duration
from services.domain.ids import RandomSource

RESULT_AFTER = timedelta(seconds=3)
AGAIN_AFTER = timedelta(seconds=2)  # between the two Results of ``twice``

_NAMES = (
    "ASHA EXAMPLE",
    "BARAKA MFANO",
    "CHEBET SAMPLE",
    "DAUDI MAJARIBIO",
    "ESTHER PLACEHOLDER",
    "FARAJA NOBODY",
    "GITHINJI SPECIMEN",
    "HALIMA INVENTED",
)
_PAYS = re.compile(r"pays(?: (?P<name>[A-Za-z][A-Za-z .'-]{0,59}))?")
_FAILS = re.compile(r"fails (?P<code>[A-Za-z0-9_]{1,20})(?: late (?P<late>\S+))?")
_LATE = re.compile(r"late (?P<late>\S+)")


@dataclass(frozen=True, slots=True)
class Payee:
    """``fails_with`` is a result code. ``paid_after`` is ``None`` where it is never paid.
    ``is_hidden``: until it is paid, a status query finds nothing. ``results`` is how many Results
    tell of the payment; ``is_before_ack``: at once, and before the request is answered.
    """

    name: str | None = None  # None: drawn from the seed, and kept
    fails_with: str | None = None
    paid_after: timedelta | None = RESULT_AFTER
    is_hidden: bool = False
    results: int = 1
    is_before_ack: bool = False


PAYS = Payee()
_BARE = {
    "silent": Payee(results=0),
    "twice": Payee(results=2),
    "before-ack": Payee(paid_after=timedelta(0), is_before_ack=True),
}


def parse_payee(text: str) -> Payee:
    """Raises ``ValueError``."""
    words = " ".join(text.split())
    if words in _BARE:
        return _BARE[words]
    if pays := _PAYS.fullmatch(words):
        return Payee(name=pays["name"] and pays["name"].upper())
    if fails := _FAILS.fullmatch(words):
        if fails["code"] == "0":
            raise ValueError("0 is no failure")
        late = None if fails["late"] is None else parse_duration("late", fails["late"])
        return Payee(fails_with=fails["code"], paid_after=late)
    if late_text := _LATE.fullmatch(words):
        return Payee(paid_after=parse_duration("late", late_text["late"]), is_hidden=True)
    raise ValueError(
        "a payee pays [NAME], fails CODE [late 24h], is silent, twice, before-ack or late 24h,"
        f" not {text!r}"
    )


class Payees:
    """Each phone does with its next payment what it was told last, and afterwards pays again. Its
    name stays.
    """

    def __init__(self, random: RandomSource) -> None:
        self._random = random
        self._told: dict[str, Payee] = {}
        self._names: dict[str, str] = {}

    def tell(self, phone: str, does: Payee) -> None:
        self._told[phone] = does
        if does.name is not None:
            self._names[phone] = does.name

    def take(self, phone: str) -> Payee:
        """What it does with the payment that has now reached it."""
        return self._told.pop(phone, PAYS)

    def name(self, phone: str) -> str:
        if phone not in self._names:
            self._names[phone] = _NAMES[self._random.randrange(len(_NAMES))]
        return self._names[phone]
