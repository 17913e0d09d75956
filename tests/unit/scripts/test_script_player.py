"""How a script is played, and which plays do not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.command import talk
from bot.scripts.parse import load
from bot.scripts.player import LineFailed, Player
from bot.scripts.source_line import ScriptError
from tests.kit.echo_stage import EchoStage

GIVEN = """given partner FINSAFE wallet 200.00
given person amina of FINSAFE role owner phone 254712345678
given person juma of FINSAFE role viewer phone 254712345679
"""


class Playhouse:
    """Writes a script, plays it, and keeps the stage to look at."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "play.chat"
        self.stages: list[EchoStage] = []
        self.problems: list[str] = []
        self.gone = False

    def build(self, channel: str) -> EchoStage:
        stage = EchoStage(channel, problems=self.problems, gone=self.gone)
        self.stages.append(stage)
        return stage

    @property
    def log(self) -> list[str]:
        return [entry for entry in self.stages[-1].log if entry != "settle"]

    def write(self, text: str, head: str = "") -> Path:
        self.file.write_text(head + GIVEN + text, encoding="utf-8")
        return self.file

    async def holds(self, text: str, *, restarts: bool = False) -> None:
        script = load(self.write(text))
        await Player(script, self.build("telegram"), restarts=restarts).play()

    async def fails(self, text: str) -> LineFailed:
        with pytest.raises(LineFailed) as caught:
            await self.holds(text)
        return caught.value

    async def talk(self, text: str, head: str = "", **options: object) -> int:
        options = {"channel": None, "restart": False, "record": False} | options
        return await talk([self.write(text, head)], stage_factory=self.build, **options)  # type: ignore[arg-type]


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    return Playhouse(tmp_path)


# What people say


async def test_everything_that_can_be_said(house: Playhouse) -> None:
    await house.holds(
        """
amina> hello
bot< hello
amina> <contact>
bot< contact of None
amina> <contact of juma>
bot< contact of juma
amina> <sticker>
bot< a sticker
amina> <photo>
bot< a photo
amina> <edit> 2,000
bot< edited: 2,000
amina> <dial *384*7#>
bot< dialled *384*7#
"""
    )


async def test_work_is_settled_before_the_first_and_after_every_line(house: Playhouse) -> None:
    await house.holds("@advance 5s\namina> hi\nbot< hi\n")
    assert house.stages[0].log == [
        "open seed 1",
        "settle",
        "advance 5",
        "settle",
        "amina says hi",
        "settle",
        "settle",
        "close",
    ]


async def test_an_option_is_tapped_by_id_else_by_label(house: Playhouse) -> None:
    await house.holds("amina> menu\nbot*\namina> [yes]\nbot< tapped 1:yes\n")
    await house.holds("amina> menu\nbot*\namina> [More]\nbot< tapped 1:more\n")


async def test_screens_are_answers_as_they_were_shown(house: Playhouse) -> None:
    await house.holds(
        """
amina> menu
bot*
amina> swap Second
bot< Second
amina> tell amina a notice is no screen
bot*
amina> later changed, without options
@advance 1s
edit<~ CHANGED
amina> [yes] on screen -2
bot< tapped 1:yes
amina> [yes] on screen -2
bot< tapped 2:yes
"""
    )


async def test_a_missing_option_or_screen_fails_the_line(house: Playhouse) -> None:
    failed = await house.fails("amina> menu\nbot*\namina> [maybe]\n")
    assert failed.at.line == 6
    assert failed.expected == "an option [maybe] on screen -1 of amina"
    assert "[yes: Yes] [no: No]" in failed.came
    failed = await house.fails("amina> menu\nbot*\namina> [yes] on screen -2\n")
    assert failed.came == "amina has seen 1 screens"
    failed = await house.fails("amina> menu\nbot*\njuma> [yes]\n")
    assert failed.came == "juma has seen 0 screens"


async def test_captured_variables_are_said(house: Playhouse) -> None:
    await house.holds(
        """
amina> ref TU-1 more
bot< ref {ref} {option}
amina> menu
bot< {*}
amina> [{option}]
bot< tapped {turn:[0-9]}:{option}
@race 2 amina> {ref} {turn}
bot< TU-1 2
bot< TU-1 {turn}
amina> <edit> {ref}
bot< edited: TU-1
"""
    )


# What the bot answers


async def test_message_lines_rows_and_layout(house: Playhouse) -> None:
    await house.holds(
        """
amina> menu
bot< Pick one

  of these
  [More]
amina> menu
bot<~ PICK
  [Yes] [No]
"""
    )


@pytest.mark.parametrize("row", ["[No] [Yes]", "[Yes]", "[Yes] [No] [More]", "[yes] [no]"])
async def test_a_row_must_be_equal_and_in_order(house: Playhouse, row: str) -> None:
    failed = await house.fails(f"amina> menu\nbot<~ pick\n  {row}\n")
    assert failed.expected == f"a row {row}"
    assert "[Yes] [No]" in failed.came


async def test_another_persons_messages(house: Playhouse) -> None:
    await house.holds(
        """
amina> tell juma hello there
bot[juma]<~ HELLO
amina> hi
bot< hi
"""
    )


