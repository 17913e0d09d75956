"""Parsers of who is paid: a phone, or a name that the partner has saved."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.engine.host import Host
from flows.parsers.values import read_mobile
from services.domain.phone import Phone
from services.domain.refusal import Refusal

_FIGURES = re.compile(r"[0-9]")


@dataclass(frozen=True)
class Payee:
    """A saved recipient's name, or a phone as ``read_mobile`` reads it; the phone is what counts.

    Refusals: those of ``read_mobile``; ``unknown_recipient`` for words without a figure that are no
    saved name.
    """

    def __call__(self, text: str, host: Host) -> Phone | Refusal:
        saved = host.recipient(text)
        if saved is not None:
            return saved
        phone = read_mobile(text)
        if isinstance(phone, Refusal) and not _FIGURES.search(text):
            return Refusal("unknown_recipient")
        return phone
