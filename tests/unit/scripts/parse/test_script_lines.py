"""What people say and what the bot answers, as lines of a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.expect import (
    ExpectAlert,
    ExpectEdit,
    ExpectGone,
    ExpectMail,
    ExpectMessage,
    ExpectSms,
    SkipMessages,
    read_expectation,
)
from bot.scripts.given import (
    GivenPartner,
    GivenSetting,
)
from bot.scripts.pattern import Pattern, fill
from bot.scripts.speech import (
    Dial,
    EditLast,
    Race,
    Say,
    SendOther,
    ShareContact,
    Tap,
)
from services.domain.money import Money
from tests.kit.parsed_scripts import AT, GIVEN, lines, one, read, reason, refused

# What people say


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("hello [yes]", Say(AT, "amina", "hello [yes]")),
        ("<b>bold</b>", Say(AT, "amina", "<b>bold</b>")),
        ("[mine]", Tap(AT, "amina", "mine")),
        ("[1,000] on screen -2", Tap(AT, "amina", "1,000", "-2")),
        ("<contact>", ShareContact(AT, "amina", None)),
        ("<contact of root>", ShareContact(AT, "amina", "root")),
        ("<sticker>", SendOther(AT, "amina", "sticker")),
        ("<photo>", SendOther(AT, "amina", "photo")),
        ("<edit> 2,000", EditLast(AT, "amina", "2,000")),
        ("<dial *384*7#>", Dial(AT, "amina", "*384*7#")),
    ],
)
def test_speech(tmp_path: Path, said: str, expected: Say) -> None:
    line = one(tmp_path, f"amina> {said}")
    assert type(line) is type(expected)
    skip = {"at"}
    for name in set(expected.__slots__) - skip:
        assert getattr(line, name) == getattr(expected, name)
    race = one(tmp_path, f"@race 3 amina> {said}")
    assert isinstance(race, Race)
    assert (race.copies, type(race.speech)) == (3, type(expected))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Amina> hello", "nobody is called Amina"),
        ("amina>", "amina says nothing"),
        ("amina> [yes] on screen 2", "screens count back from -1; there is no screen '2'"),
        ("amina> <contact of juma>", "nobody is called juma"),
        ("amina> <edit>", "<edit> needs the new text"),
        ("amina> code {code}", "{code} was not captured before"),
        ("@race 2 amina> code {code}", "{code} was not captured before"),
        ("@race amina> hi", "@race is written: @race N NAME> …"),
        ("@race 0 amina> hi", "@race is written: @race N NAME> …"),
        ("amina says hi", "cannot read: amina says hi"),
        ("given admin late", "given lines stand before the first spoken line"),
    ],
)
def test_unreadable_speech(tmp_path: Path, line: str, expected: str) -> None:
    assert refused(tmp_path, line) == expected


def test_a_captured_variable_may_be_said(tmp_path: Path) -> None:
    text = "amina> a\nbot< {n}\nsms 254712345678<~ code {code:[0-9]{6}}\namina> {n} {code}"
    assert isinstance(lines(tmp_path, text)[-1], Say)
    assert fill("{n} {code} {*}", {"n": "1", "code": "2"}) == "1 2 {*}"


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("@race  2 amina> hi  there  # twice", "@race 2 amina> hi  there"),
        ("@race\t2\tamina> hi  there", "@race 2 amina> hi  there"),
        ("amina> [yes]  on  screen  -1", "amina> [yes] on screen -1"),
        ("amina> <contact  of\troot>", "amina> <contact of root>"),
        ("amina> <dial  *384*7#>", "amina> <dial *384*7#>"),
        ("sms  254712345678  none", "sms 254712345678 none"),
        ("sms\t254712345678\t<~ Code  1", "sms 254712345678<~ Code  1"),
        ("@bank\tinitiate  1", "@bank initiate 1"),
        ("@bank  refuse  No  on\tinitiate  times  2  # no", "@bank refuse No on initiate times 2"),
        ("@advance\t90s", "@advance 90s"),
        ("@books\t# hold", "@books"),
    ],
)
def test_blanks_between_words_are_read_as_one(tmp_path: Path, line: str, plain: str) -> None:
    came, expected = lines(tmp_path, line)[-1], lines(tmp_path, plain)[-1]
    assert str(_without_places(came)) == str(_without_places(expected))


def _without_places(line: object) -> object:
    """The line's own facts in order, without its position in the file."""
    if not hasattr(line, "at"):
        return line
    names = [name for name in line.__dataclass_fields__ if name != "at"]  # type: ignore[attr-defined]
    return type(line), [_without_places(getattr(line, name)) for name in names]


def test_what_is_said_and_expected_keeps_its_inner_blanks(tmp_path: Path) -> None:
    said = one(tmp_path, "amina>  hi  there\tyou  # twice")
    assert isinstance(said, Say)
    assert said.text == "hi  there\tyou"
    message = one(tmp_path, "bot<  hi  there")
    assert isinstance(message, ExpectMessage)
    assert message.pattern.text == "hi  there"


def test_blanks_between_the_words_of_a_given_are_read_as_one(tmp_path: Path) -> None:
    text = "given  partner\tFINSAFE  wallet   1.00\ngiven\tsetting  c2b.min\t10  # least\n"
    partner, setting = read(tmp_path, text).givens
    assert isinstance(partner, GivenPartner)
    assert (partner.code, partner.wallet) == ("FINSAFE", Money(100))
    assert isinstance(setting, GivenSetting)
    assert (setting.name, setting.value) == ("c2b.min", "10")
    (tmp_path / "people.chat").write_text(GIVEN)
    assert len(read(tmp_path, "include\t people.chat\n").givens) == 3


