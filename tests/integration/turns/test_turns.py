"""One event is one transaction, decided once, for whoever may have it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from structlog.testing import capture_logs

from bot.context import AppContext as At
from bot.turns.host import REQUIRED_RIGHTS, TurnHost
from bot.turns.sessions import SessionCache
from bot.turns.turn import Decided, Turns
from flows.catalogue import all_flows
from flows.engine.engine import StepResult
from flows.engine.event import Event, EventKind
from flows.engine.host import Host
from flows.engine.session import Session
from services import joining, partners
from services.domain.audit import by_admin
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.joining import Invited
from services.policy import Policy
from services.ports import Random
from storage.transaction import SqliteTx
from tests.kit.turns_on_database import (
    ADMIN,
    ADMINS,
    AMINA,
    AMINA_AT_HOME,
    BARAKA,
    KEYS,
    STRANGER,
    TEXTS,
    BrittleEngine,
    TurnRunner,
)

# Decided once


async def test_a_decided_event_has_committed_its_answer_its_place_and_its_trail(
    runner: TurnRunner,
) -> None:
    decided = await runner.command("topup")
    assert [row.text[:8] for row in decided.rows] == ["How much"]
    assert runner.committed == list(decided.rows)
    assert await runner.row() == (1, "topup.amount")
    assert [await runner.count_of(table) for table in ("events", "outbox", "trail")] == [1, 1, 1]


async def test_an_answer_carries_its_event_and_the_turn_of_its_buttons(runner: TurnRunner) -> None:
    await runner.command("topup")
    decided = await runner.say("1500")
    (row,) = decided.rows
    assert (row.event_id, row.turn, row.kind, row.address) == ("2", 2, "answer", AMINA)


async def test_the_same_event_again_decides_and_sends_nothing(runner: TurnRunner) -> None:
    event = runner.event(EventKind.COMMAND, text="topup")
    await runner.turns.handle(event)
    before, sent = await runner.everything(), list(runner.committed)
    again = await runner.turns.handle(event)
    assert again == Decided(repeated=True)
    assert (await runner.everything(), runner.committed) == (before, sent)


async def test_the_same_yes_again_begins_no_second_top_up(runner: TurnRunner) -> None:
    await runner.to_confirm()
    event = runner.event(EventKind.TAP, turn=3, option="yes")
    await runner.turns.handle(event)
    await runner.turns.handle(event)
    assert (await runner.count_of("wallet_transactions"), runner.began) == (1, 1)


async def test_one_id_on_two_channels_is_two_events(runner: TurnRunner) -> None:
    event = runner.event(EventKind.COMMAND, text="balance")
    await runner.turns.handle(event)
    decided = await runner.turns.handle(event._replace(channel="terminal"))
    assert not decided.repeated
    assert len(decided.rows) == 1


async def test_a_stale_tap_is_decided_without_a_message(runner: TurnRunner) -> None:
    await runner.command("topup")
    decided = await runner.turns.handle(runner.event(EventKind.TAP, turn=0, option="cancel"))
    assert len(decided.rows) == 0
    assert decided.alert is not None
    assert await runner.row() == (1, "topup.amount")


async def test_yes_wakes_the_worker_after_its_commit(runner: TurnRunner) -> None:
    await runner.to_confirm()
    assert runner.began == 0
    decided = await runner.tap("yes")
    assert decided.operation is not None
    assert runner.begun == [decided.operation]
    assert await runner.row() == (4, "topup.push")


async def test_words_are_in_no_trail(runner: TurnRunner) -> None:
    await runner.command("topup")
    await runner.say("4321")
    lines = await runner.database.read(lambda tx: tx.trail.last(9))
    assert len(lines) == 2
    assert "4321" not in "".join(lines)


# Whose conversation


async def test_two_accounts_of_one_person_are_two_conversations(runner: TurnRunner) -> None:
    await runner.to_confirm(AMINA)
    await runner.command("topup", AMINA_AT_HOME)
    assert await runner.row(AMINA) == (3, "topup.confirm")
    assert await runner.row(AMINA_AT_HOME) == (1, "topup.amount")


async def test_two_accounts_of_one_person_share_the_wallets_operations(runner: TurnRunner) -> None:
    """The second account is asked before a second prompt for the same amount and phone."""
    for address in (AMINA, AMINA_AT_HOME):
        await runner.to_confirm(address)
        await runner.tap("yes", address)
    assert await runner.row(AMINA_AT_HOME) == (4, "topup.duplicate")
    assert await runner.count_of("wallet_transactions") == 1


async def test_the_same_address_on_another_channel_is_another_conversation(
    runner: TurnRunner,
) -> None:
    await runner.to_confirm()
    await runner.command("topup", channel="terminal")
    assert await runner.row() == (3, "topup.confirm")
    assert await runner.row(channel="terminal") == (1, "topup.amount")


async def test_a_tap_on_another_accounts_screen_is_stale(runner: TurnRunner) -> None:
    await runner.to_confirm(AMINA)
    await runner.command("topup", AMINA_AT_HOME)
    decided = await runner.turns.handle(
        runner.event(EventKind.TAP, AMINA_AT_HOME, turn=3, option="yes")
    )
    assert (decided.operation, len(decided.rows)) == (None, 0)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (STRANGER, f"This account is not linked to a business yet. .*{STRANGER}"),
        (ADMIN, "You are an admin of this desk."),
        (BARAKA, "Your role in FINSAFE lets you look, but not move money."),
    ],
)
async def test_who_may_not_move_money_is_told_why(
    runner: TurnRunner, address: str, said: str
) -> None:
    decided = await runner.command("topup", address)
    assert re.search(said, decided.rows[0].text)
    assert runner.began == 0


def becomes(role: Role) -> Callable[[SqliteTx], object]:
    """Amina is that from now on, at the same accounts."""
    phone = Phone("254712345678")
    return lambda tx: tx.people.add_person("FINSAFE", "amina", role, phone, None, "en")


async def test_a_role_that_was_taken_meanwhile_moves_nothing(runner: TurnRunner) -> None:
    await runner.to_confirm()
    await runner.database.write(becomes(Role.VIEWER))
    decided = await runner.tap("yes")
    assert "Your role in FINSAFE" in decided.rows[0].text
    assert await runner.count_of("wallet_transactions") == 0


@pytest.mark.parametrize("parked", [False, True])
async def test_what_was_open_is_gone_with_the_role(runner: TurnRunner, parked: bool) -> None:
    """The step itself asks for no right: whoever has lost the role may not go on at all."""
    await runner.command("invite")
    await runner.tap("operator")
    await runner.say("baraka")
    assert await runner.row() == (3, "invite.confirm")
    if parked:
        await runner.command("balance")
    await runner.database.write(becomes(Role.OPERATOR))
    decided = await (runner.command("invite") if parked else runner.tap("yes"))
    assert "Your role in FINSAFE" in decided.rows[0].text
    assert await runner.count_of("invites") == 0
    await runner.database.write(becomes(Role.OWNER))
    decided = await runner.command("invite")
    assert "Continue" not in decided.rows[0].text
    row = await runner.row()
    assert row is not None
    assert row[1] == "invite.role"


async def test_every_step_that_moves_money_asks_for_the_role_itself(runner: TurnRunner) -> None:
    """Whatever conversation it stands in, and whatever that one asks for."""

    def ask(tx: SqliteTx) -> None:
        baraka = tx.people.at("telegram", BARAKA)
        event = runner.event(EventKind.TEXT, BARAKA)
        host = TurnHost(runner.turns._context, tx, event, baraka, is_admin=False)
        refused = Refusal.of("role", partner="FINSAFE")
        for use_case in REQUIRED_RIGHTS:
            assert host.run(use_case, {}, None) == refused
            assert host.check_code(use_case, {}, "TU-222222", "123456") == refused
            assert host.act(use_case, "TU-222222") == refused

    await runner.database.write(ask)


async def test_a_partner_that_was_suspended_meanwhile_moves_nothing(runner: TurnRunner) -> None:
    await runner.to_confirm()
    await runner.database.write(lambda tx: partners.add(tx, Partner("FINSAFE", suspended=True)))
    decided = await runner.tap("yes")
    assert "FINSAFE is suspended" in decided.rows[0].text
    assert await runner.count_of("wallet_transactions") == 0


# A code that is typed


def coded(runner: TurnRunner) -> TurnRunner:
    """The same desk, where every top-up needs a code."""
    policy = Policy(topup_code_above=Money(0))
    runner.turns = Turns(
        runner.database,
        BrittleEngine(all_flows(), TEXTS),
        SessionCache(all_flows()),
        At(TEXTS, cast("Random", random.Random(1)), KEYS, policy, ADMINS),
        runner._committed,
        runner._begins,
        lambda tx, outcome: (),
    )
    return runner


async def to_code(runner: TurnRunner) -> str:
    """At the question for a code; returns the code."""
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
    assert (again.repeated, len(again.rows)) == (True, 0)
    assert await runner.count_of("wallet_transactions") == 1


async def test_a_code_is_at_rest_nowhere(runner: TurnRunner) -> None:
    code = await to_code(coded(runner))
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for typed in (wrong, code):
        await runner.say(typed, message_id="m77")

    def dump(tx: SqliteTx) -> str:
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
    """The next step raises after it has done its work."""
    engine = runner.turns._engine
    step = engine.step

    def raises(session: Session, event: Event, host: Host) -> StepResult:
        step(session, event, host)
        raise ZeroDivisionError

    engine.step = raises  # type: ignore[method-assign]


async def test_each_sees_the_commands_of_the_own_role_and_language_once(runner: TurnRunner) -> None:
    def words(decided: Decided) -> list[str] | None:
        return None if decided.commands is None else [word for word, _ in decided.commands]

    owner = words(await runner.say("hello"))
    assert owner is not None
    assert {"topup", "float", "invite", "help"} <= set(owner)
    assert "partners" not in owner
    assert words(await runner.say("hello")) is None
    viewer = words(await runner.say("hello", BARAKA))
    assert viewer is not None
    assert {"balance", "history"} <= set(viewer)
    assert not {"topup", "float", "invite", "approve"} & set(viewer)
    admin = words(await runner.say("hello", ADMIN))
    assert admin is not None
    assert {"partners", "resolve"} <= set(admin)
    assert "topup" not in admin
    assert words(await runner.say("hello", STRANGER)) is None
    assert words(await runner.say("hello", AMINA_AT_HOME, channel="terminal")) is None

    def moves_on(tx: SqliteTx) -> None:
        baraka = tx.people.of_name("FINSAFE", "baraka")
        assert baraka is not None
        tx.people.set_language(baraka.id, "sw")
        tx.people.unlink("telegram", AMINA)

    await runner.database.write(moves_on)
    assert words(await runner.say("hello")) == []
    assert words(await runner.say("hello")) is None
    swahili = await runner.say("hello", BARAKA)
    assert swahili.commands is not None
    assert dict(swahili.commands)["balance"] == TEXTS.say("sw", "command.balance")


async def test_the_old_buttons_of_who_is_an_admin_no_more_open_nothing(runner: TurnRunner) -> None:
    await runner.command("suspend", ADMIN)
    await runner.say("FINSAFE", ADMIN)
    asked = await runner.row(ADMIN)
    assert asked is not None
    assert asked[1] == "suspend.confirm"
    runner.turns._context = replace(
        runner.turns._context, admins=()
    )  # as after a restart without them
    decided = await runner.tap("yes", ADMIN)
    assert decided.exit == "not_linked"
    assert "not linked" in (decided.alert or "")
    partner = await runner.database.read(lambda tx: tx.people.partner("FINSAFE"))
    assert partner is not None
    assert not partner.suspended
    assert await runner.count_of("audit_log") == 0
    assert (await runner.command("partners", ADMIN)).exit == "not_linked"


async def test_the_older_account_hears_of_one_beside_it_on_another_channel(
    runner: TurnRunner,
) -> None:
    """A swapped SIM is seen by whoever still has the chat."""

    def invite(tx: SqliteTx) -> str:
        by = by_admin("telegram", ADMIN)
        invited = joining.invite(tx, random.Random(1), "FINSAFE", Role.VIEWER, "baraka", by)
        assert isinstance(invited, Invited)
        return invited.token

    token = await runner.database.write(invite)
    at = {"address": STRANGER, "channel": "terminal"}
    await runner.turns.handle(runner.event(EventKind.COMMAND, text="start", argument=token, **at))
    sent = await runner.say("0733123456", **at)
    words = "".join(KEYS.unseal(row.text) or "" for row in sent.rows if row.kind == "code")
    code = re.search(r"\b[0-9]{6}\b", words)
    assert code is not None
    decided = await runner.say(code[0], **at)
    told = [row for row in decided.rows if row.address == BARAKA]
    assert [row.text[:55] for row in told] == [
        "baraka of FINSAFE now writes from another account too. "
    ]
