"""However often requests come again, their answers and everything stored stay the same."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.turns.turn import Decided
from flows.engine.event import from_text
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit import request_channel
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PlainStore, StoreDatabase
from tests.kit.turns_on_database import AMINA, TurnRunner, seed

REQUESTS = request_channel.NAME
SERVED = {**CHANNELS, REQUESTS: request_channel.CAPABILITIES}
PHONE = "254712345678"
TYPED = ["1", "2", "3", "1500", "topup", "balance", "history", "menu", "cancel", "boom", "hello"]

steps = st.lists(
    st.tuples(
        st.sampled_from(TYPED),
        st.lists(st.integers(0, 20), max_size=3),  # earlier requests that come again after it
        st.booleans(),  # whether the program is restarted after it
    ),
    min_size=1,
    max_size=14,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_repeated_requests_change_nothing(
    store: PlainStore, steps: list[tuple[str, list[int], bool]]
) -> None:
    once = asyncio.run(_play(store, [(text, [], restarts) for text, _, restarts in steps]))
    assert asyncio.run(_play(store, steps)) == once


async def _play(store: PlainStore, steps: list[tuple[str, list[int], bool]]) -> Any:
    """The answer to each request, and every row that a turn could have changed."""
    store.undo()
    store.do(_seed)
    database = cast("Database", StoreDatabase(store))
    runner, answers = TurnRunner(database, SERVED), list[tuple[str, str]]()
    for n, (text, again, restarts) in enumerate(steps):
        answers.append(_read(await _ask(runner, n, text)))
        for earlier in again:
            number = earlier % len(answers)
            decided = await _ask(runner, number, steps[number][0])
            assert (decided.repeated, _read(decided)) == (True, answers[number])
        assert runner.committed == []
        if restarts:
            runner = TurnRunner(database, SERVED)
    return answers, await runner.everything()


async def _ask(runner: TurnRunner, number: int, text: str) -> Decided:
    request_id = f"r{number}"
    return await runner.turns.handle(from_text(REQUESTS, PHONE, request_id, text, request_id))


def _read(decided: Decided) -> tuple[str, str]:
    return ("", "") if decided.answer is None else (decided.answer.text, decided.answer.rows)


def _seed(tx: StoreTx) -> None:
    seed(tx)
    person = tx.people.at("telegram", AMINA)
    assert person is not None
    tx.people.link(REQUESTS, PHONE, person.id)
