"""What a channel cannot do is not asked of it, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.outbox.carriers import buttons_from_json
from bot.simulation.clock import VirtualClock
from bot.turns.turn import Decided
from flows.engine.capabilities import NOT_SERVED
from services.domain.money import Money
from services.policy import PaybillDetails, Policy
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.channels import CHANNELS, CHAT
from tests.kit.turns_on_database import KEYS, TurnRunner, seed

POLICY = Policy(
    topup_code_above=Money(5_000_00), by_hand=PaybillDetails("880100", "{reference}", has_till=True)
)
On = Callable[..., TurnRunner]


@pytest.fixture
async def on(tmp_path: Path) -> AsyncIterator[On]:
    """Turns on a chat without some capabilities, such as ``on(files=False)``."""
    database = await Database.open(blank_file(tmp_path / "hazina.db"), VirtualClock().now)
    await database.write(seed)
    yield lambda **lacks: TurnRunner(
        database, {**CHANNELS, "telegram": replace(CHAT, **lacks)}, POLICY
    )
    await database.close()


def options(decided: Decided) -> list[str]:
    assert decided.answer is not None
    return [button.id for row in buttons_from_json(decided.answer.rows) for button in row]


def text(decided: Decided) -> str:
    assert decided.answer is not None
    return decided.answer.text


@pytest.mark.parametrize("buttons", [True, False])
async def test_a_number_picks_an_option_only_where_there_are_no_buttons(
    on: On, buttons: bool
) -> None:
    runner = on(buttons=buttons)
    await runner.command("topup")
    await runner.say("1500")
    await runner.say("1")
    assert await runner.row() == ((3, "topup.payer") if buttons else (3, "topup.confirm"))


@pytest.mark.parametrize("edits", [True, False])
async def test_a_page_is_drawn_anew_where_no_message_can_be_edited(on: On, edits: bool) -> None:
    runner = on(edits=edits)
    await runner.command("balance")
    answer = (await runner.tap("refresh")).answer
    assert answer is not None
    assert answer.edits == edits


@pytest.mark.parametrize("deletes", [True, False])
async def test_a_typed_code_is_deleted_where_that_is_possible(on: On, deletes: bool) -> None:
    runner = on(deletes=deletes)
    await runner.command("topup")
    await runner.say("6000")
    await runner.tap("mine")
    await runner.tap("yes")
    decided = await runner.say("123456", message_id="m1")
    assert [row.kind for row in decided.rows] == (["wipe", "answer"] if deletes else ["answer"])


@pytest.mark.parametrize("contacts", [True, False])
async def test_a_number_is_typed_where_no_contact_can_be_shared(on: On, contacts: bool) -> None:
    runner = on(contacts=contacts)
    await runner.command("invite")
    token = await _invitation(runner)
    opened = await runner.command("start", "99", argument=token)
    assert options(opened) == (["contact"] if contacts else ["cancel"])


@pytest.mark.parametrize("files", [True, False])
async def test_a_qr_picture_is_offered_where_it_can_be_shown(on: On, files: bool) -> None:
    runner = on(files=files)
    await runner.command("topup")
    offered = options(await runner.say("1500"))
    assert ("qr" in offered, "paybill" in offered) == (files, True)
    tapped = await runner.tap("qr")
    assert (tapped.exit == "stale") != files
    shown = await runner.tap("yes")
    assert (shown.operation is not None) == files
    assert await runner.count_of("documents") == int(files)


@pytest.mark.parametrize("files", [True, False])
async def test_a_statement_is_refused_where_no_file_can_be_sent(on: On, files: bool) -> None:
    runner = on(files=files)
    await runner.command("statement")
    await runner.tap("period-1")
    decided = await runner.tap("pdf")
    assert text(decided).startswith("Files cannot be sent here.") != files
    assert await runner.count_of("documents") == int(files)


@pytest.mark.parametrize("menu", [True, False])
async def test_a_menu_of_commands_is_shown_where_there_is_one(on: On, menu: bool) -> None:
    decided = await on(command_menu=menu).command("menu")
    assert (decided.commands is not None) == menu


async def test_a_channel_that_is_not_served_can_do_nothing(on: On) -> None:
    decided = await on().command("topup", channel="gone")
    assert (decided.exit, decided.answer and decided.answer.channel) == ("not_linked", "gone")
    assert NOT_SERVED.push is False


async def _invitation(runner: TurnRunner) -> str:
    """A token, read from the sealed message that carries it."""
    await runner.tap("viewer")
    await runner.say("neema")
    decided = await runner.tap("yes")
    words = KEYS.unseal(decided.rows[0].text)
    assert words is not None
    (token,) = re.findall(r"/start (\S+)", words)
    return str(token)
