"""A typed code is deleted from the chat and starts only the operation it approves."""

from __future__ import annotations

import re

from structlog.testing import capture_logs

from flows.engine.engine import StepResult
from flows.engine.event import Event, EventKind
from flows.engine.host import Host
from flows.engine.session import Session
from services.domain.money import Money
from services.policy import Policy
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.turns_on_database import (
    KEYS,
    TurnRunner,
)


def coded(runner: TurnRunner) -> TurnRunner:
    """The same runner, with a code required for every top-up."""
    policy = Policy(topup_code_above=Money(0))
    runner.serve(CHANNELS, policy)
    return runner


async def to_code(runner: TurnRunner) -> str:
    """Go to the question for a code; return the code."""
    await runner.to_confirm()
    decided = await runner.tap("yes")
    sms = decided.rows[0]
    assert (sms.kind, sms.channel, sms.address) == ("code", "sms", "254712345678")
    words = KEYS.unseal(sms.text)
    assert words is not None
    (code,) = re.findall(r"\b[0-9]{6}\b", words)
    return str(code)


async def test_the_code_goes_out_before_the_question_and_nothing_is_due_yet(
    runner: TurnRunner,
) -> None:
    await coded(runner).to_confirm()
    decided = await runner.tap("yes")
    assert [(row.channel, row.kind) for row in decided.rows] == [
        ("sms", "code"),
        ("telegram", "answer"),
    ]
    assert await runner.row() == (4, "topup.code")
    assert await runner.count_of("wallet_transactions") == 0


async def test_a_code_that_is_typed_is_taken_away_and_begins_what_it_approves(
    runner: TurnRunner,
) -> None:
    code = await to_code(coded(runner))
    decided = await runner.say(code, message_id="m77")
    wipe, answer = decided.rows
    assert (wipe.kind, wipe.target, wipe.text, wipe.event_id, wipe.n) == (
        "wipe",
        "m77",
        "",
        answer.event_id,
        1,
    )
    assert (answer.kind, answer.n) == ("answer", 0)
    assert decided.operation is not None
    assert runner.begun[-1] == decided.operation
    assert await runner.row() == (5, "topup.push")


async def test_what_is_no_code_is_taken_away_too(runner: TurnRunner) -> None:
    await to_code(coded(runner))
    decided = await runner.say("12345", message_id="m77")
    assert [row.kind for row in decided.rows] == ["wipe", "answer"]


async def test_where_messages_have_no_id_nothing_is_taken_away(runner: TurnRunner) -> None:
    code = await to_code(coded(runner))
    decided = await runner.say(code)
    assert [row.kind for row in decided.rows] == ["answer"]


async def test_the_same_code_again_is_decided_once(runner: TurnRunner) -> None:
    code = await to_code(coded(runner))
    event = runner.event(EventKind.TEXT, text=code, message_id="m77")
    await runner.turns.handle(event)
    again = await runner.turns.handle(event)
    assert (again.repeated, [row.kind for row in again.rows]) == (True, ["wipe", "answer"])
    assert await runner.count_of("wallet_transactions") == 1


async def test_a_code_is_at_rest_nowhere(runner: TurnRunner) -> None:
    code = await to_code(coded(runner))
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for typed in (wrong, code):
        await runner.say(typed, message_id="m77")

    def dump(tx: StoreTx) -> str:
        return "\n".join(tx.conn.iterdump())

    stored = await runner.database.read(dump)
    assert code not in stored
    assert wrong not in stored


async def test_a_turn_that_raises_after_the_code_was_right_leaves_it_unused(
    runner: TurnRunner,
) -> None:
    code = await to_code(coded(runner))
    before = await runner.row()
    with capture_logs() as logs:
        engine_boom(runner)
        await runner.say(code, message_id="m77")
    assert (await runner.row(), await runner.count_of("wallet_transactions")) == (before, 0)
    assert code not in str([{**log, "exc_info": None} for log in logs])
    coded(runner)
    await runner.say(code, message_id="m78")
    assert await runner.count_of("wallet_transactions") == 1


def engine_boom(runner: TurnRunner) -> None:
    """Make the next step raise after it has done its work."""
    engine = runner.turns._engine
    step = engine.step

    def raises(session: Session, event: Event, host: Host) -> StepResult:
        step(session, event, host)
        raise ZeroDivisionError

    engine.step = raises  # type: ignore[method-assign]


async def test_somebody_who_was_unlinked_while_a_code_was_asked_for_may_be_invited_again(
    runner: TurnRunner,
) -> None:
    await to_code(coded(runner))
    await runner.database.write(lambda tx: tx.people.unlink("telegram", "77"))
    event = runner.event(EventKind.COMMAND, text="start", argument="AnInvitationThatIsNotThere")
    decided = await runner.turns.handle(event)
    assert decided.fault is None
    assert "invitation" in decided.rows[-1].text
