"""One event, one transaction: decided once, whole or not at all."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from bot.context import AppContext as At
from bot.simulation.clock import VirtualClock
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
from storage.sqlite.database import Database, DatabaseUnavailable
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
    Desk,
    seed,
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = await Database.open(tmp_path / "hazina.db", VirtualClock().now)
    await database.write(seed)
    yield Desk(database)
    await database.close()


# Decided once


async def test_a_decided_event_has_committed_its_answer_its_place_and_its_trail(
    desk: Desk,
) -> None:
    decided = await desk.command("topup")
    assert [row.text[:8] for row in decided.rows] == ["How much"]
    assert desk.committed == list(decided.rows)
    assert await desk.row() == (1, "topup.amount")
    assert [await desk.count_of(table) for table in ("events", "outbox", "trail")] == [1, 1, 1]


async def test_an_answer_carries_its_event_and_the_turn_of_its_buttons(desk: Desk) -> None:
    await desk.command("topup")
    decided = await desk.say("1500")
    (row,) = decided.rows
    assert (row.event_id, row.turn, row.kind, row.address) == ("2", 2, "answer", AMINA)


async def test_the_same_event_again_decides_and_sends_nothing(desk: Desk) -> None:
    event = desk.event(EventKind.COMMAND, text="topup")
    await desk.turns.handle(event)
    before, sent = await desk.everything(), list(desk.committed)
    again = await desk.turns.handle(event)
    assert again == Decided(repeated=True)
    assert (await desk.everything(), desk.committed) == (before, sent)


async def test_the_same_yes_again_begins_no_second_top_up(desk: Desk) -> None:
    await desk.to_confirm()
    event = desk.event(EventKind.TAP, turn=3, option="yes")
    await desk.turns.handle(event)
    await desk.turns.handle(event)
    assert (await desk.count_of("wallet_transactions"), desk.began) == (1, 1)


async def test_one_id_on_two_channels_is_two_events(desk: Desk) -> None:
    event = desk.event(EventKind.COMMAND, text="balance")
    await desk.turns.handle(event)
    decided = await desk.turns.handle(event._replace(channel="terminal"))
    assert not decided.repeated
    assert len(decided.rows) == 1


async def test_a_stale_tap_is_decided_without_a_message(desk: Desk) -> None:
    await desk.command("topup")
    decided = await desk.turns.handle(desk.event(EventKind.TAP, turn=0, option="cancel"))
    assert len(decided.rows) == 0
    assert decided.alert is not None
    assert await desk.row() == (1, "topup.amount")


async def test_yes_wakes_the_worker_after_its_commit(desk: Desk) -> None:
    await desk.to_confirm()
    assert desk.began == 0
    decided = await desk.tap("yes")
    assert decided.operation is not None
    assert desk.begun == [decided.operation]
    assert await desk.row() == (4, "topup.push")


async def test_words_are_in_no_trail(desk: Desk) -> None:
    await desk.command("topup")
    await desk.say("4321")
    lines = await desk.database.read(lambda tx: tx.trail.last(9))
    assert len(lines) == 2
    assert "4321" not in "".join(lines)


# Whose conversation


async def test_two_accounts_of_one_person_are_two_conversations(desk: Desk) -> None:
    await desk.to_confirm(AMINA)
    await desk.command("topup", AMINA_AT_HOME)
    assert await desk.row(AMINA) == (3, "topup.confirm")
    assert await desk.row(AMINA_AT_HOME) == (1, "topup.amount")


async def test_two_accounts_of_one_person_share_the_wallets_operations(desk: Desk) -> None:
    """The second account is asked before a second prompt for the same amount and phone."""
    for address in (AMINA, AMINA_AT_HOME):
        await desk.to_confirm(address)
        await desk.tap("yes", address)
    assert await desk.row(AMINA_AT_HOME) == (4, "topup.duplicate")
    assert await desk.count_of("wallet_transactions") == 1


async def test_the_same_address_on_another_channel_is_another_conversation(desk: Desk) -> None:
    await desk.to_confirm()
    await desk.command("topup", channel="terminal")
    assert await desk.row() == (3, "topup.confirm")
    assert await desk.row(channel="terminal") == (1, "topup.amount")


async def test_a_tap_on_another_accounts_screen_is_stale(desk: Desk) -> None:
    await desk.to_confirm(AMINA)
    await desk.command("topup", AMINA_AT_HOME)
    decided = await desk.turns.handle(
        desk.event(EventKind.TAP, AMINA_AT_HOME, turn=3, option="yes")
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
async def test_who_may_not_move_money_is_told_why(desk: Desk, address: str, said: str) -> None:
    decided = await desk.command("topup", address)
    assert re.search(said, decided.rows[0].text)
    assert desk.began == 0


def becomes(role: Role) -> Callable[[SqliteTx], object]:
    """Amina is that from now on, at the same accounts."""
    phone = Phone("254712345678")
    return lambda tx: tx.people.add_person("FINSAFE", "amina", role, phone, None, "en")


async def test_a_role_that_was_taken_meanwhile_moves_nothing(desk: Desk) -> None:
    await desk.to_confirm()
    await desk.database.write(becomes(Role.VIEWER))
    decided = await desk.tap("yes")
    assert "Your role in FINSAFE" in decided.rows[0].text
    assert await desk.count_of("wallet_transactions") == 0


@pytest.mark.parametrize("parked", [False, True])
async def test_what_was_open_is_gone_with_the_role(desk: Desk, parked: bool) -> None:
    """The step itself asks for no right: whoever has lost the role may not go on at all."""
    await desk.command("invite")
    await desk.tap("operator")
    await desk.say("baraka")
    assert await desk.row() == (3, "invite.confirm")
    if parked:
        await desk.command("balance")
    await desk.database.write(becomes(Role.OPERATOR))
    decided = await (desk.command("invite") if parked else desk.tap("yes"))
    assert "Your role in FINSAFE" in decided.rows[0].text
    assert await desk.count_of("invites") == 0
    await desk.database.write(becomes(Role.OWNER))
    decided = await desk.command("invite")
    assert "Continue" not in decided.rows[0].text
    row = await desk.row()
    assert row is not None
    assert row[1] == "invite.role"


async def test_every_step_that_moves_money_asks_for_the_role_itself(desk: Desk) -> None:
    """Whatever conversation it stands in, and whatever that one asks for."""

    def ask(tx: SqliteTx) -> None:
        baraka = tx.people.at("telegram", BARAKA)
        event = desk.event(EventKind.TEXT, BARAKA)
        host = TurnHost(desk.turns._context, tx, event, baraka, is_admin=False)
        refused = Refusal.of("role", partner="FINSAFE")
        for use_case in REQUIRED_RIGHTS:
            assert host.run(use_case, {}, None) == refused
            assert host.check_code(use_case, {}, "TU-222222", "123456") == refused
            assert host.act(use_case, "TU-222222") == refused

    await desk.database.write(ask)


async def test_a_partner_that_was_suspended_meanwhile_moves_nothing(desk: Desk) -> None:
    await desk.to_confirm()
    await desk.database.write(lambda tx: partners.add(tx, Partner("FINSAFE", suspended=True)))
    decided = await desk.tap("yes")
    assert "FINSAFE is suspended" in decided.rows[0].text
    assert await desk.count_of("wallet_transactions") == 0


# A turn that raises


async def test_a_turn_that_raises_is_answered_with_a_reference_and_logged(desk: Desk) -> None:
    with capture_logs() as logs:
        decided = await desk.say("boom")
    (row,) = decided.rows
    (log,) = [log for log in logs if log["event"] != "turn"]
    assert log["log_level"] == "error"
    assert row.text.startswith(f"Something went wrong on our side, ref {log['reference']}.")
    assert (row.rows, row.turn, row.event_id) == ("[]", 0, "1")
    assert desk.committed == [row]


async def test_a_turn_that_raises_leaves_nothing_of_its_work(desk: Desk) -> None:
    await desk.to_confirm()
    before = await desk.row()
    with capture_logs():
        await desk.command("boom")  # parks, draws, and then raises
    assert await desk.row() == before


async def test_after_a_turn_that_raised_the_conversation_goes_on(desk: Desk) -> None:
    await desk.to_confirm()
    with capture_logs():
        await desk.say("boom")
    decided = await desk.tap("yes")
    assert decided.operation is not None


async def test_a_poisoned_event_is_decided_for_good(desk: Desk) -> None:
    event = desk.event(EventKind.TEXT, text="boom")
    with capture_logs() as logs:
        await desk.turns.handle(event)
        again = await desk.turns.handle(event)
    assert again.repeated
    assert [log["event"] for log in logs] == ["turn failed", "turn", "turn"]
    assert await desk.count_of("outbox") == 1


async def test_the_words_of_a_poisoned_event_are_not_logged_by_us(desk: Desk) -> None:
    with capture_logs() as logs:
        await desk.say("boom")
    logged = {key: value for key, value in logs[0].items() if key != "exc_info"}
    assert set(logged) == {"event", "log_level", "reference", "kind"}


# A database that fails


async def test_an_event_is_not_decided_when_its_commit_failed(desk: Desk, tmp_path: Path) -> None:
    fails = [True]

    def probe(point: str) -> None:
        if point == "commit" and fails:
            fails.pop()
            raise sqlite3.OperationalError("disk I/O error")

    await desk.database.close()
    database = await Database.open(tmp_path / "hazina.db", VirtualClock().now, probe=probe)
    try:
        desk = Desk(database)
        event = desk.event(EventKind.COMMAND, text="topup")
        with pytest.raises(DatabaseUnavailable):
            await desk.turns.handle(event)
        assert (desk.committed, desk.began) == ([], 0)
        assert await desk.count_of("events") == 0
        decided = await desk.turns.handle(event)
        assert (decided.repeated, len(decided.rows)) == (False, 1)
    finally:
        await database.close()


async def test_an_event_is_not_decided_when_its_apology_could_not_be_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    write = Database.write

    async def second_fails(self: Database, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise DatabaseUnavailable("gone")
        return await write(self, *args)

    monkeypatch.setattr(Database, "write", second_fails)
    event = desk.event(EventKind.TEXT, text="boom")
    with capture_logs(), pytest.raises(DatabaseUnavailable):
        await desk.turns.handle(event)
    assert await desk.count_of("events") == 0


async def test_events_at_once_of_one_person_are_decided_one_after_the_other(desk: Desk) -> None:
    """Only the first of many taps on one screen does anything."""
    await desk.to_confirm()
    taps = [desk.event(EventKind.TAP, turn=3, option="yes") for _ in range(10)]
    decided = await asyncio.gather(*(desk.turns.handle(tap) for tap in taps))
    assert [one.operation is not None for one in decided] == [True] + [False] * 9
    assert await desk.count_of("wallet_transactions") == 1


# A code that is typed


def coded(desk: Desk) -> Desk:
    """The same desk, where every top-up needs a code."""
    policy = Policy(topup_code_above=Money(0))
    desk.turns = Turns(
        desk.database,
        BrittleEngine(all_flows(), TEXTS),
        SessionCache(all_flows()),
        At(TEXTS, cast("Random", random.Random(1)), KEYS, policy, ADMINS),
        desk._committed,
        desk._begins,
        lambda tx, outcome: (),
    )
    return desk


async def to_code(desk: Desk) -> str:
    """At the question for a code; returns the code."""
    await desk.to_confirm()
    decided = await desk.tap("yes")
    sms = decided.rows[0]
    assert (sms.kind, sms.channel, sms.address) == ("code", "sms", "254712345678")
    words = KEYS.unseal(sms.text)
    assert words is not None
    (code,) = re.findall(r"\b[0-9]{6}\b", words)
    return str(code)


async def test_the_code_goes_out_before_the_question_and_nothing_is_due_yet(desk: Desk) -> None:
    await coded(desk).to_confirm()
    decided = await desk.tap("yes")
    assert [(row.channel, row.kind) for row in decided.rows] == [
        ("sms", "code"),
        ("telegram", "answer"),
    ]
    assert await desk.row() == (4, "topup.code")
    assert await desk.count_of("wallet_transactions") == 0


async def test_a_code_that_is_typed_is_taken_away_and_begins_what_it_approves(desk: Desk) -> None:
    code = await to_code(coded(desk))
    decided = await desk.say(code, message_id="m77")
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
    assert desk.begun[-1] == decided.operation
    assert await desk.row() == (5, "topup.push")


async def test_what_is_no_code_is_taken_away_too(desk: Desk) -> None:
    await to_code(coded(desk))
    decided = await desk.say("12345", message_id="m77")
    assert [row.kind for row in decided.rows] == ["wipe", "answer"]


async def test_where_messages_have_no_id_nothing_is_taken_away(desk: Desk) -> None:
    code = await to_code(coded(desk))
    decided = await desk.say(code)
    assert [row.kind for row in decided.rows] == ["answer"]


async def test_the_same_code_again_is_decided_once(desk: Desk) -> None:
    code = await to_code(coded(desk))
    event = desk.event(EventKind.TEXT, text=code, message_id="m77")
    await desk.turns.handle(event)
    again = await desk.turns.handle(event)
    assert (again.repeated, len(again.rows)) == (True, 0)
    assert await desk.count_of("wallet_transactions") == 1


async def test_a_code_is_at_rest_nowhere(desk: Desk) -> None:
    code = await to_code(coded(desk))
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for typed in (wrong, code):
        await desk.say(typed, message_id="m77")

    def dump(tx: SqliteTx) -> str:
        return "\n".join(tx.conn.iterdump())

    stored = await desk.database.read(dump)
    assert code not in stored
    assert wrong not in stored


async def test_a_turn_that_raises_after_the_code_was_right_leaves_it_unused(desk: Desk) -> None:
    code = await to_code(coded(desk))
    before = await desk.row()
    with capture_logs() as logs:
        engine_boom(desk)
        await desk.say(code, message_id="m77")
    assert (await desk.row(), await desk.count_of("wallet_transactions")) == (before, 0)
    assert code not in str([{**log, "exc_info": None} for log in logs])
    coded(desk)
    await desk.say(code, message_id="m78")
    assert await desk.count_of("wallet_transactions") == 1


def engine_boom(desk: Desk) -> None:
    """The next step raises after it has done its work."""
    engine = desk.turns._engine
    step = engine.step

    def raises(session: Session, event: Event, host: Host) -> StepResult:
        step(session, event, host)
        raise ZeroDivisionError

    engine.step = raises  # type: ignore[method-assign]


async def test_each_sees_the_commands_of_the_own_role_and_language_once(desk: Desk) -> None:
    def words(decided: Decided) -> list[str] | None:
        return None if decided.commands is None else [word for word, _ in decided.commands]

    owner = words(await desk.say("hello"))
    assert owner is not None
    assert {"topup", "float", "invite", "help"} <= set(owner)
    assert "partners" not in owner
    assert words(await desk.say("hello")) is None
    viewer = words(await desk.say("hello", BARAKA))
    assert viewer is not None
    assert {"balance", "history"} <= set(viewer)
    assert not {"topup", "float", "invite", "approve"} & set(viewer)
    admin = words(await desk.say("hello", ADMIN))
    assert admin is not None
    assert {"partners", "resolve"} <= set(admin)
    assert "topup" not in admin
    assert words(await desk.say("hello", STRANGER)) is None
    assert words(await desk.say("hello", AMINA_AT_HOME, channel="terminal")) is None

    def moves_on(tx: SqliteTx) -> None:
        baraka = tx.people.of_name("FINSAFE", "baraka")
        assert baraka is not None
        tx.people.set_language(baraka.id, "sw")
        tx.people.unlink("telegram", AMINA)

    await desk.database.write(moves_on)
    assert words(await desk.say("hello")) == []
    assert words(await desk.say("hello")) is None
    swahili = await desk.say("hello", BARAKA)
    assert swahili.commands is not None
    assert dict(swahili.commands)["balance"] == TEXTS.say("sw", "command.balance")


async def test_the_old_buttons_of_who_is_an_admin_no_more_open_nothing(desk: Desk) -> None:
    await desk.command("suspend", ADMIN)
    await desk.say("FINSAFE", ADMIN)
    asked = await desk.row(ADMIN)
    assert asked is not None
    assert asked[1] == "suspend.confirm"
    desk.turns._context = replace(desk.turns._context, admins=())  # as after a restart without them
    decided = await desk.tap("yes", ADMIN)
    assert decided.exit == "not_linked"
    assert "not linked" in (decided.alert or "")
    partner = await desk.database.read(lambda tx: tx.people.partner("FINSAFE"))
    assert partner is not None
    assert not partner.suspended
    assert await desk.count_of("audit_log") == 0
    assert (await desk.command("partners", ADMIN)).exit == "not_linked"


async def test_the_older_account_hears_of_one_beside_it_on_another_channel(desk: Desk) -> None:
    """A swapped SIM is seen by whoever still has the chat."""

    def invite(tx: SqliteTx) -> str:
        by = by_admin("telegram", ADMIN)
        invited = joining.invite(tx, random.Random(1), "FINSAFE", Role.VIEWER, "baraka", by)
        assert isinstance(invited, Invited)
        return invited.token

    token = await desk.database.write(invite)
    at = {"address": STRANGER, "channel": "terminal"}
    await desk.turns.handle(desk.event(EventKind.COMMAND, text="start", argument=token, **at))
    sent = await desk.say("0733123456", **at)
    words = "".join(KEYS.unseal(row.text) or "" for row in sent.rows if row.kind == "code")
    code = re.search(r"\b[0-9]{6}\b", words)
    assert code is not None
    decided = await desk.say(code[0], **at)
    told = [row for row in decided.rows if row.address == BARAKA]
    assert [row.text[:55] for row in told] == [
        "baraka of FINSAFE now writes from another account too. "
    ]
