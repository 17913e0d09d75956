"""``hazina sim --serve``: the world that programs find, and what its controls do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.scripts.source_line import ScriptError
from bot.simulation.served.served_world import ServedWorld
from services import api_keys
from services.domain.api_key import Scope
from tests.kit.paid_in_world import order, pay
from tests.kit.real_time import until
from tests.kit.served_controls import ServedControls, served_controls

PHONE = "0712 345 678"


@pytest.fixture
async def sim(tmp_path: Path) -> AsyncIterator[ServedControls]:
    async with served_controls(tmp_path) as sim:
        yield sim


async def test_the_world_begins_as_agreed(sim: ServedControls) -> None:
    world = await sim.get("world")
    wallets = {partner["code"]: partner["wallet"] for partner in world["partners"]}
    assert wallets == {"DUKA": "50000.00", "SOKO": "5000.00"}
    people = {one["name"]: (one["partner"], one["role"], one["phone"]) for one in world["people"]}
    assert people == {
        "wanjiru": ("DUKA", "owner", "254712345678"),
        "njoki": ("DUKA", "operator", "254722000222"),
        "achieng": ("DUKA", "viewer", "254701000333"),
        "otieno": ("SOKO", "owner", "254733000111"),
    }
    assert world["admins"] == ["musa", "zawadi"]
    assert world["service_code"] == "*384*7#"
    assert {
        "partner": "DUKA",
        "kind": "processing",
        "fixed": "0.00",
        "percent": "0.5",
        "min": "10.00",
        "max": "500.00",
    } in world["fees"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", world["clock"])
    assert await sim.get("books") == {"ok": True, "problems": []}


async def test_keys_have_every_scope_and_outlive_a_kill(sim: ServedControls) -> None:
    await sim.post("restart")
    await sim.post("crash")
    assert set(sim.keys) == {"DUKA", "SOKO"}
    for partner, key in sim.keys.items():
        found = await sim.served.world.app.database.read(
            lambda tx, key=key: api_keys.authenticate(tx, key)
        )
        assert found is not None
        assert (found.partner, found.scopes) == (partner, set(Scope))


async def test_a_key_of_its_own_has_the_scopes_that_were_asked_for(sim: ServedControls) -> None:
    key = (await sim.post("key", partner="SOKO", scopes=["READ"], days=30))["key"]
    found = await sim.served.world.app.database.read(lambda tx: api_keys.authenticate(tx, key))
    assert found is not None
    assert (found.partner, found.scopes) == ("SOKO", {Scope.READ})


async def test_a_topup_is_paid_as_time_is_moved(sim: ServedControls) -> None:
    assert "from which phone" in await sim.say("wanjiru", "/topup 1500")
    await sim.tap("wanjiru", "My number, 0712 345 678")
    assert "Waiting" in await sim.tap("wanjiru", "yes")
    await sim.post("handset", phone=PHONE, does="pays")
    await sim.post("advance", seconds=10)
    said = await sim.say("wanjiru", "/balance")
    assert said.index("Received KES 1,500") < said.index("Wallet: KES 51,500")
    calls = {"token": 1, "initiate": 1, "query": 1, "float": 0, "status": 0}
    payouts = dict.fromkeys(("payout-token", "payout", "payout-status", "payout-balance"), 0)
    assert await sim.get("calls") == calls | payouts


async def test_time_passes_by_itself(sim: ServedControls) -> None:
    before = sim.served.world.clock.true_now()
    await until(lambda: sim.served.world.clock.true_now() > before)


async def test_a_code_is_read_once_and_buys_float(sim: ServedControls) -> None:
    await sim.say("wanjiru", "/float 5000")
    await sim.tap("wanjiru", "yes")
    (text,) = (await sim.get("sms", phone=PHONE))["unread"]
    assert await sim.get("sms", phone="+254712345678") == {"unread": []}
    (mail,) = (await sim.get("mail", address="wanjiru@duka.example"))["unread"]
    code = re.findall(r"\b\d{6}\b", text)[0]
    assert code in mail
    await sim.say("wanjiru", code)
    assert "B2C float: KES 5,000" in await sim.say("wanjiru", "/balance")
    assert (await sim.get("books"))["ok"]


async def test_people_linked_long_ago_approve_each_others_float(sim: ServedControls) -> None:
    await sim.say("wanjiru", "/settings")
    await sim.tap("wanjiru", "second")
    await sim.say("wanjiru", "1,000")
    await sim.say("njoki", "/float 5000")
    assert "needs a second person" in await sim.tap("njoki", "yes")
    listed = await sim.say("wanjiru", "/approve")
    (reference,) = set(re.findall(r"FL-[A-Z0-9]{6}", listed))
    await sim.tap("wanjiru", reference)
    await sim.tap("wanjiru", "yes")
    assert "agreed" in await sim.say("njoki", "/float")


async def test_a_fault_of_the_bank_meets_as_many_calls_as_it_is_armed_for(
    sim: ServedControls,
) -> None:
    await sim.post("bank", call="initiate", fault="http 500", times=1)
    await sim.say("wanjiru", "/topup 1500")
    await sim.tap("wanjiru", "mine")
    assert "did not answer clearly" in await sim.tap("wanjiru", "yes")


async def test_m_pesa_and_daraja_do_what_they_are_told(sim: ServedControls) -> None:
    await sim.post("payee", phone="0712345678", does="fails 2040")
    await sim.post("bank", call="payout", fault="http 500")
    async with sim.served.turn() as world:
        world.daraja.opening(10_000_00)
        assert (await order(world)).status_code == 500
        await pay(world)
        await pay(world, OriginatorConversationID="HZ2")
    await sim.post("advance", seconds=10)
    assert [one.originator_id for one in sim.served.world.daraja.paid()] == ["HZ2"]
    counts = await sim.get("calls")
    assert (counts["payout-token"], counts["payout"], counts["payout-status"]) == (3, 3, 0)
    assert not (await sim.get("books"))["ok"], "nobody here has ordered that"


async def test_a_payment_is_told_as_often_as_asked_and_credited_once(sim: ServedControls) -> None:
    told = await sim.post("notify", phone="0733345678", amount="2500.00", ref="DUKA", times=3)
    assert told == {"answers": ["0", "0", "0"]}
    assert "Wallet: KES 52,500" in await sim.say("achieng", "/balance")


async def test_the_receiver_answers_as_armed_and_keeps_all(sim: ServedControls) -> None:
    await sim.post("webhook", answers=[500, 204])
    statuses = []
    for body in (b'{"n": 1}', b"{}", b""):
        sent = await sim.client.post("/sim/receive", content=body, headers={"Webhook-Id": "m1"})
        statuses.append(sent.status_code)
    await sim.post("crash")
    assert statuses == [500, 204, 200]
    received = (await sim.get("webhook"))["received"]
    assert [one["body"] for one in received] == ['{"n": 1}', "{}", ""]
    assert received[0]["headers"]["webhook-id"] == "m1"
    assert received[0]["at"].endswith("Z")


async def test_limits_are_ten_times_as_high_unless_set(tmp_path: Path) -> None:
    async with served_controls(tmp_path, API_MOVES_PER_MINUTE="7") as sim:
        settings = sim.served.world.settings
        assert (settings.flood_turns, settings.code_limit_factor) == (1_000, 10)
        assert (settings.api_reads_per_minute, settings.api_moves_per_minute) == (6_000, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NO_SUCH_SETTING", "x"),
        ("DATABASE", "x"),
        ("API", "off"),
        ("FLOOD_TURNS", "x"),
        ("USSD_CODES", "*384*8#"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ScriptError) as refused:
        ServedWorld(tmp_path, {name: value})
    assert name in refused.value.reason
    assert "\n" not in refused.value.reason
    assert list(tmp_path.iterdir()) == []
