"""What M-PESA says its accounts have: stored, and told of when the utility account runs dry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.workers.payout_results import posted
from services import payout_results, utility_balance
from services.domain.money import Money
from services.domain.mpesa_balance import UTILITY, UtilityShort
from services.gateways.daraja.result_wire import read_result
from services.payout_results import BALANCES, RESULT, TIMEOUT, Taken
from tests.kit.payout_payer import AMOUNT, FLOAT, PayoutPayer, S, in_state, paid, wire

A_SHILLING = Money(1_00)
FUNDS = "B2CUtilityAccountAvailableFunds"


def told(payer: PayoutPayer, body: bytes, kind: str = RESULT) -> Taken:
    read = read_result(body)
    assert read is not None
    return payer.store.do(
        lambda tx: payout_results.take(tx, payer.policy, kind, body, posted(read))
    )


def balances(payer: PayoutPayer, utility: str, **changes: Any) -> bytes:
    """The answer to the question what the accounts have, of a text never sent before."""
    payer.events += 1
    text = f"Working Account|KES|0.00|0.00|0.00|0.00&{UTILITY}|KES|{utility}|{utility}|0.00|0.00"
    return json.dumps(
        {
            "Result": {
                "ResultType": 0,
                "ResultCode": 0,
                "ResultDesc": f"Processed {payer.events}.",
                "OriginatorConversationID": "gateway-1",
                "ConversationID": f"AG_20260302_balance{payer.events}",
                "TransactionID": "SG00000000",
                "ResultParameters": {"ResultParameter": [{"Key": "AccountBalance", "Value": text}]},
            }
            | changes
        }
    ).encode()


def stands_at(payer: PayoutPayer) -> Money | None:
    stored = payer.store.tx.mpesa_balances.get(UTILITY)
    return None if stored is None else stored.amount


def short(payer: PayoutPayer) -> UtilityShort | None:
    return payer.store.do(utility_balance.shortage)


def test_enough_for_every_partners_float_is_no_shortage(payer: PayoutPayer) -> None:
    assert short(payer) is None
    taken = told(payer, balances(payer, "1000000.00"))
    assert (taken.short, stands_at(payer), short(payer)) == (None, FLOAT, None)


def test_a_shortage_is_told_once_until_it_has_enough_again(payer: PayoutPayer) -> None:
    low = UtilityShort(FLOAT - A_SHILLING, FLOAT)
    assert told(payer, balances(payer, "999999.00")).short == low
    assert told(payer, balances(payer, "999999.00")).short is None
    assert short(payer) == low
    assert told(payer, balances(payer, "1000000.00")).short is None
    assert told(payer, balances(payer, "999999.00")).short == low
    assert low.missing == A_SHILLING


def test_what_is_on_its_way_may_have_left_already(payer: PayoutPayer) -> None:
    in_state(payer, S.ACCEPTED)
    left = FLOAT - AMOUNT
    assert told(payer, balances(payer, f"{left.whole_units}.00")).short is None
    assert told(payer, balances(payer, f"{left.whole_units - 1}.00")).short is not None


def test_a_payment_says_what_is_left_beside_it(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    result = paid(payer.get(reference))
    result["ResultParameters"]["ResultParameter"].append({"Key": FUNDS, "Value": 990000.5})
    taken = told(payer, wire(result))
    assert payer.state(reference) is S.PAID
    assert stands_at(payer) == Money(990_000_50)
    assert taken.short is not None


@pytest.mark.parametrize(
    "utility", ["", "much", "1e9", "1,000", "12.345", "NaN", "9" * 40], ids=lambda text: text[:9]
)
def test_a_balance_that_cannot_be_read_replaces_none(payer: PayoutPayer, utility: str) -> None:
    told(payer, balances(payer, "1000000.00"))
    told(payer, balances(payer, utility))
    assert stands_at(payer) == FLOAT


@pytest.mark.parametrize("changes", [{"ResultCode": 2001}, {"ResultCode": "0", "ResultType": 1}])
def test_an_answer_that_is_not_final_or_not_done_tells_nothing(
    payer: PayoutPayer, changes: dict[str, Any]
) -> None:
    told(payer, balances(payer, "1.00", **changes))
    assert stands_at(payer) is None


def test_what_timed_out_or_comes_again_tells_nothing(payer: PayoutPayer) -> None:
    told(payer, balances(payer, "1.00"), TIMEOUT)
    assert stands_at(payer) is None
    old = balances(payer, "1.00")
    told(payer, old)
    told(payer, balances(payer, "1000000.00"))
    told(payer, old)
    assert stands_at(payer) == FLOAT
    concluded = payer.store.conn.execute(
        "SELECT DISTINCT concluded FROM payout_messages WHERE kind = 'result'"
    )
    assert [row[0] for row in concluded] == [BALANCES]
