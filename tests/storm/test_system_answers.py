"""What is reported of answers to partners' systems, and what is right."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.storm.systems.promises import Promises
from bot.storm.systems.request import Answer, Request

ASKED = Request("P00", "hz_key", "POST", "/v1/topup/stk-push", {"amount": 1}, key="k", creates=True)


def _answer(status: int = 202, reference: str = "TU-AAAAAA", **headers: str) -> Answer:
    given = {"content-type": "application/json", **headers}
    return Answer(status, given, json.dumps({"reference": reference}).encode())


def _replay(answer: Answer) -> Answer:
    return replace(answer, headers={**answer.headers, "idempotent-replayed": "true"})


def _heard(*heard: tuple[Request, Answer], was_cut_off: bool = False) -> list[str]:
    promises = Promises({"hz_key"})
    return [
        broken.invariant
        for request, answer in heard
        for broken in promises.heard(request, answer, ["271828"], was_cut_off=was_cut_off)
    ]


def test_the_same_answer_again_is_right() -> None:
    assert _heard((ASKED, _answer()), (ASKED, _replay(_answer()))) == []


@pytest.mark.parametrize(
    "second",
    [
        _answer(),  # decided again
        _replay(_answer(reference="TU-BBBBBB")),
        _replay(_answer(status=200)),
        _replay(_answer(location="/v1/operations/TU-AAAAAA")),
        _answer(status=422),
        _answer(status=404),
    ],
)
def test_another_answer_to_the_same_request_is_reported(second: Answer) -> None:
    assert _heard((ASKED, _answer()), (ASKED, second)) == ["same answer"]


def test_one_key_stands_for_one_request() -> None:
    other = ASKED.with_body(amount=2)
    assert _heard((ASKED, _answer()), (other, _answer(status=422))) == []
    assert _heard((ASKED, _answer()), (other, _replay(_answer()))) == ["same answer"]
    assert _heard((other, _answer(status=422)), (other, _answer())) == ["same answer"]


def test_one_operation_is_begun_by_one_key() -> None:
    other = replace(ASKED, key="other")
    assert _heard((ASKED, _answer()), (other, _answer())) == ["same answer"]


def test_what_was_refused_without_a_decision_may_be_decided_later() -> None:
    assert _heard((ASKED, _answer(status=429)), (ASKED, _answer())) == []


def test_only_a_stop_excuses_that_the_product_was_not_available() -> None:
    assert _heard((ASKED, _answer(status=503)), was_cut_off=True) == []
    assert _heard((ASKED, _answer(status=503))) == ["server error"]
    assert _heard((ASKED, _answer(status=500)), was_cut_off=True) == ["server error"]


@pytest.mark.parametrize("secret", ["hz_key", "271828", "whsec_c2VjcmV0"])
def test_a_secret_in_an_answer_is_reported(secret: str) -> None:
    assert _heard((ASKED, _answer(reference=secret))) == ["secrets"]


def test_an_amount_is_no_code() -> None:
    assert _heard((ASKED, _answer(reference="271828.00"))) == []


def test_a_wait_ends_with_a_change() -> None:
    asked = Request("P00", "hz_key", "GET", "/v1/operations/TU-AAAAAA", query="wait=25&version=2")
    for version, final, found in ((2, False, ["wait"]), (2, True, []), (3, False, [])):
        body = json.dumps({"version": version, "final": final}).encode()
        assert _heard((asked, Answer(200, {}, body))) == found
