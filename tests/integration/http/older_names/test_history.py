from __future__ import annotations

import pytest

from bot.simulation.ncba.handsets import Handset
from tests.kit.older_desk import OWNER_PHONE, WALLET, OlderDesk, refused

PATH = f"{WALLET}/transactions"


async def test_pages_are_counted_from_the_newest_with_a_true_total(desk: OlderDesk) -> None:
    references = [await desk.top_up(amount) for amount in (100, 200, 300)]
    page = (await desk.get(PATH, limit=2, offset=1)).json()
    assert [one["reference"] for one in page["transactions"]] == [references[1], references[0]]
    assert page["pagination"] == {"limit": 2, "offset": 1, "total": 4}
    beyond = (await desk.get(PATH, offset=10_000)).json()
    assert (beyond["transactions"], beyond["pagination"]["total"]) == ([], 4)


async def test_a_transaction_tells_what_it_is_about(desk: OlderDesk) -> None:
    desk.world.bank.set_handset(OWNER_PHONE, Handset.PAYS)
    reference = await desk.top_up(description="Order 1042")
    await desk.world.advance(20)
    page = (await desk.get(PATH, partner_id="DUKA")).json()
    one, opening = page["transactions"]
    assert (opening["type"], opening["walletChange"]) == ("adjustment", 50_000)
    assert one.pop("createdAt") < one.pop("updatedAt")
    assert one.pop("ncbReferenceId") is not None
    one.pop("receipt")
    assert one == {
        "id": reference,
        "reference": reference,
        "type": "topup",
        "amount": 1500,
        "currency": "KES",
        "fees": None,
        "totalAmount": None,
        "walletChange": 1500,
        "status": "completed",
        "description": "Order 1042",
        "phoneNumber": OWNER_PHONE,
    }


async def test_a_history_is_the_partners_own(desk: OlderDesk) -> None:
    await desk.top_up()
    theirs = (await desk.get(PATH, "SOKO")).json()
    assert [one["type"] for one in theirs["transactions"]] == ["adjustment"]
    assert theirs["pagination"]["total"] == 1


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"offset": 10_001}, "/offset"),
        ({"offset": -1}, "/offset"),
        ({"limit": 0}, "/limit"),
        ({"limit": 201}, "/limit"),
        ({"cursor": "x"}, ""),
    ],
)
async def test_what_cannot_be_read_is_refused(
    desk: OlderDesk, query: dict[str, object], pointer: str
) -> None:
    problem = refused(await desk.get(PATH, **query), 400, "invalid_request")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
