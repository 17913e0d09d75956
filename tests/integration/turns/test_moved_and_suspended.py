"""What was open when somebody's partner was suspended, or became another one."""

from __future__ import annotations

from flows.engine.event import EventKind
from services import partners
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx
from tests.kit.turns_on_database import ADMIN, AMINA, TurnRunner


def suspend(tx: Tx) -> None:
    partners.add(tx, Partner("FINSAFE", suspended=True))


def move_to_another_partner(tx: Tx) -> None:
    partners.add(tx, Partner("OTHER"))
    tx.people.unlink("telegram", AMINA)
    phone = Phone("254712345678")
    person = tx.people.add_person("OTHER", "amina", Role.OWNER, phone, None, "en")
    tx.people.link("telegram", AMINA, person)


async def test_a_question_that_was_open_can_still_be_seen_while_suspended(
    runner: TurnRunner,
) -> None:
    await runner.command("topup")
    await runner.database.write(suspend)
    for said in ("a lot", "hello"):
        decided = await runner.say(said)
        assert decided.fault is None
    decided = await runner.command("topup")
    assert decided.fault is None
    assert "FINSAFE is suspended" in decided.rows[0].text


async def test_a_confirmation_that_was_open_while_suspended_is_refused(
    runner: TurnRunner,
) -> None:
    await runner.to_confirm()
    await runner.database.write(suspend)
    decided = await runner.tap("edit-amount")
    assert decided.fault is None
    await runner.say("2000")
    decided = await runner.tap("yes")
    assert "FINSAFE is suspended" in decided.rows[0].text
    assert await runner.count_of("wallet_transactions") == 0


async def test_what_waits_at_the_former_partner_is_closed_without_a_fault(
    runner: TurnRunner,
) -> None:
    await runner.to_confirm()
    await runner.tap("yes")
    await runner.database.write(move_to_another_partner)
    for step in (runner.say("hello"), runner.command("menu"), runner.command("history")):
        decided = await step
        assert decided.fault is None
        assert "FINSAFE" not in decided.rows[-1].text


async def test_another_partners_reference_is_not_shown_and_the_attempt_is_noted(
    runner: TurnRunner,
) -> None:
    """Nothing leads there but a conversation that was tampered with, as this one is."""
    await runner.to_confirm()
    started = await runner.tap("yes")
    await runner.database.write(move_to_another_partner)
    await runner.command("history")
    body = f'"node":"detail","data":{{"reference":"{started.operation}"}},"was":'
    await runner.database.write(
        lambda tx: tx.conn.execute(
            'UPDATE sessions SET body = replace(body, \'"node":"list","data":\', ?)', (body,)
        )
    )
    decided = await runner.tap("refresh")
    assert decided.fault is not None
    assert str(started.operation) not in decided.rows[0].text
    assert await runner.count_of("audit_log") == 1


async def test_an_option_of_an_end_opens_nothing_of_another_partner(runner: TurnRunner) -> None:
    await runner.to_confirm()
    reference = (await runner.tap("yes")).operation
    assert reference is not None
    await runner.database.write(move_to_another_partner)
    for option in ("again", "other", "details"):
        event = runner.event(EventKind.TAP, AMINA, turn=0, option=f"{option}:{reference.lower()}")
        decided = await runner.turns.handle(event)
        assert (decided.fault, decided.exit) == (None, "not_yours")
        assert "1,500" not in decided.rows[-1].text


async def test_an_option_about_what_does_not_exist_is_no_fault(runner: TurnRunner) -> None:
    for address in (AMINA, ADMIN):
        for about in ("zz-222222", "tu-222222", "fl-222222"):
            event = runner.event(EventKind.TAP, address, turn=0, option=f"again:{about}")
            assert (await runner.turns.handle(event)).fault is None
