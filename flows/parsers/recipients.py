"""Parsers of who is paid: a phone, or a name that the partner saves or has saved."""

from __future__ import annotations

from dataclasses import dataclass

from flows.engine.host import Host
from flows.parsers.values import read_mobile
from services.domain.phone import Phone
from services.domain.recipient import NAME_MAX, is_name
from services.domain.refusal import Refusal


@dataclass(frozen=True)
class Payee:
    """A saved recipient's name, or a phone as ``read_mobile`` reads it; the phone is what counts.

    Refusals: those of ``read_mobile``; ``unknown_recipient`` for words that are no saved name.
    """

    def __call__(self, text: str, host: Host) -> Phone | Refusal:
        saved = host.recipient(text)
        if saved is not None:
            return saved
        phone = read_mobile(text)
        if isinstance(phone, Refusal) and any(map(str.isalpha, text)):
            return Refusal("unknown_recipient")
        return phone


@dataclass(frozen=True)
class RecipientName:
    """Refusal: ``not_a_recipient_name`` (most): it begins with a letter, so that it is never taken
    for a number or an amount."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        typed = " ".join(text.split())
        return typed if is_name(typed) else Refusal.of("not_a_recipient_name", most=NAME_MAX)
