"""People in a script, with the addresses and phones they are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.scripts.given import Given, GivenAdmin, GivenPerson

FIRST_USER = 500_001  # invented Telegram user ids


@dataclass(slots=True)
class StagePeople:
    """``names`` maps addresses and phones to people; admins have no phone."""

    addresses: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, givens: Iterable[Given]) -> None:
        number = FIRST_USER
        for given in givens:
            if isinstance(given, GivenPerson | GivenAdmin):
                self.addresses[given.name] = str(number)
                self.names[str(number)] = given.name
                number += 1
            if isinstance(given, GivenPerson):
                self.phones[given.name] = given.phone
                self.names[given.phone] = given.name
