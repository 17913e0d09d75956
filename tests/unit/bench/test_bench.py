"""The benchmark measures the real program: small runs of it finish, and its sums are correct."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx
import pytest

from bot.bench import operations, screens, telegram, turns
from bot.bench.peer import peer
from bot.bench.program import Person, simulated_bank
from bot.bench.report import Case, Target, percentile
from bot.bench.request_stub import RequestStub
from bot.bench.scripted_chat import Feed, ScriptedChat
from bot.bench.scripted_user import ROUND_INPUTS
from bot.bench.transport import AsgiTransport
from bot.simulation.faults import parse_fault
from storage.sqlite.database import Database


def test_nearest_rank_percentiles() -> None:
    values = [float(n) for n in range(1, 101)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1.0) == 100
    assert math.isnan(percentile([], 0.5))


def test_a_line_says_what_was_reached_and_what_should_have_been() -> None:
    targets = (Target("turns_per_s", at_least=4_000), Target("p99_ms", below=40))
    line = json.loads(
        Case("turns", {"people": 64}, {"turns_per_s": 4_321.98, "p99_ms": 40.0}, targets).line()
    )

    assert line["case"] == "turns"
    assert line["people"] == 64
    assert line["figures"] == {"turns_per_s": 4322.0, "p99_ms": 40.0}
    assert line["target"] == {"turns_per_s": {"at_least": 4000}, "p99_ms": {"below": 40}}
    assert line["ok"] is False


def test_where_nothing_is_promised_nothing_is_judged() -> None:
    assert Case("raw", {}, {"functions_per_s": 1}).ok is None


async def test_turns_are_measured_with_and_without_delivery(tmp_path: Path) -> None:
    cases = await _all(turns.measure(people=4, seconds=0.1, within=tmp_path, warm_up_s=0.1))

    assert [case.name for case in cases] == [
        "raw commits, one thread",
        "raw commits, Database.write",
        "turns",
        "turns and delivery",
        "turns and delivery, twice as many offered",
    ]
    assert cases[2].figures["answers_per_s"] == 0
    assert cases[3].figures["answers_per_s"] > 0
    assert cases[4].figures["of_answered"] > 0


async def test_an_answers_way_out_is_measured_beside_the_peers(tmp_path: Path) -> None:
    cases = await _all(telegram.measure(people=3, seconds=0.1, pairs=1, within=tmp_path))

    assert [case.name for case in cases] == [
        "telegram: this desk, durable",
        "telegram: PTB's ConversationHandler, in memory",
        "telegram",
    ]
    assert cases[2].figures["of_peer"] > 0


async def test_the_peer_draws_the_same_screens(tmp_path: Path) -> None:
    crowd = [Person(0)]

    assert await _screens(telegram.hazina_bot(tmp_path / "telegram.db", crowd)) == await _screens(
        peer()
    )


async def _screens(
    opened: AbstractAsyncContextManager[tuple[Feed, RequestStub]],
) -> list[tuple[str, str, list[list[str]]]]:
    """What one person is shown in a round: the method, the text and the button labels."""
    shown = []

    def on_message(method: str, parameters: dict[str, str]) -> None:
        rows = json.loads(parameters["reply_markup"])["inline_keyboard"]
        text = re.sub(r" at .*", " at some time", parameters["text"])
        shown.append((method, text, [[button["text"] for button in row] for row in rows]))
        phone.hear(parameters)

    async with opened as (feed, request):
        phone = ScriptedChat(Person(0), feed, count(1))
        request.on_message = on_message
        for what in ROUND_INPUTS:
            await phone.perform(what)
    return shown


async def test_every_screen_is_measured(tmp_path: Path) -> None:
    cases = await _all(screens.measure(operations=100, rate=50.0, samples=2, within=tmp_path))

    assert [case.name for case in cases] == [
        "screen: balance",
        "screen: history",
        "screen: history deep",
        "screen: start a top-up",
    ]
    assert all(case.figures["p50_ms"] > 0 for case in cases)


async def test_the_books_of_a_seeded_database_are_in_order(tmp_path: Path) -> None:
    people = [Person(n) for n in range(20)]
    await operations.seed_database(tmp_path / "seeded.db", people, 300)
    database = await Database.open(tmp_path / "seeded.db", lambda: datetime.now(UTC))

    assert await database.read(lambda tx: tx.invariants.violations()) == []
    assert await database.read(lambda tx: len(tx.topups.every())) == 300
    await database.close()


def test_seeded_references_never_clash() -> None:
    drawn = {operations.reference(number) for number in range(100_000)}

    assert len(drawn) == 100_000


async def test_the_transport_brings_the_apps_answer() -> None:
    bank = simulated_bank()
    bank.arm(parse_fault("http 503"), "token")
    async with httpx.AsyncClient(transport=AsgiTransport(bank)) as client:
        answer = await client.get(
            "http://bank.simulated/payments/api/v1/auth/token", headers={"User-Agent": "Hazina/0.1"}
        )

    assert answer.status_code == 503
    assert answer.json()["status"] == "503"


@pytest.mark.parametrize("number", [0, 9, 10, 9_999])
def test_everybody_has_an_account_a_partner_and_a_phone_of_their_own(number: int) -> None:
    person, next_one = Person(number), Person(number + 1)

    assert person.address != next_one.address
    assert person.phone != next_one.phone


async def _all(cases: AsyncIterator[Case]) -> list[Case]:
    return [case async for case in cases]