# What the bot answers


def test_a_message_goes_on_in_indented_lines_and_rows(tmp_path: Path) -> None:
    text = """bot< How much?{*}
  [500] [1,000]

  # a comment between
  or more
    [Other {*}] [{x:[0-9]}]
"""
    message = one(tmp_path, text)
    assert isinstance(message, ExpectMessage)
    assert message.pattern.text == "How much?{*}\nor more"
    assert [[str(label) for label in row] for row in message.rows] == [
        ["500", "1,000"],
        ["Other {*}", "{x:[0-9]}"],
    ]
    assert (message.to, message.pattern.contains) == (None, False)


def test_expectations(tmp_path: Path) -> None:
    message = one(tmp_path, "bot[root]<~ PIN")
    assert isinstance(message, ExpectMessage)
    assert (message.to, message.pattern.contains) == ("root", True)
    assert isinstance(one(tmp_path, "bot*  # skip"), SkipMessages)
    assert isinstance(one(tmp_path, "alert<~ moved on"), ExpectAlert)
    assert isinstance(one(tmp_path, "edit<~ Received"), ExpectEdit)
    assert isinstance(one(tmp_path, "gone"), ExpectGone)
    sms = one(tmp_path, "sms 254712345678< Code 1\n  [not a row]")
    assert isinstance(sms, ExpectSms)
    assert sms.pattern is not None
    assert sms.pattern.text == "Code 1\n[not a row]"
    none = one(tmp_path, "sms 254712345678 none")
    assert isinstance(none, ExpectSms)
    assert none.pattern is None
    rows = one(tmp_path, "bot<~\n  [Yes]")
    assert isinstance(rows, ExpectMessage)
    assert len(rows.rows) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bot[juma]< hi", "nobody is called juma"),
        ("bot<", "nothing is expected"),
        ("bot< {x:[0-9]{2}", "the braces"),
        ("bot< {x:(}", "'(' is no regular expression"),
        ("bot*\n  more", "only a message, a file or a statement goes on in indented lines"),
        ("amina> hi\n  more", "only a message, a file or a statement goes on in indented lines"),
        ("sms +254<~ x", "a phone is written in digits"),
        ("alert< exact", "cannot read"),
        ("mail a@b.example exact", "cannot read"),
        ("mail a@b.example<", "nothing is expected"),
    ],
)
def test_unreadable_expectations(tmp_path: Path, line: str, expected: str) -> None:
    assert expected in refused(tmp_path, line)


def test_mail_is_part_of_the_language(tmp_path: Path) -> None:
    assert read_expectation(AT, "mail a@b.example none", []) == ExpectMail(AT, "a@b.example", None)
    mail = one(tmp_path, "mail a@b.example<~ Code {code:[0-9]{6}}")
    assert isinstance(mail, ExpectMail)
    assert mail.pattern is not None
    assert mail.pattern.names == ("code",)


def test_what_a_mail_said_can_be_typed(tmp_path: Path) -> None:
    text = "mail a@b.example<~ Code {code:[0-9]{6}}\namina> {code}"
    said = one(tmp_path, text)
    assert isinstance(said, Say)
    assert reason(tmp_path, GIVEN + "amina> {code}") == "5: {code} was not captured before"


def test_nobody_can_be_answered_before_somebody_spoke(tmp_path: Path) -> None:
    for line in ("bot< hi", "edit<~ hi", "gone", "@redeliver"):
        assert reason(tmp_path, GIVEN + line) == "5: nobody has spoken yet"
    text = GIVEN + "amina> hi\nalert<~ moved"
    assert reason(tmp_path, text) == "6: nobody has tapped anything yet"
    assert "there is none" in reason(tmp_path, "  [an] [orphan]")


# Patterns


@pytest.mark.parametrize(
    ("pattern", "came", "captures"),
    [
        ("Paid.", "Paid.", {}),
        ("Paid.", "Paid!", None),
        ("Paid", "Paid.", None),
        ("paid", "Paid", None),
        ("A\n   B", "A  \n\nB\n", {}),
        ("How much?{*}", "How much?\nType it.", {}),
        ("{*}", "", {}),
        ("{ref} of {n}", "TU-1 of 2 of 3", {"ref": "TU-1", "n": "2 of 3"}),
        ("{n:[0-9]{2}}{rest}", "1234", {"n": "12", "rest": "34"}),
        ("{n} {n}", "1 2", {"n": "2"}),
        ("{n:a|b}c", "bc", {"n": "b"}),
        ("{} {1} {a b}", "{} {1} {a b}", {}),
        ("(KES) 1.5*", "(KES) 1.5*", {}),
        ("{a}\nend", "one\ntwo\nend", {"a": "one\ntwo"}),
    ],
)
def test_a_pattern_matches_from_start_to_end(
    pattern: str, came: str, captures: dict[str, str] | None
) -> None:
    assert Pattern.read(pattern).match(came) == captures


def test_a_containing_pattern_ignores_case_and_takes_little() -> None:
    assert Pattern.read("a {x:(?i)HOW} b").match("a how b") == {"x": "how"}
    wanted = Pattern.read("code {code:[0-9]{6}}. {*}share", contains=True)
    assert wanted.match("Your CODE 123456. Never Share it") == {"code": "123456"}
    assert wanted.match("Your code 12345. Never share it") is None
    assert Pattern.read("a{x}b", contains=True).match("a1b2b") == {"x": "1"}
