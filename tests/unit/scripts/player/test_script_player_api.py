"""Requests of partners' own systems during a play, and their answers."""

from __future__ import annotations

import pytest

from bot.scripts.command import talk
from tests.kit.playhouse import GIVEN, Playhouse


async def test_requests_reach_the_stage_and_their_answers_are_read(house: Playhouse) -> None:
    await house.holds(
        """
@api FINSAFE POST /v1/things note=lunch code="12" key=a-key-of-twenty-chars
api 200
api note {note}
api code {code}
api header idempotency-key a-key-of-twenty-chars
@webhook FINSAFE answers 500 times 2
@api FINSAFE GET /v1/{note} again={code} as READ
api<~ /v1/LUNCH?again=12
api caller READ
@redeliver
@events FINSAFE 4
@delivered FINSAFE 3
"""
    )
    assert house.log[1:-1] == [
        "FINSAFE POST /v1/things",
        "webhook FINSAFE 500 2",
        "FINSAFE GET /v1/lunch?again=12",
        "redeliver",
    ]


@pytest.mark.parametrize(
    ("line", "expected", "came"),
    [
        ("api 404", "404", '200 {"a":1}'),
        ("api a 2", "a 2", '200 {"a":1}'),
        ("api<~ b", "contains: b", '200 {"a":1}'),
        ("api header X-Two {*}", "header X-Two {*}", "x-one: 1"),
        ("@events FINSAFE 1", "1 events", "4 events"),
        ("@delivered FINSAFE 1", "1 taken", "3 taken"),
    ],
)
async def test_another_answer_fails_the_line(
    house: Playhouse, line: str, expected: str, came: str
) -> None:
    failed = await house.fails(f"@api FINSAFE POST /v1/x a=1 header X-One=1\n{line}\n")
    assert (failed.expected, failed.came) == (expected, came)


async def test_an_unread_answer_fails_nothing(house: Playhouse) -> None:
    await house.holds("@api FINSAFE GET /v1/x\n@api FINSAFE GET /v1/y\n")


async def test_copies_are_read_as_the_one_answered_last(house: Playhouse) -> None:
    await house.holds("@race 3 @api FINSAFE GET /v1/x\napi 202\n")
    assert house.log.count("FINSAFE GET /v1/x") == 3


async def test_restarts_go_after_requests_too(house: Playhouse) -> None:
    await house.holds("@api FINSAFE GET /v1/x\napi 200\n", restarts=True)
    assert house.log[1:-1] == ["FINSAFE GET /v1/x", "restart"]


async def test_a_recorded_request_can_be_sent_again(
    house: Playhouse, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
@api FINSAFE POST /v1/x code="12" request_id=req_1
api code {code}
@race 2 @api FINSAFE POST /v1/y otp={code} list=["{code}", 1] note="a b" key=one as READ header X=1
api 201
"""
    assert await house.talk(text, "channels: telegram\n", record=True) == 0
    printed = capsys.readouterr().out
    assert printed == (
        "title: \nchannels: telegram\nseed: 1\nlang: en\n"
        + GIVEN
        + """
@api FINSAFE POST /v1/x code="12" request_id=req_1
api 200
api<~ {"code":"12","request_id":"{*}"}
@race 2 @api FINSAFE POST /v1/y otp="12" list=["12", 1] note="a b" key=one as READ header X=1
api 201
api<~ {"otp":"12","list":["12", 1],"note":"a b"}
"""
    )
    house.file.write_text(printed, encoding="utf-8")
    assert await talk([house.file], stage_factory=house.build) == 0
