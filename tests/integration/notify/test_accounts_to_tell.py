"""Where somebody is told what they did not ask for, whatever channels they are reached on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import cast

import pytest

from bot.context import AppContext
from bot.notify.owners import notify_owners
from bot.outbox.carriers import SMS
from bot.security.keyring import Keyring
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.texts import Texts
from services.domain.partner import Person
from services.policy import NO_CODES
from services.ports import Random
from tests.kit import request_channel
from tests.kit.channels import CHANNELS, CHAT
from tests.kit.plain_store import PHONE, PlainStore

REQUESTS = request_channel.NAME
SERVED = {**CHANNELS, REQUESTS: request_channel.CAPABILITIES}
CHAT_7, CHAT_8, REQUEST = ("telegram", "7"), ("telegram", "8"), (REQUESTS, PHONE.msisdn)
TEXT = (SMS, PHONE.msisdn)
ADMIN = ("telegram", "1")


def desk(channels: Mapping[str, ChannelCapabilities]) -> AppContext:
    chance = cast("Random", random.Random(1))
    keys = Keyring({"1": bytes(32)})
    return AppContext(Texts.load(), chance, keys, NO_CODES, (ADMIN,), channels=channels)


def linked(store: PlainStore, *accounts: tuple[str, str]) -> Person:
    store.undo()
    person = store.person()
    for channel, address in accounts:
        store.do(
            lambda tx, channel=channel, address=address: tx.people.link(channel, address, person.id)
        )
    return person


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ([], []),
        ([CHAT_7, CHAT_8], [CHAT_7, CHAT_8]),
        ([REQUEST, CHAT_8], [CHAT_8]),
        ([REQUEST], [TEXT]),
        ([("gone", "7")], [TEXT]),
        ([("gone", "7"), CHAT_8], [CHAT_8]),
    ],
)
def test_a_person_is_told_in_their_chats_or_else_by_sms(
    store: PlainStore, accounts: list[tuple[str, str]], told: list[tuple[str, str]]
) -> None:
    person = linked(store, *accounts)
    assert desk(SERVED).accounts_to_tell(store.tx, person) == told


@pytest.mark.parametrize(
    ("accounts", "asked", "told"),
    [
        ([CHAT_7, CHAT_8], CHAT_8, CHAT_8),
        ([REQUEST, CHAT_8], REQUEST, CHAT_8),
        ([REQUEST], REQUEST, TEXT),
        ([], REQUEST, None),  # linked to nobody any more
        ([], CHAT_7, CHAT_7),
    ],
)
def test_an_account_on_a_channel_that_only_answers_is_told_elsewhere(
    store: PlainStore,
    accounts: list[tuple[str, str]],
    asked: tuple[str, str],
    told: tuple[str, str] | None,
) -> None:
    linked(store, *accounts)
    assert desk(SERVED).account_to_tell(store.tx, *asked) == told


def test_owners_who_can_be_told_nowhere_are_stood_in_for_by_the_admins(store: PlainStore) -> None:
    person = linked(store, REQUEST)
    facts = dict.fromkeys(
        ("reference", "amount", "payer", "receipt", "at", "partner", "balance"), "-"
    )

    def told(channels: Mapping[str, ChannelCapabilities]) -> list[tuple[str, str]]:
        code = person.partner.code
        rows = notify_owners(store.tx, desk(channels), code, "notice.credited", facts)
        return [(row.channel, row.address) for row in rows]

    assert told(SERVED) == [TEXT]
    assert told({"telegram": CHAT, REQUESTS: request_channel.CAPABILITIES}) == [ADMIN]
