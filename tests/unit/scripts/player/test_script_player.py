"""The player sends what people say and compares the bot's answers."""

from __future__ import annotations

import pytest

from tests.kit.playhouse import Playhouse

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
