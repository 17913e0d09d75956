"""The simulated Daraja fails as it is told to (facts: Daraja 2 and 5)."""

from __future__ import annotations

import asyncio

import pytest

from bot.simulation.faults import Fault, FaultKind, ResultShape, parse_fault
from tests.kit.daraja_caller import ID, PHONE, TIMEOUT_URL, DarajaCaller, values


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("spike-arrest", Fault(FaultKind.SPIKE_ARREST)),
        ("quota", Fault(FaultKind.QUOTA)),
        ("system-error", Fault(FaultKind.SYSTEM_ERROR)),
        ("queue-timeout", Fault(FaultKind.QUEUE_TIMEOUT)),
        ("result absent", Fault(FaultKind.RESULT, shape=ResultShape.ABSENT)),
    ],
)
def test_a_fault_is_read_as_scripts_write_it(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["result", "result round", "quota 5"])
def test_any_other_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"needs a|unknown fault"):
        parse_fault(text)


def test_a_fault_is_armed_only_where_it_makes_sense() -> None:
    caller = DarajaCaller()
    with pytest.raises(ValueError, match="unknown call 'initiate'"):
        caller.arm("html", "initiate")
    with pytest.raises(ValueError, match="only payout can meet duplicate"):
        caller.arm("duplicate", "payout-status")
    with pytest.raises(ValueError, match="nothing here can meet bounces"):
        caller.arm("bounces")
    for fault in ("result absent", "says-failed No"):
        with pytest.raises(ValueError, match="payout-token cannot"):
            caller.arm(fault, "payout-token")


@pytest.mark.parametrize(
    ("fault", "status", "code", "text"),
    [
        ("refuse Bad Request - Invalid Amount", 400, "400.002.02", "Bad Request - Invalid Amount"),
        ("http 401", 401, "401.002.01", "Error Occurred - Invalid Access Token - "),
        ("http 500", 500, "500.003.1001", "Internal Server Error"),
        ("http 503", 503, "500.003.1001", "Service is currently unreachable."),
        ("http 429", 429, "500.003.02", "Spike Arrest Violation"),
        ("http 418", 418, "418.003.01", "Error Occurred"),
        ("spike-arrest", 500, "500.003.02", "Error Occurred: Spike Arrest Violation"),
        ("quota", 500, "500.003.03", "Quota Violation"),
        ("system-error", 500, "500.002.1001", "System internal error."),
        ("token-gone", 404, "404.001.03", "Invalid Access Token"),
    ],
)
async def test_an_error_of_the_gateway_pays_nothing(
    caller: DarajaCaller, fault: str, status: int, code: str, text: str
) -> None:
    caller.arm(fault)
    answer = await caller.pay()
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert text in answer.json()["errorMessage"]
    await caller.wait(60)
    assert (caller.daraja.payments(), caller.posted) == ((), [])
    await caller.log_in()
    assert (await caller.pay()).status_code == 200


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("duplicate", "Duplicate OriginatorConversationID."),
        ("refuse-after System internal error.", "System internal error."),
    ],
)
async def test_one_code_with_two_texts_may_hide_a_payment(
    caller: DarajaCaller, fault: str, text: str
) -> None:
    caller.arm(fault)
    answer = await caller.pay()
    assert (answer.status_code, answer.json()["errorCode"]) == (500, "500.002.1001")
    assert answer.json()["errorMessage"] == text
    await caller.wait(3)
    assert [result["ResultCode"] for result in caller.results()] == [0]


async def test_a_firewall_or_garbage_answers_for_nothing(caller: DarajaCaller) -> None:
    caller.arm("html")
    caller.arm("garbage")
    caller.arm("contradicts")
    html, garbage, contradiction = [await caller.pay() for _ in range(3)]
    assert html.headers["content-type"] == "text/html"
    with pytest.raises(ValueError, match="codec can't decode"):
        garbage.json()
    assert contradiction.json()["ResponseCode"] == "0"
    assert "rejected" in contradiction.json()["ResponseDescription"]
    assert caller.daraja.payments() == ()


@pytest.mark.parametrize(("fault", "paid"), [("timeout-before", 0), ("timeout-after", 1)])
async def test_a_call_that_is_never_answered_may_have_been_done(
    caller: DarajaCaller, fault: str, paid: int
) -> None:
    caller.arm(fault)
    call = asyncio.ensure_future(caller.pay())
    await caller.wait(3)
    assert not call.done()
    call.cancel()
    assert len(caller.daraja.paid()) == paid
    assert len(caller.results()) == paid


async def test_a_slow_call_takes_effect_when_it_is_answered(caller: DarajaCaller) -> None:
    caller.arm("slow 20s")
    call = asyncio.ensure_future(caller.pay())
    await caller.wait(19)
    assert (call.done(), caller.daraja.payments()) == (False, ())
    await caller.wait(1)
    assert (await call).status_code == 200
    await caller.wait(3)
    assert len(caller.results()) == 1


async def test_a_queue_timeout_is_told_elsewhere_and_then_it_is_paid(caller: DarajaCaller) -> None:
    caller.arm("queue-timeout")
    acknowledged = (await caller.pay()).json()
    await caller.wait(3)
    assert caller.posted == [
        (
            TIMEOUT_URL,
            {
                "Result": {
                    "ResultType": 1,
                    "ResultCode": 1,
                    "ResultDesc": "The service request has timed out.",
                    "OriginatorConversationID": ID,
                    "ConversationID": acknowledged["ConversationID"],
                }
            },
        )
    ]
    await caller.wait(60)
    assert [result["ResultCode"] for result in caller.results()] == [0]


