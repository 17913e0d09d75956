"""Credentials of the simulated Daraja app and of its short code. All are invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DarajaCredentials:
    """``consumer_key`` and ``consumer_secret`` are those of the app; the initiator is the short
    code's API user, whose password travels only as a SecurityCredential.
    """

    consumer_key: str
    consumer_secret: str
    short_code: str
    short_code_name: str
    initiator_name: str
    initiator_password: str


CREDENTIALS = DarajaCredentials(
    consumer_key="simulated-consumer-key",
    consumer_secret="simulated-consumer-secret",
    short_code="400187",
    short_code_name="Hazina Simulated",
    initiator_name="hazinaapi",
    initiator_password="Simulated#2026$",  # no special characters but # & % $ (facts: Daraja 4)
)
