"""``@api`` lines and what reads their answers: how they are written, and what is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.api_answer import ApiAnswer, find, read_api_expectation
from bot.scripts.api_call import ApiCall
from bot.scripts.api_syntax import read_api
from bot.scripts.directive import ArmWebhook, DeliveredAre, EventsAre
from bot.scripts.directive_syntax import read_directive
from bot.scripts.source_line import ScriptError
from tests.kit.parsed_scripts import AT, one, refused

ANSWER = ApiAnswer(
    202,
    {"location": "/v1/operations/TU-1"},
    '{"amount":"1500.00","final":false,"receipt":null,"note":"","version":2,'
    '"data":[{"reference":"TU-1"},{"reference":"TU-2"}]}',
)


@pytest.mark.parametrize(
    ("written", "body"),
    [
        ("amount=1500", '{"amount":1500}'),
        ("amount=1500.00", '{"amount":1500.00}'),
        ("amount=0712", '{"amount":"0712"}'),
        ("again=true note=null", '{"again":true,"note":null}'),
        ('amount="1500"', '{"amount":"1500"}'),
        (r'note="1 500 \"x\""', r'{"note":"1 500 \"x\""}'),
        ("note=NaN", '{"note":"NaN"}'),
        ('types=["topup.paid", "float.failed"]', '{"types":["topup.paid", "float.failed"]}'),
        ('x={"a": [1, "{kind}"]} y=2', '{"x":{"a": [1, "topup"]},"y":2}'),
        ("otp_code={code}", '{"otp_code":"123456"}'),
        ("note={kind}-{code}", '{"note":"topup-123456"}'),
    ],
)
def test_the_body_of_a_post(written: str, body: str) -> None:
    call = read_api(AT, f"@api F POST /v1/things {written}")
    request = call.request({"code": "123456", "kind": "topup"})
    assert request.body == body
    assert request.target == "/v1/things"


def test_a_post_without_members_has_no_body() -> None:
    assert read_api(AT, "@api F POST /v1/otp/cleanup").request({}).body is None


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
def test_names_go_into_the_query(method: str) -> None:
    call = read_api(AT, f'@api F {method} /v1/x/{{ref}}?a=1 limit=2 note="a b&c" cursor={{c}}')
    request = call.request({"ref": "TU-1", "c": "x=="})
    assert request.target == "/v1/x/TU-1?a=1&limit=2&note=a+b%26c&cursor=x%3D%3D"
    assert request.body is None


def test_keys_callers_and_headers() -> None:
    call = read_api(
        AT, '@api F POST /v1/x key={k} as READ,TOPUP header X-One=1 header Two="a {k}" a=1'
    )
    request = call.request({"k": "sixteen-and-more-characters"})
    assert request.caller == "READ,TOPUP"
    assert request.headers == (
        ("X-One", "1"),
        ("Two", "a sixteen-and-more-characters"),
        ("Idempotency-Key", "sixteen-and-more-characters"),
    )
    assert read_api(AT, "@api F GET /v1/x as nobody").caller == "nobody"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("@api FINSAFE GET", "@api is written"),
        ("@api FINSAFE get /v1/x", "there is no method get"),
        ("@api FINSAFE GET v1/x", "a path begins with /"),
        ("@api OTHER GET /v1/x", "there is no partner OTHER"),
        ("@api FINSAFE GET /v1/x as SING", "there is no scope SING"),
        ("@api FINSAFE GET /v1/x as", "as is said once"),
        ("@api FINSAFE GET /v1/x as nobody as wrong", "as is said once"),
        ("@api FINSAFE GET /v1/x header", "header needs NAME=VALUE"),
        ("@api FINSAFE GET /v1/x header a.b=1", "no header has the name a.b"),
        ("@api FINSAFE GET /v1/x key=a key=b", "key= is said twice"),
        ("@api FINSAFE GET /v1/x limit", "cannot read 'limit'"),
        ('@api FINSAFE POST /v1/x a="b', "a quote is not closed"),
        ('@api FINSAFE POST /v1/x a=["b"', "a list or an object is not closed"),
        ("@api FINSAFE GET /v1/x/{ref}", "{ref} was not captured before"),
        ("@race 0 @api FINSAFE GET /v1/x", "@race is written"),
        ("@race 2 @api FINSAFE get /v1/x", "there is no method get"),
        ("@events OTHER 1", "there is no partner OTHER"),
        ("@webhook OTHER answers 500", "there is no partner OTHER"),
        ("@webhook FINSAFE answers 100", "@webhook is written"),
        ("@delivered OTHER 1", "there is no partner OTHER"),
        ("api 202", "no @api line stands before"),
        ("api", "api is written"),
        ("api 99", "api is written"),
        ("api<~", "nothing is expected"),
    ],
)
def test_unreadable_lines(tmp_path: Path, line: str, why: str) -> None:
    assert why in refused(tmp_path, line)


def test_a_race_of_a_request(tmp_path: Path) -> None:
    call = one(tmp_path, "@race 3 @api FINSAFE GET /v1/balance")
    assert isinstance(call, ApiCall)
    assert call.copies == 3


def test_directives_about_events() -> None:
    assert read_directive(AT, "@events F 3") == EventsAre(AT, "F", 3)
    assert read_directive(AT, "@delivered F 0") == DeliveredAre(AT, "F", 0)
    assert read_directive(AT, "@webhook F answers 410") == ArmWebhook(AT, "F", 410)
    assert read_directive(AT, "@webhook F answers 500 times 7") == ArmWebhook(AT, "F", 500, 7)


@pytest.mark.parametrize(
    ("line", "captured"),
    [
        ("api 202", {}),
        ("api amount 1500.00", {}),
        ('api amount "1500.00"', {}),
        ('api note ""', {}),
        ("api final false", {}),
        ("api receipt null", {}),
        ("api version {v:[0-9]+}", {"v": "2"}),
        ("api data.1.reference {ref}", {"ref": "TU-2"}),
        ('api data.0 {"reference":"TU-1"}', {}),
        ("api data {*}", {}),
        ('api<~ "FINAL":false', {}),
        ('api<~ "final": false', {}),
        ("api header LOCATION /v1/operations/{ref}", {"ref": "TU-1"}),
    ],
)
def test_an_answer_that_is_as_expected(line: str, captured: dict[str, str]) -> None:
    wanted = read_api_expectation(AT, line)
    assert wanted is not None
    assert find(ANSWER, wanted) == captured


@pytest.mark.parametrize(
    "line",
    [
        "api 200",
        "api amount 1500",
        "api lunch {*}",
        "api data.2.reference {*}",
        "api data.reference {*}",
        "api amount.x {*}",
        "api header Retry-After {*}",
        "api<~ paid",
    ],
)
def test_an_answer_that_is_another(line: str) -> None:
    wanted = read_api_expectation(AT, line)
    assert wanted is not None
    assert find(ANSWER, wanted) is None


def test_what_is_no_answer_is_read_as_something_else() -> None:
    assert read_api_expectation(AT, "api> hello") is None
    assert read_api_expectation(AT, "apiary> hello") is None
    with pytest.raises(ScriptError):
        read_api_expectation(AT, "api amount 1500", ["1600"])