async def test_after_a_queue_timeout_it_may_fail_or_be_paid_in_silence(
    caller: DarajaCaller,
) -> None:
    for n, does in enumerate(("fails 8", "silent")):
        caller.arm("queue-timeout")
        caller.payee(does)
        await caller.pay(OriginatorConversationID=f"HZ{n}")
    await caller.wait(63)
    assert [result["ResultCode"] for result in caller.results()] == [8]
    assert [payment.originator_id for payment in caller.daraja.paid()] == ["HZ1"]


async def test_an_order_that_is_said_to_have_failed_pays_nobody(caller: DarajaCaller) -> None:
    caller.payee("fails 8")
    caller.arm("says-failed The line is down")
    assert (await caller.paid())["ResultDesc"] == "The line is down"
    (result,) = caller.results()
    assert (result["ResultCode"], result["OriginatorConversationID"]) == (17, ID)
    assert caller.daraja.paid() == ()
    later = await caller.paid(OriginatorConversationID="HZ2")
    assert later["ResultCode"] == 8, "the payee has not been asked before"


async def test_a_wrong_initiator_is_told_in_its_own_words(caller: DarajaCaller) -> None:
    caller.arm("says-failed The line is down")
    result = await caller.paid(InitiatorName="nobody")
    assert (result["ResultCode"], result["ResultDesc"]) == (
        2001,
        "The initiator information is invalid.",
    )


async def test_faults_meet_their_own_call_and_all_calls_are_counted(caller: DarajaCaller) -> None:
    caller.arm("refuse Locked", "payout-token")
    caller.arm("http 500", "payout-balance")
    assert (await caller.pay()).status_code == 200
    refused = await caller.ask_token()
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "400.008.01")
    assert (await caller.ask_balance()).status_code == 500
    assert (await caller.ask_balance()).status_code == 200
    calls = ("payout-token", "payout", "payout-status", "payout-balance")
    assert [caller.daraja.calls(call) for call in calls] == [2, 1, 0, 2]


# --- Results in other shapes ----------------------------------------------------------------------


async def test_parameters_may_be_one_object(caller: DarajaCaller) -> None:
    caller.arm("result one-object")
    result = await caller.paid()
    shown = {"Key": "TransactionReceipt", "Value": result["TransactionID"]}
    assert result["ResultParameters"] == {"ResultParameter": shown}


async def test_parameters_may_be_absent(caller: DarajaCaller) -> None:
    caller.arm("result absent")
    assert "ResultParameters" not in await caller.paid()


@pytest.mark.parametrize(
    ("does", "code"), [("pays", "0"), ("fails 8", "8"), ("fails SFC_IC0003", "SFC_IC0003")]
)
async def test_a_code_may_be_text(caller: DarajaCaller, does: str, code: str) -> None:
    caller.payee(does)
    caller.arm("result code-type")
    assert (await caller.paid())["ResultCode"] == code


async def test_the_codes_of_a_balance_may_be_numbers(caller: DarajaCaller) -> None:
    caller.arm("result code-type", "payout-balance")
    await caller.ask_balance()
    await caller.wait(3)
    assert caller.results()[-1]["ResultCode"] == 0


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ("other-originator", "OriginatorConversationID"),
        ("other-conversation", "ConversationID"),
    ],
)
async def test_one_of_the_ids_may_be_another(caller: DarajaCaller, shape: str, field: str) -> None:
    caller.arm(f"result {shape}")
    acknowledged = (await caller.pay()).json()
    await caller.wait(3)
    (result,) = caller.results()
    ids = ("OriginatorConversationID", "ConversationID")
    assert [name for name in ids if result[name] != acknowledged[name]] == [field]


async def test_keys_may_lack_their_values(caller: DarajaCaller) -> None:
    caller.arm("result no-value")
    result = await caller.paid()
    given = {key: value for key, value in values(result).items() if value is not None}
    assert given == {"TransactionReceipt": result["TransactionID"]}


async def test_a_result_may_announce_another(caller: DarajaCaller) -> None:
    caller.arm("result more-to-come")
    assert (await caller.paid())["ResultType"] == 1
    assert caller.daraja.payments()[0].reported_at is None


async def test_the_phone_may_be_masked(caller: DarajaCaller) -> None:
    caller.payee("pays Amina")
    caller.arm("result masked")
    assert values(await caller.paid())["ReceiverPartyPublicName"] == "2547*****678 - AMINA"


async def test_a_result_may_tell_of_another_amount_or_phone(caller: DarajaCaller) -> None:
    caller.arm("result other-amount")
    assert values(await caller.paid())["TransactionAmount"] == 1501
    caller.arm("result other-phone")
    told = values(await caller.paid(OriginatorConversationID="HZ2"))
    assert told["ReceiverPartyPublicName"][:12] != PHONE
    assert [payment.reported_at for payment in caller.daraja.paid()] == [None, None]


@pytest.mark.parametrize(("does", "text"), [("pays", "insufficient"), ("fails 8", "successfully")])
async def test_a_results_words_may_say_the_reverse_of_its_code(
    caller: DarajaCaller, does: str, text: str
) -> None:
    caller.payee(does)
    caller.arm("result contradicts")
    assert text in (await caller.paid())["ResultDesc"]


async def test_a_status_may_name_the_customer_as_credit_party(caller: DarajaCaller) -> None:
    await caller.paid()
    caller.arm("result credit-party", "payout-status")
    found = values(await caller.status())
    assert found["CreditPartyName"].startswith(PHONE)
    assert found["DebitPartyName"].startswith("400187")
