"""Events outside the conversation during a play, and the command that plays scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.command import talk
from bot.scripts.source_line import ScriptError
from tests.kit.playhouse import GIVEN, Playhouse

# Events outside the conversation


async def test_directives_reach_the_stage(house: Playhouse) -> None:
    await house.holds(
        """
@bank refuse No on initiate times 2
@send-fails 429:5
@handset 254712345678 pays
@payee 254722000111 fails 8 late 24h
@bank http 500 on payout-status times 3
@job backup
@at amina -
amina> hi
bot*
@redeliver
@database away 20s
@restart
@crash
@at amina topup.confirm
@wallet FINSAFE 1700.00
@available FINSAFE 1600
@float FINSAFE 0.00
@state topup PAID
@state payout PAID
@state disbursement PAID
@bank initiate 2
@bank float 0
@books
@no-secrets
"""
    )
    assert house.log[1:-1] == [
        "bank refuse initiate 2",
        "sends 429 5 1",
        "handset 254712345678 pays",
        "payee 254722000111 fails 8 late 24h",
        "bank http payout-status 3",
        "job backup",
        "amina says hi",
        "redeliver",
        "database away 20",
        "restart",
        "crash",
    ]


@pytest.mark.parametrize(
    ("line", "expected", "came"),
    [
        ("@wallet FINSAFE 1.00", "1.00", "1700.00"),
        ("@state topup PAID", "PAID", "there is no topup"),
        ("@state disbursement PAID", "PAID", "there is no payout"),
        ("@bank initiate 1", "1 × initiate", "2 × initiate"),
        ("@at amina topup.amount", "topup.amount", "-"),
        ("@books", "books that hold", "one\ntwo"),
        ("@no-secrets", "no secret at rest", "one\ntwo"),
    ],
)
async def test_what_does_not_stand_so_fails(
    house: Playhouse, line: str, expected: str, came: str
) -> None:
    house.problems = ["one", "two"]
    failed = await house.fails(line)
    assert (failed.expected, failed.came) == (expected, came)


async def test_a_race_is_one_input_many_times(house: Playhouse) -> None:
    await house.holds("amina> menu\nbot*\n@race 3 amina> [yes]\nbot< tapped 1:yes\nalert<~ moved\n")
    assert house.log.count("amina taps 1:yes") == 3


async def test_an_armed_crash_must_happen(house: Playhouse) -> None:
    await house.holds("@crash at commit\n@crash\n")
    failed = await house.fails("@books\n@crash at before-call initiate 2\n@books\n")
    assert failed.at.line == 5
    assert failed.expected == "a crash at before-call initiate 2"


async def test_a_product_that_falls_over_fails_the_line(house: Playhouse) -> None:
    failed = await house.fails("amina> break\n")
    assert failed.came.startswith("RuntimeError: fell over")


async def test_what_the_stage_cannot_do_is_no_failed_line(house: Playhouse) -> None:
    with pytest.raises(ScriptError, match=r"play\.chat:4: this build cannot paint"):
        await house.holds("amina> paint\n")


async def test_restarts_go_after_every_line_that_does_something(house: Playhouse) -> None:
    text = "amina> a\nbot< a\n@crash at commit\n@crash\n@advance 1s\n@books\n"
    await house.holds(text, restarts=True)
    assert house.log[1:-1] == ["amina says a", "restart", "crash", "advance 1", "restart"]


# The command


async def test_each_channel_is_a_run_of_its_own(
    house: Playhouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await house.talk("amina> hi\nbot< hi\n") == 0
    assert [stage.channel for stage in house.stages] == ["telegram", "terminal"]
    assert "holds on terminal" in capsys.readouterr().out
    assert await house.talk("bot*\n", channel="terminal") == 0
    assert [stage.channel for stage in house.stages[2:]] == ["terminal"]


async def test_a_channel_that_the_build_does_not_have(
    house: Playhouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await house.talk("", "channels: web\n") == 2
    assert "this build has no web channel" in capsys.readouterr().out
    assert await house.talk("", channel="web") == 2
    assert await house.talk("", "channels: terminal web\n") == 0
    assert "not played on web" in capsys.readouterr().out
    assert await house.talk("", "channels: terminal\n", channel="telegram") == 0
    assert "not played, it is not for telegram" in capsys.readouterr().out
    assert len(house.stages) == 1


async def test_a_failure_says_where_what_and_the_trail(
    house: Playhouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await house.talk("amina> hi\nbot< ho\n", channel="telegram") == 1
    assert capsys.readouterr().out == (
        f"{house.file}:5: failed on telegram\n"
        "  line:\n    bot< ho\n"
        "  expected:\n    ho\n"
        "  came:\n    hi\n"
        "  trail:\n    row one\n    row two\n"
    )


async def test_the_highest_status_of_all_files(
    house: Playhouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plays" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.chat").write_text("@sing\n")
    (folder / "b.chat").write_text(GIVEN + "amina> hi\n")
    (folder / "c.txt").write_text("no script")
    assert await talk([folder.parent], stage_factory=house.build) == 2
    out = capsys.readouterr().out
    assert "a.chat:1: there is no directive @sing" in out
    assert "b.chat:4: failed on terminal" in out
    assert await talk([folder / "b.chat"], stage_factory=house.build) == 1
    assert await talk([folder / "none.chat"], stage_factory=house.build) == 2
    (tmp_path / "empty").mkdir()
    assert await talk([tmp_path / "empty"], stage_factory=house.build) == 2


async def test_a_script_may_decline_restarts(
    house: Playhouse, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "channels: terminal\nrestart: no, a call is in flight\n"
    assert await house.talk("amina> hi\nbot*\n", head, restart=True) == 0
    assert "restart" not in house.log
    assert "not restarted" in capsys.readouterr().out


async def test_a_recorded_play_can_be_played(
    house: Playhouse, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
amina> menu
bot<~ pick {n}{*}
amina> later all {*} done
@advance 1s
amina> [no]
amina> one|#two|[three]
bot*
amina> tell juma hello
bot[juma]< {*}
amina> sms 254712345678 code 123|ok
sms 254712345678<~ {code:[0-9]{3}}
amina> code {code}
bot*
@books
"""
    assert await house.talk(text, "channels: telegram\n", record=True) == 0
    printed = capsys.readouterr()
    assert "holds on telegram" in printed.err
    assert printed.out == (
        "title: \nchannels: telegram\nseed: 1\nlang: en\n"
        + GIVEN
        + """
amina> menu
bot< Pick one
  of these
  [Yes] [No]
  [More]
amina> later all {*} done
@advance 1s
edit<~ all {*}*} done
amina> [no]
alert<~ That menu moved on
amina> one|#two|[three]
bot< one
  {*}two
  {*}three]
amina> tell juma hello
bot[juma]< hello
amina> sms 254712345678 code 123|ok
sms 254712345678< code 123
  ok
amina> code 123
bot< code 123
@books
"""
    )
    house.file.write_text(printed.out, encoding="utf-8")
    assert await talk([house.file], stage_factory=house.build) == 0
