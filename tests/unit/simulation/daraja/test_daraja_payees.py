"""What M-PESA does with a payment is said by the words of ``@payee``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.simulation.daraja.payees import Payee, parse_payee
from tests.kit.daraja_caller import ID, PHONE, DarajaCaller, values


@pytest.mark.parametrize(
    ("text", "payee"),
    [
        ("pays", Payee()),
        ("pays Amina Mfano", Payee(name="AMINA MFANO")),
        ("fails 2040", Payee(fails_with="2040", paid_after=None)),
        ("fails SFC_IC0003", Payee(fails_with="SFC_IC0003", paid_after=None)),
        ("silent", Payee(results=0)),
        ("twice", Payee(results=2)),
        ("before-ack", Payee(paid_after=timedelta(0), is_before_ack=True)),
        ("late 24h", Payee(paid_after=timedelta(hours=24), is_hidden=True)),
        ("fails 1 late 24h", Payee(fails_with="1", paid_after=timedelta(hours=24))),
    ],
)
def test_a_payee_is_read_as_scripts_write_it(text: str, payee: Payee) -> None:
    assert parse_payee(text) == payee


@pytest.mark.parametrize("text", ["", "fails", "fails 0", "late", "late soon", "pays 5", "burns"])
def test_any_other_payee_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a payee|no failure|needs a duration"):
        parse_payee(text)


async def test_until_told_a_payee_pays_under_a_name_that_it_keeps(caller: DarajaCaller) -> None:
    names = [
        values(await caller.paid(OriginatorConversationID=f"HZ{n}"))["ReceiverPartyPublicName"]
        for n in range(2)
    ]
    assert names[0] == names[1]
    assert names[0] == f"{PHONE} - {caller.daraja.name_of(PHONE)}"


async def test_what_a_payee_is_told_holds_for_the_next_payment_alone(caller: DarajaCaller) -> None:
    caller.payee("fails 8")
    codes = [(await caller.paid(OriginatorConversationID=f"HZ{n}"))["ResultCode"] for n in range(2)]
    assert codes == [8, 0]


async def test_a_silent_payment_is_paid_and_nobody_says_so(caller: DarajaCaller) -> None:
    caller.payee("silent")
    await caller.pay()
    await caller.wait(86_400)
    assert caller.posted == []
    assert len(caller.daraja.paid()) == 1
    await caller.log_in()
    assert values(await caller.status())["TransactionStatus"] == "Completed"


async def test_a_result_may_come_twice_to_the_letter(caller: DarajaCaller) -> None:
    caller.payee("twice")
    caller.answers += [503]
    await caller.pay()
    await caller.wait(10)
    first, second = caller.results()
    assert first == second
    assert len(caller.daraja.paid()) == 1


async def test_a_result_may_overtake_the_acknowledgement(caller: DarajaCaller) -> None:
    caller.payee("before-ack")
    answer = await caller.pay()
    (result,) = caller.results()
    assert result["ResultCode"] == 0
    assert result["ConversationID"] == answer.json()["ConversationID"]
    await caller.wait(60)
    assert len(caller.results()) == 1


async def test_a_late_payment_is_not_found_until_it_is_paid(caller: DarajaCaller) -> None:
    caller.payee("late 24h")
    await caller.pay()
    missing = await caller.status()
    assert (missing["ResultCode"], missing["ResultDesc"]) == (
        2032,
        "The transaction receipt number does not exist.",
    )
    await caller.wait(86_400 - 4)
    assert (len(caller.results()), caller.daraja.paid()) == (1, ())
    await caller.wait(1)
    assert [result["ResultCode"] for result in caller.results()] == [2032, 0]
    await caller.log_in()
    assert values(await caller.status())["TransactionStatus"] == "Completed"


async def test_a_failure_may_be_paid_after_all(caller: DarajaCaller) -> None:
    caller.payee("fails 1 late 24h")
    assert (await caller.paid())["ResultCode"] == 1
    assert values(await caller.status())["TransactionStatus"] == "Declined"
    await caller.wait(86_400)
    assert caller.results()[-1]["ResultCode"] == 0
    assert [payment.originator_id for payment in caller.daraja.paid()] == [ID]
