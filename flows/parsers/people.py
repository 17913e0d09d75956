"""Parsers for questions about partners and people."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.engine.host import Host
from services.domain.ledger import HOUSE
from services.domain.limits import DESK
from services.domain.names import NAME_MAX, tidy
from services.domain.refusal import Refusal

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,15}")


@dataclass(frozen=True)
class KnownPartner:
    """The code of an existing partner, in either case."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        code = text.strip().upper()
        if _CODE.fullmatch(code) and host.has_partner(code):
            return code
        return Refusal("no_partner")


@dataclass(frozen=True)
class NewPartner:
    """A partner code that is not taken: 2 to 16 capitals and digits."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        code = text.strip().upper()
        if not _CODE.fullmatch(code) or code in (HOUSE, DESK):
            return Refusal("not_a_code_of_partner")
        if host.has_partner(code):
            return Refusal.of("partner_there", partner=code)
        return code


@dataclass(frozen=True)
class SingleLine:
    """A sentence on one line, such as a reason, of limited length."""

    least: int
    most: int

    def __call__(self, text: str, host: Host) -> str | Refusal:
        sentence = " ".join(text.split())
        if len(sentence) < self.least:
            return Refusal.of("too_short", least=self.least)
        if len(sentence) > self.most:
            return Refusal.of("too_long", most=self.most)
        return sentence


@dataclass(frozen=True)
class PersonName:
    """A person's name, normalised; its use case checks whether it is available."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        name = tidy(text)
        if not name:
            return Refusal("not_a_name")
        return name if len(name) <= NAME_MAX else Refusal.of("too_long", most=NAME_MAX)