async def test_wrong_and_missing_answers_fail(house: Playhouse) -> None:
    failed = await house.fails("amina> hi\nbot< ho\n")
    assert (failed.at.line, failed.channel) == (5, "telegram")
    assert (failed.expected, failed.came) == ("ho", "hi")
    assert failed.trail == ["row one", "row two"]
    assert house.log[-1] == "close"
    failed = await house.fails("amina> hi\nbot< hi\nbot< hi\n")
    assert failed.came == "nothing unread to amina"


@pytest.mark.parametrize(
    ("end", "line"),
    [("juma> hi", 6), ("@race 2 juma> hi", 6), ("@books", 6), ("@advance 1s\namina> [yes]", 7)],
)
async def test_an_unread_message_fails_at_the_next_spoken_line_or_the_end(
    house: Playhouse, end: str, line: int
) -> None:
    failed = await house.fails(f"amina> tell juma hello\n@books\n{end}\n")
    assert failed.at.line == line
    assert failed.came == "unread to juma: hello"


async def test_skipping_reads_everybodys_and_holds_when_there_is_none(house: Playhouse) -> None:
    await house.holds("bot*\namina> tell juma hello\nbot*\nbot*\n")


async def test_an_unread_message_is_matched_by_its_latest_text(house: Playhouse) -> None:
    await house.holds(
        """
amina> menu
bot*
amina> later Paid
amina> swap Sending
@advance 1s
bot< Paid
"""
    )


async def test_an_answer_in_place_is_unread_and_no_edit(house: Playhouse) -> None:
    await house.holds("amina> menu\nbot*\n@race 2 amina> swap again\nbot< again\nbot< again\n")
    failed = await house.fails("amina> menu\nbot*\namina> swap again\nedit<~ again\n")
    assert failed.came == "no edit"


async def test_edits_alerts_and_texts_wait_and_never_fail_unread(house: Playhouse) -> None:
    await house.holds(
        """
amina> menu
bot*
amina> later one
@advance 1s
amina> later two
@advance 1s
amina> [no]
amina> sms 254700000000 first|line
amina> sms 254700000000 second
edit<~ two
alert<~ moved on
sms 254700000000< first
  line
sms 254700000000<~ SECOND
sms 254700000000 none
"""
    )


async def test_an_edit_is_the_newest_to_anybody_or_else_the_speakers(house: Playhouse) -> None:
    text = """
amina> menu
bot*
amina> later paid to amina
@advance 1s
juma> menu
bot*
juma> later paid to juma
@advance 1s
amina> hi
bot< hi
"""
    await house.holds(f"{text}edit<~ to juma\nedit<~ to amina\n")
    failed = await house.fails(f"{text}edit<~ to nobody\n")
    assert failed.came == "edit to juma: paid to juma\nedit to amina: paid to amina"
    failed = await house.fails(f"{text}juma> hi\nbot*\nedit<~ to amina\n")
    assert failed.came == "edit to juma: paid to juma"


async def test_an_alert_belongs_to_the_last_tap(house: Playhouse) -> None:
    failed = await house.fails(
        "amina> menu\nbot*\namina> [no]\namina> [yes]\nbot*\nalert<~ moved\n"
    )
    assert failed.came == "no alert"


async def test_texts_that_are_missing_or_unread(house: Playhouse) -> None:
    failed = await house.fails("sms 254700000000<~ code\n")
    assert failed.came == "no unread SMS to 254700000000"
    failed = await house.fails("amina> sms 254700000000 code\nsms 254700000000 none\n")
    assert failed.came == "code"


async def test_mails_are_read_like_texts(house: Playhouse) -> None:
    await house.holds("""
amina> mail a@b.example first|line
amina> mail a@b.example second 123
mail a@b.example< first
  line
mail a@b.example<~ SECOND {code:[0-9]{3}}
mail a@b.example none
mail juma@b.example none
amina> {code}
bot*
""")
    failed = await house.fails("mail a@b.example<~ code\n")
    assert failed.came == "no unread mail to a@b.example"
    failed = await house.fails("amina> mail a@b.example code\nmail a@b.example none\n")
    assert failed.came == "code"


async def test_gone(house: Playhouse) -> None:
    failed = await house.fails("amina> 123456\nbot*\ngone\n")
    assert failed.expected == "the last message of amina deleted"
    house.gone = True
    await house.holds("amina> 123456\nbot*\ngone\n")


# What happens outside


async def test_directives_reach_the_stage(house: Playhouse) -> None:
    await house.holds(
        """
@bank refuse No on initiate times 2
@send-fails 429:5
@handset 254712345678 pays
@job backup
@at amina -
amina> hi
bot*
@redeliver
@restart
@crash
@at amina topup.confirm
@wallet FINSAFE 1700.00
@available FINSAFE 1600
@float FINSAFE 0.00
@state topup PAID
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
        "job backup",
        "amina says hi",
        "redeliver",
        "restart",
        "crash",
    ]


@pytest.mark.parametrize(
    ("line", "expected", "came"),
    [
        ("@wallet FINSAFE 1.00", "1.00", "1700.00"),
        ("@state topup PAID", "PAID", "there is no topup"),
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
    assert await house.talk("", "channels: ussd\n") == 2
    assert "this build has no ussd channel" in capsys.readouterr().out
    assert await house.talk("", channel="ussd") == 2
    assert await house.talk("", "channels: terminal ussd\n") == 0
    assert "not played on ussd" in capsys.readouterr().out
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
