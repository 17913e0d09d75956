"""A late hop, of a session that its phone has left, answers nothing that it never saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.turns.hop_outcome import HopDecided
from bot.turns.hops import Hops
from services.domain.desk_pin import digest
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.ussd import CHANNEL
from services.policy import Policy
from storage.transaction import StoreTx
from tests.kit.desk_pins import PIN
from tests.kit.hop_desk import HopDesk
from tests.kit.plain_store import PHONE, PlainStore
from tests.kit.turns_on_database import KEYS, seed

POLICY = Policy(short_code="400187", ussd_float_max=Money(1_000_000))
LEFT, NEWER = "left", "newer"
MOVED_ON = "That has moved on meanwhile."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[HopDesk]:
    store = PlainStore(tmp_path / "hazina.sqlite")
    store.do(seed)
    store.do(_set_pin)
    store.book(opening_balance("FINSAFE", AccountKind.WALLET, Money(10_000_000)))
    yield HopDesk(store, POLICY)
    store.close()


def _set_pin(tx: StoreTx) -> None:
    person = tx.people.at(CHANNEL, PHONE.msisdn)
    assert person is not None
    made = digest(KEYS.pepper(KEYS.pepper_id), person.id, PIN)
    tx.desk_pins.put(person.id, KEYS.pepper_id, made)


async def _press(desk: HopDesk, session: str, *typed: str) -> str:
    """A dial and each of these answers; the last page."""
    text = ""
    page = await desk.hop(session, text)
    for one in typed:
        text = f"{text}*{one}" if text else one
        page = await desk.hop(session, text)
    return page.text


def _states(desk: HopDesk) -> list[tuple[str, str]]:
    return desk.store.do(
        lambda tx: [(str(one.amount), one.state.value) for one in tx.purchases.every()]
    )


def _wrong_tries(desk: HopDesk) -> int:
    return desk.store.count("SELECT wrong FROM desk_pins")


async def test_a_pin_approves_only_the_purchase_that_its_page_showed(desk: HopDesk) -> None:
    assert "KES 1,000. Type your desk PIN" in await _press(desk, LEFT, "2", "1000", "1")
    assert "KES 9,000. Type your desk PIN" in await _press(desk, NEWER, "1", "9000", "1")
    page = await desk.hop(LEFT, f"2*1000*1*{PIN}")
    assert page.text.startswith(MOVED_ON)
    assert _states(desk) == [("KES 1,000", "CANCELLED"), ("KES 9,000", "QUOTED")]
    page = await desk.hop(NEWER, f"1*9000*1*{PIN}")
    assert "The bank is being asked" in page.text


@pytest.mark.parametrize(
    ("shown", "typed"),
    [
        (("1",), "5000"),  # an amount
        (("1", "700"), "0733123456"),  # a number, where options are shown
        ((), "5000"),  # at the menu
        (("3",), "/float 5000"),
    ],
)
async def test_what_answers_another_page_is_no_pin_and_uses_no_try(
    desk: HopDesk, shown: tuple[str, ...], typed: str
) -> None:
    await _press(desk, LEFT, *shown)
    await _press(desk, NEWER, "00", "2", "9000", "1")
    page = await desk.hop(LEFT, "*".join((*shown, typed)))
    assert page.text.startswith(MOVED_ON)
    page = await desk.hop(LEFT, "*".join((*shown, typed, "9731")))  # that page asks for nothing
    assert page.text.startswith(MOVED_ON)
    assert _wrong_tries(desk) == 0
    page = await desk.hop(NEWER, f"00*2*9000*1*{PIN}")
    assert "The bank is being asked" in page.text


async def test_a_fault_in_the_hop_of_another_number_leaves_the_session_as_it_is(
    desk: HopDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> HopDecided:
        raise RuntimeError("a fault on our side")

    monkeypatch.setattr(Hops, "_dispute", fails)
    monkeypatch.setattr(desk.hops, "_fault", Hops._fault.__get__(desk.hops))
    await _press(desk, LEFT, "2", "1000", "1")
    page = await desk.hop(LEFT, "2*1000*1*9731", "254733000111")
    assert "Something went wrong on our side" in page.text
    page = await desk.hop(LEFT, f"2*1000*1*{PIN}")
    assert "The bank is being asked" in page.text
