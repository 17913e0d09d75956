"""What a Result of the simulated Daraja proves."""

from __future__ import annotations

import pytest

from bot.simulation.faults import ResultShape
from services.domain.bank import NoAnswer
from services.domain.money import Money
from services.domain.payout_answers import (
    Acknowledged,
    Asked,
    PaidOut,
    PayoutReason,
    Returned,
    Undecided,
)
from services.gateways.daraja.result_wire import REASONS, read_balances
from tests.kit.daraja_gateway import DarajaDesk

SURE = {
    ResultShape.CODE_TYPE,
    ResultShape.OTHER_ORIGINATOR,
    ResultShape.OTHER_CONVERSATION,
    ResultShape.MASKED,
    ResultShape.CREDIT_PARTY,
    ResultShape.ONE_OBJECT,
    ResultShape.ABSENT,
    ResultShape.NO_VALUE,
}
# An answer to a query without its parameters proves nothing.
SURE_STATUS = SURE - {ResultShape.ONE_OBJECT, ResultShape.ABSENT, ResultShape.NO_VALUE}


@pytest.mark.parametrize(("code", "reason"), REASONS.items())
async def test_a_code_of_the_table_returns_the_money(
    desk: DarajaDesk, code: str, reason: PayoutReason
) -> None:
    desk.outside.payee(f"fails {code}")
    verdict = await desk.paid()
    assert isinstance(verdict, Returned)
    assert verdict.reason is reason
    assert desk.outside.daraja.paid() == ()


@pytest.mark.parametrize("code", ["17", "20", "26", "1037", "SFC_IC0004", "R000002"])
async def test_any_other_code_decides_nothing(desk: DarajaDesk, code: str) -> None:
    desk.outside.payee(f"fails {code}")
    assert isinstance(await desk.paid(), Undecided)


@pytest.mark.parametrize("shape", ResultShape)
async def test_a_success_in_another_shape(desk: DarajaDesk, shape: ResultShape) -> None:
    desk.outside.arm(f"result {shape}")
    verdict = await desk.paid()
    assert isinstance(verdict, PaidOut if shape in SURE else Undecided)


@pytest.mark.parametrize("shape", [ResultShape.CONTRADICTS, ResultShape.MORE_TO_COME])
async def test_a_failure_that_says_otherwise(desk: DarajaDesk, shape: ResultShape) -> None:
    desk.outside.payee("fails 2040")
    desk.outside.arm(f"result {shape}")
    assert isinstance(await desk.paid(), Undecided)


async def test_a_queue_that_timed_out_decides_nothing(desk: DarajaDesk) -> None:
    desk.outside.arm("queue-timeout")
    assert isinstance(await desk.paid(), Undecided)
    await desk.outside.wait(60)
    assert len(desk.outside.daraja.paid()) == 1


# Asking ---------------------------------------------------------------------------------------


async def test_a_payment_without_a_result_is_found_by_asking(desk: DarajaDesk) -> None:
    desk.outside.payee("silent")
    assert isinstance(await desk.pay(), Acknowledged)
    await desk.outside.wait(3)
    verdict = await desk.status()
    (payment,) = desk.outside.daraja.paid()
    assert verdict == PaidOut(payment.transaction_id, desk.outside.daraja.name_of(payment.phone))


@pytest.mark.parametrize("does", ["late 24h", "fails 2040", "fails 17"])
async def test_no_answer_to_a_question_returns_money(desk: DarajaDesk, does: str) -> None:
    desk.outside.payee(does)
    await desk.pay()
    await desk.outside.wait(5)
    assert isinstance(await desk.status(), Undecided)


async def test_an_order_that_never_came_is_not_known_to_have_failed(desk: DarajaDesk) -> None:
    assert isinstance(await desk.status(), Undecided)


@pytest.mark.parametrize("shape", ResultShape)
async def test_an_answer_in_another_shape(desk: DarajaDesk, shape: ResultShape) -> None:
    desk.outside.payee("silent")
    await desk.pay()
    await desk.outside.wait(3)
    desk.outside.arm(f"result {shape}", "payout-status")
    verdict = await desk.status()
    assert isinstance(verdict, PaidOut if shape in SURE_STATUS else Undecided)


@pytest.mark.parametrize("fault", ["http 500", "html", "timeout-after", "spike-arrest", "quota"])
async def test_a_question_that_is_not_taken(desk: DarajaDesk, fault: str) -> None:
    desk.outside.arm(fault, "payout-balance")
    assert isinstance(await desk.ask_balance(), NoAnswer)


async def test_balances_of_the_short_code(desk: DarajaDesk) -> None:
    await desk.paid()
    assert isinstance(await desk.ask_balance(), Asked)
    balances = read_balances(await desk.result())
    assert balances == {
        "Working Account": Money(0),
        "Utility Account": Money(998_500_00),
        "Charges Paid Account": Money(-5_00),
    }
