"""Messages are edited, deleted and sent as files."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.outbox.channel import (
    Undeliverable,
)
from bot.outbox.sent import SentMessage
from storage.sqlite.database import Database
from tests.kit.outbox_harness import AMINA, BARAKA, OutboxHarness

# Edits


async def test_a_message_with_a_slot_is_edited_where_it_stands(harness: OutboxHarness) -> None:
    await harness.sent("waiting", slot="topup:1")
    await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert harness.chat.texts == ["waiting", "m1~slow"]
    assert harness.told[-1] == ("slow", "m1", True)


async def test_a_new_message_takes_the_slot_over(harness: OutboxHarness) -> None:
    await harness.sent("waiting", slot="topup:1")
    await harness.sent("waiting, again", slot="topup:1")
    await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert harness.chat.texts[-1] == "m2~slow"


async def test_slots_are_a_chats_own(harness: OutboxHarness) -> None:
    await harness.sent("balance", slot="balance")
    await harness.sent("balance", to=BARAKA, slot="balance", edits=True)
    assert harness.chat.texts == ["balance", "balance"]


async def test_the_live_message_is_edited_after_a_restart(harness: OutboxHarness) -> None:
    await harness.sent("waiting", slot="topup:1")
    await harness.sender.stop()
    harness.start()
    await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert harness.chat.texts == ["waiting", "m1~slow"]


async def test_what_many_chats_were_sent_is_noted_together(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [await harness.queue("hello", to=f"chat {n}") for n in range(20)]
    writes = count_writes(monkeypatch)
    harness.sender.push(rows)
    await harness.settle()
    assert await harness.states() == [("hello", "sent", 1)] * 20
    assert len(writes) <= 2  # notes that arrive during the first write share the second


async def test_a_note_that_cannot_be_written_is_told_to_the_log_and_the_chat_goes_on(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.sent("one")
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr("bot.outbox.sent._note", refuse)
        with pytest.raises(RuntimeError):
            await harness.sender._attempts.sent.record(
                SentMessage((await harness.queue("two")), "m9", False)
            )
    await harness.sent("three", to=BARAKA)
    assert ("three", "sent", 1) in await harness.states()


async def test_a_page_whose_message_is_gone_is_sent_anew(harness: OutboxHarness) -> None:
    await harness.sent("page", slot="history")
    harness.chat.messages.clear()
    await harness.sent("page 2", slot="history", edits=True)
    await harness.sent("page 3", slot="history", edits=True)
    assert harness.chat.texts == ["page", "page 2", "m1~page 3"]


@pytest.mark.parametrize("was_there", [True, False])
async def test_progress_without_a_live_message_is_dropped_silently(
    harness: OutboxHarness, was_there: bool
) -> None:
    if was_there:
        await harness.sent("waiting", slot="topup:1")
        harness.chat.messages.clear()
    before = list(harness.chat.texts)
    with capture_logs() as logs:
        await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert (harness.chat.texts, logs) == (before, [])
    assert (await harness.states())[-1] == ("slow", "dead", 1)


# A database that fails


def count_writes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    write, writes = Database.write, []

    async def counted(self: Database, *args: Any, **more: Any) -> Any:
        writes.append(args)
        return await write(self, *args, **more)

    monkeypatch.setattr(Database, "write", counted)
    return writes


def refuse(*_: object) -> None:
    raise RuntimeError("no")


# Deleted messages and files


async def test_a_wipe_takes_the_persons_own_message_away_and_is_told_to_nobody(
    harness: OutboxHarness,
) -> None:
    await harness.sent("", kind="wipe", target="m77")
    assert harness.chat.deleted == [(AMINA, "m77")]
    assert (harness.chat.texts, harness.told) == ([], [])
    assert await harness.states() == [("", "sent", 1)]


async def test_a_wipe_that_cannot_be_done_is_no_warning(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Undeliverable("too old"))
    with capture_logs() as logs:
        await harness.sent("", kind="wipe", target="m77")
    assert logs == []
    assert await harness.states() == [("", "dead", 1)]


async def test_a_file_that_is_gone_is_given_up(harness: OutboxHarness) -> None:
    await harness.sent("your file", document="ST-222222")
    assert harness.chat.documents == []
    assert await harness.states() == [("your file", "dead", 1)]
