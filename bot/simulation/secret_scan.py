"""Searches for secrets where none may be stored: database files, outbox, trail and log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.simulation.credentials import (
    DARAJA_SECRET,
    FLOAT_KEY,
    FLOAT_PASSWORD,
    KEYS,
    NCBA_PASSWORD,
    NOTIFY_SECRET,
    USSD_SECRET,
)
from bot.simulation.daraja.credentials import CREDENTIALS as DARAJA
from bot.simulation.daraja.security_credential import seal
from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.telegram.server import TOKEN
from bot.simulation.world import World

# An invitation token or API key ends in 32 random bytes; a hexadecimal digest is neither.
_TOKEN = re.compile(r"(?<![\w-])(?![0-9a-f]+(?![\w-]))[\w-]{43,}(?![\w-])", re.ASCII)
WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")
CODE = re.compile(r"(?<![0-9-])[0-9]{6}(?![0-9])")  # a reference may be TU-337883
_DIGITS = re.compile(r"[0-9]{4,6}")  # a code, or a desk PIN
# A date, an amount, or an entry of an index over the last four digits of phones: after the lengths
# of its columns those digits, then numbers of rows, whose bytes may be digits too.
_BY_CHANCE = re.compile(rb'20[0-9]{2}-[0-9]{2}-[0-9]{2}|"cents":[0-9]+|\x15[\x01\x02]{1,2}[0-9]{6}')
_NUMBERS_ALONE = bytes(byte if chr(byte).isdecimal() else ord(" ") for byte in range(256))
_STEM = 5  # leading bytes shared by tokens of one kind: if they are absent, so are the tokens


@dataclass(frozen=True, slots=True)
class KnownSecrets:
    """Every secret used in this run, by a name that describes it."""

    by_name: dict[str, str]

    @classmethod
    def of(
        cls,
        world: World,
        shown: Iterable[str],
        api_keys: Iterable[str] = (),
        api_answers: Iterable[str] = (),
    ) -> KnownSecrets:
        """``shown`` holds the texts people have read in their chats; the API was called with these
        keys, and answered that."""
        shown, api_answers = list(shown), list(api_answers)
        named = {
            "bot token": TOKEN,
            "NCBA password": NCBA_PASSWORD,
            "Open Banking password": FLOAT_PASSWORD,
            "subscription key": FLOAT_KEY,
            "notification address": NOTIFY_SECRET,
            "USSD address": USSD_SECRET,
            "notification password": NOTIFY.password,
            "notification key": NOTIFY.secret_key,
            "Daraja address": DARAJA_SECRET,
            "consumer secret": DARAJA.consumer_secret,
            "initiator password": DARAJA.initiator_password,
            "security credential": seal(DARAJA.initiator_password),
            "key": KEYS.partition(":")[2],
        }
        for number, token in enumerate(world.bank.issued_tokens(), start=1):
            named[f"NCBA token {number}"] = token
        for number, token in enumerate(world.daraja.issued_tokens(), start=1):
            named[f"Daraja token {number}"] = token
        for number, sealed in enumerate(world.daraja.initiator.credentials, start=1):
            named[f"security credential {number}"] = sealed
        sent = [text for texts in world.sms.texts.values() for text in texts]
        sent += [mail.text for mails in world.mail.mails.values() for mail in mails]
        codes = dict.fromkeys(code for text in sent for code in CODE.findall(text))
        for number, code in enumerate(codes, start=1):
            named[f"code {number}"] = code
        tokens = dict.fromkeys(token for text in shown for token in _TOKEN.findall(text))
        for number, token in enumerate(tokens, start=1):
            named[f"token {number}"] = token
        for number, key in enumerate(api_keys, start=1):
            named[f"API key {number}"] = key.split("_", 2)[2]  # its prefix is shown
        signing = dict.fromkeys(
            secret for text in shown + api_answers for secret in WEBHOOK_SECRET.findall(text)
        )
        for number, secret in enumerate(signing, start=1):
            named[f"webhook secret {number}"] = secret.removeprefix("whsec_")
        return cls(named)

    def and_pins(self, pins: Iterable[str]) -> KnownSecrets:
        """Also the desk PINs that people have set."""
        more = {f"desk PIN {number}": pin for number, pin in enumerate(pins, start=1)}
        return KnownSecrets({**self.by_name, **more})

    def and_held(self, secrets: Iterable[str]) -> KnownSecrets:
        """Also those that partners' systems hold."""
        more = {f"held secret {number}": secret for number, secret in enumerate(secrets, start=1)}
        return KnownSecrets({**self.by_name, **more})


def leaked_secrets(
    planted: KnownSecrets, files: Mapping[str, bytes], log: Iterable[str]
) -> list[str]:
    """Where each secret was found, without repeating it. Outbox and trail are database tables."""
    found = []
    places = {"the log": "\n".join(log).encode(), **files}
    secrets = {name: secret.encode() for name, secret in planted.by_name.items()}
    codes = {name for name, secret in planted.by_name.items() if _DIGITS.fullmatch(secret)}
    stems = {secret[:_STEM] for name, secret in secrets.items() if name not in codes}
    for place, content in places.items():
        numbers = set(content.translate(_NUMBERS_ALONE).split())
        there = {stem for stem in stems if stem in content}
        for name, wanted in secrets.items():
            if name in codes:
                # Long numbers, fractions of seconds, digests, dates, amounts and indexes can
                # contain any four to six digits.
                alone = rb"(?<![0-9a-f.])" + wanted + rb"(?![0-9a-f])"
                if wanted in numbers and re.search(alone, _BY_CHANCE.sub(b" ", content)):
                    found.append(f"{name} in {place}")
            elif wanted[:_STEM] in there and wanted in content:
                found.append(f"{name} in {place}")
    return found
