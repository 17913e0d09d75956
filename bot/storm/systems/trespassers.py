"""Requests that must change nothing: without a valid key, beyond a key's right, or about what
belongs to another partner."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.storm.systems.partner_system import GENERATE, PURCHASE, TOPUP, PartnerSystem
from bot.storm.systems.request import Request

NOBODYS = "TU-222222"


def trespass(
    dice: random.Random, mine: PartnerSystem, other: PartnerSystem | None
) -> tuple[Request, tuple[int, ...]]:
    """A request, and the statuses that it may be answered with."""
    draw: Callable[..., tuple[Request, tuple[int, ...]]] = dice.choice(
        (_without_key, _beyond_right, _of_other)
    )
    return draw(dice, mine, other)


def _some(dice: random.Random, system: PartnerSystem, reference: str) -> Sequence[Request]:
    """Requests that would change something, if they were allowed."""
    code = dice.choice(system.codes() or ["123456"])
    bodies = (
        (TOPUP, {"amount": 700, "phone_number": system.owner_phone}),
        (GENERATE, {"purpose": "float_purchase", "amount": 500}),
        (GENERATE, {"reference": reference}),
        (PURCHASE, {"amount": 500, "otp_reference": reference, "otp_code": code}),
        ("/v1/webhook-endpoints", {"url": "https://nobody.example/"}),
        ("/v1/otp/validate", {"reference": reference, "otp_code": code}),
        ("/v1/topup/validate", {"reference": reference}),
    )
    return [replace(system.post(path, body), key=system.new_key()) for path, body in bodies]


def _without_key(
    dice: random.Random, mine: PartnerSystem, other: PartnerSystem | None
) -> tuple[Request, tuple[int, ...]]:
    request = dice.choice(_some(dice, mine, _reference_of(dice, mine)))
    key, foreign = mine.key, None if other is None else other.key
    wrong = [None, "", "hz", key[:-1], key[:-1] + ("A" if key[-1] != "A" else "B"), key + "A"]
    if foreign is not None:
        wrong.append(key.rpartition("_")[0] + "_" + foreign.rpartition("_")[2])
    return replace(request, api_key=dice.choice(wrong)), (401,)


def _beyond_right(
    dice: random.Random, mine: PartnerSystem, other: PartnerSystem | None
) -> tuple[Request, tuple[int, ...]]:
    request = dice.choice(_some(dice, mine, _reference_of(dice, mine))[:-1])
    if dice.random() < 0.7:
        return replace(request, api_key=mine.reader), (403,)
    named = "NOBODY" if other is None else other.code
    return request.with_body(partner_id=named), (403,)


def _of_other(
    dice: random.Random, mine: PartnerSystem, other: PartnerSystem | None
) -> tuple[Request, tuple[int, ...]]:
    reference = NOBODYS if other is None else _reference_of(dice, other)
    kind = dice.randrange(4)
    if kind == 0:
        return mine.get(f"/v1/operations/{reference}"), (404,)
    if kind == 1 and other is not None and other.feed.last_id is not None:
        id_ = other.feed.last_id
        if dice.random() < 0.5:
            return mine.get("/v1/events", f"after={id_}"), (400,)
        return mine.post(f"/v1/events/{id_}/resend"), (404,)
    request = dice.choice([one for one in _some(dice, mine, reference) if _names(one, reference)])
    return request, (404,)


def _names(request: Request, reference: str) -> bool:
    return reference in (request.body or {}).values()


def _reference_of(dice: random.Random, system: PartnerSystem) -> str:
    return dice.choice(system.references) if system.references else NOBODYS
