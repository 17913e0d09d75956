"""Whose conversation a turn belongs to, and what its person may do."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.turns.turn import Decided
from flows.engine.event import EventKind
from services import joining, partners
from services.domain.audit import by_admin
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.joining import Invited
from storage.transaction import StoreTx
from tests.kit.turns_on_database import (
    ADMIN,
    AMINA,
    AMINA_AT_HOME,
    BARAKA,
    KEYS,
    STRANGER,
    TEXTS,
    TurnRunner,
)


async def test_two_accounts_of_one_person_are_two_conversations(runner: TurnRunner) -> None:
    await runner.to_confirm(AMINA)
    await runner.command("topup", AMINA_AT_HOME)
    assert await runner.row(AMINA) == (3, "topup.confirm")
    assert await runner.row(AMINA_AT_HOME) == (1, "topup.amount")


async def test_two_accounts_of_one_person_share_the_wallets_operations(runner: TurnRunner) -> None:
    """The second account must confirm a second prompt for the same amount and phone."""
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


def becomes(role: Role) -> Callable[[StoreTx], object]:
    """Give Amina this role; her accounts stay the same."""
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
    """The step itself requires no right, but whoever has lost the role may not continue at all."""
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


async def test_a_partner_that_was_suspended_meanwhile_moves_nothing(runner: TurnRunner) -> None:
    await runner.to_confirm()
    await runner.database.write(lambda tx: partners.add(tx, Partner("FINSAFE", suspended=True)))
    decided = await runner.tap("yes")
    assert "FINSAFE is suspended" in decided.rows[0].text
    assert await runner.count_of("wallet_transactions") == 0


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

    def moves_on(tx: StoreTx) -> None:
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
    )  # as after a restart without admins
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
    """Whoever still has the chat notices a SIM swap."""

    def invite(tx: StoreTx) -> str:
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
