"""A served world is replaced by a fresh one, and programs go on with their keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.simulation.record import Did, Passed, Said
from bot.simulation.served import outside
from bot.simulation.served.served_world import ControlError
from services.domain.api_key import id_of
from services.domain.money import Money
from services.domain.phone import Phone
from tests.kit.served_controls import ServedControls, served_controls

WANJIRU = Phone("254712345678")


async def _balance(desk: ServedControls, key: str) -> str:
    response = await desk.client.get("/v1/balance", headers={"x-api-key": key})
    assert response.status_code == 200, response.text
    return str(response.json()["wallet"]["balance"])


async def test_a_reset_takes_the_world_back_to_its_opening(tmp_path: Path) -> None:
    async with served_controls(tmp_path) as desk:
        await outside.notify(desk.served, WANJIRU, Money(700_00), "774451#DUKA")
        assert await _balance(desk, desk.keys["DUKA"]) == "50700.00"
        assert "add" in (await desk.say("wanjiru", "/topup")).lower()
        await desk.served.reset()
        assert await _balance(desk, desk.keys["DUKA"]) == "50000.00"
        assert await desk.served.book_problems() == []
        assert desk.served.number == 2
        assert len(os.listdir(tmp_path)) == 1  # the old one is gone
        assert desk.served.record.entries == []


async def test_keys_outlive_a_reset_and_revoked_ones_stay_revoked(tmp_path: Path) -> None:
    async with served_controls(tmp_path) as desk:
        made = (await desk.post("key", partner="SOKO", scopes=["READ"]))["key"]
        gone = (await desk.post("key", partner="SOKO", scopes=["READ"]))["key"]
        key_id = id_of(gone)
        assert key_id is not None
        await desk.served.world.app.database.write(lambda tx: tx.api_keys.revoke(key_id))
        await desk.served.reset()
        assert await _balance(desk, made) == "5000.00"
        answer = await desk.client.get("/v1/balance", headers={"x-api-key": gone})
        assert answer.status_code == 401


async def test_while_a_story_plays_nobody_else_acts_on_the_world(tmp_path: Path) -> None:
    async with served_controls(tmp_path) as desk:
        async with desk.served.story("Paid"):
            with pytest.raises(ControlError, match="story 'Paid' is playing"):
                await desk.served.say("wanjiru", "/balance")
            assert "is playing" in await desk.fails("advance", seconds=1)
        await desk.served.say("wanjiru", "/balance")


async def test_what_is_under_way_is_done_before_somebody_looks(tmp_path: Path) -> None:
    async with served_controls(tmp_path) as desk:
        desk.served.scene.inputs.say("wanjiru", "/balance")
        async with desk.served.turn():
            assert "Wallet: KES 50,000" in desk.served.scene.shown[-1].text


async def test_the_clock_of_a_served_world_shows_whole_seconds(tmp_path: Path) -> None:
    async with served_controls(tmp_path) as desk:
        assert desk.served.world.clock.true_now().microsecond == 0
        await desk.served.advance(3)
        assert desk.served.world.clock.true_now().microsecond == 0


async def test_what_was_done_is_recorded_in_the_words_of_scripts(tmp_path: Path) -> None:
    async with served_controls(tmp_path) as desk:
        await desk.post("bank", call="initiate", fault="http 500", times=3)
        await desk.post("bank", call="query", fault="slow 20s")
        await desk.post("bank", call="payout", fault="result absent", times=2)
        await desk.say("wanjiru", "/topup 1500")
        await desk.tap("wanjiru", "mine")
        await desk.tap("wanjiru", "yes")
        await outside.disarm_bank(desk.served)
        await desk.post("handset", phone="0712345678", does="pays")
        await desk.post("payee", phone="0722000111", does="pays  Asha Mfano ")
        await desk.post("advance", seconds=90)
        await desk.post("restart")
        record = desk.served.record
        armed = [(entry.call, entry.times) for entry in record.entries if hasattr(entry, "fault")]
        assert armed == [("initiate", 1), ("query", 0), ("payout", 0)]
        assert desk.served.world.faults_left() == {}
        said = [entry.written for entry in record.entries if isinstance(entry, Said)]
        assert said == ["/topup 1500", "[mine]", "[yes]"]
        done = [entry.line for entry in record.entries if isinstance(entry, Did)]
        told = ["@handset 254712345678 pays", "@payee 254722000111 pays Asha Mfano"]
        assert done == [*told, "@restart"]
        assert sum(entry.seconds for entry in record.entries if isinstance(entry, Passed)) >= 90
