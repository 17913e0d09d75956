"""How a conversation script is read, sentence by sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.directive import (
    Advance,
    ArmBank,
    ArmCrash,
    ArmSends,
    BalanceIs,
    BankCallsAre,
    BankFault,
    BankNotifies,
    BooksBalance,
    Crash,
    CrashPoint,
    NodeIs,
    NoSecrets,
    Redeliver,
    Restart,
    RunJob,
    SendFault,
    SetClock,
    SetHandset,
    StateIs,
)
from bot.scripts.directive_syntax import read_directive
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
    GivenAdmin,
    GivenFee,
    GivenPartner,
    GivenPerson,
    GivenSetting,
    read_given,
)
from bot.scripts.head import ScriptHead
from bot.scripts.parse import load
from bot.scripts.pattern import Pattern, fill
from bot.scripts.script import Line, Script
from bot.scripts.source_line import ScriptError, SourceLine
from bot.scripts.speech import (
    Dial,
    EditLast,
    Race,
    Say,
    SendOther,
    ShareContact,
    Speech,
    Tap,
    read_speech,
)
from services.domain.money import Money

AT = SourceLine(Path("a.chat"), 7)
GIVEN = """
given partner FINSAFE wallet 200.00
given person amina of FINSAFE role owner phone 254712345678
given admin root
"""


def read(folder: Path, text: str, name: str = "play.chat") -> Script:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return load(file)


def lines(folder: Path, text: str) -> list[Line]:
    return list(read(folder, GIVEN + text).lines)


def one(folder: Path, text: str) -> Line:
    """The last line of a play in which amina has tapped something."""
    return lines(folder, "amina> [start]\n" + text)[-1]


def reason(folder: Path, text: str) -> str:
    with pytest.raises(ScriptError) as caught:
        read(folder, text)
    return f"{caught.value.line}: {caught.value.reason}"


def refused(folder: Path, line: str) -> str:
    return reason(folder, f"{GIVEN}amina> [start]\n{line}").removeprefix("6: ")


# Head and stage


def test_head_keys_and_their_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "").head == ScriptHead("", (), 1, "en", True)
    text = """
# about
title: Top up: the second tap changes nothing  # a comment
channels: telegram terminal            # default: every channel
seed: 7
lang: sw
restart: no (a bank call is in flight)
"""
    title = "Top up: the second tap changes nothing"
    assert read(tmp_path, text).head == ScriptHead(title, ("telegram", "terminal"), 7, "sw", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed: x", "1: the seed is a whole number, not 'x'"),
        ("lang: fr", "1: lang is en or sw, not 'fr'"),
        ("restart: maybe", "1: restart can only be no, with the reason, not 'maybe'"),
        ("restart: nobody", "1: restart can only be no, with the reason, not 'nobody'"),
        ("channels: telegraph", "1: there is no channel 'telegraph'"),
        ("channels:", "1: channels: names no channel"),
        ("seed: 1\nseed: 2", "2: seed: is said twice"),
        ("given admin root\ntitle: late", "2: title: belongs to the head, before everything else"),
        ("colour: red", "1: cannot read: colour: red"),
    ],
)
def test_unreadable_heads(tmp_path: Path, text: str, expected: str) -> None:
    assert reason(tmp_path, text) == expected


def test_givens(tmp_path: Path) -> None:
    text = """lang: sw
given partner FINSAFE wallet 200.00
given partner ACME wallet 0.50 float 10 threshold 100.00 suspended
given person amina of FINSAFE role owner phone 254712345678 email amina@f.example lang en
given person juma of ACME role viewer phone 254112345678 unlinked
given admin root
given setting otp_ttl 10 minutes
"""
    finsafe, acme, amina, juma, root, setting = read(tmp_path, text).givens
    zero = Money(0)
    assert isinstance(finsafe, GivenPartner)
    assert (finsafe.code, finsafe.wallet, finsafe.float) == ("FINSAFE", Money(20000), zero)
    assert (finsafe.threshold, finsafe.suspended) == (zero, False)
    assert isinstance(acme, GivenPartner)
    assert (acme.wallet, acme.float, acme.threshold) == (Money(50), Money(1000), Money(10000))
    assert acme.suspended
    assert isinstance(amina, GivenPerson)
    assert (amina.name, amina.partner, amina.role) == ("amina", "FINSAFE", "owner")
    assert (amina.phone, amina.email, amina.lang) == ("254712345678", "amina@f.example", "en")
    assert amina.linked
    assert isinstance(juma, GivenPerson)
    assert (juma.email, juma.lang, juma.linked) == (None, "sw", False)
    assert isinstance(root, GivenAdmin)
    assert isinstance(setting, GivenSetting)
    assert (setting.name, setting.value) == ("otp_ttl", "10 minutes")


def test_given_fee_is_of_a_partner_that_is_given(tmp_path: Path) -> None:
    fee = read_given(AT, "fee FINSAFE transfer fixed 5.00 percent 1.5 min 5 max 100")
    assert fee == GivenFee(AT, "FINSAFE", "transfer", Money(500), "1.5", Money(500), Money(10000))
    *_, given = read(tmp_path, GIVEN + "given fee FINSAFE transfer fixed 5.00").givens
    assert isinstance(given, GivenFee)
    assert (given.partner, given.fixed) == ("FINSAFE", Money(500))
    text = GIVEN + "given fee OTHER transfer fixed 5.00"
    assert reason(tmp_path, text) == "5: there is no partner OTHER"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("given partner F wallet 1,700.00", "an amount is a plain decimal such as 1700.00"),
        ("given partner F wallet", "wallet has no value"),
        ("given partner F wallet 1 wallet 2", "wallet is said twice"),
        ("given partner F gold 1", "cannot read 'gold'"),
        ("given person x of F role owner", "given person x does not say phone"),
        ("given person x of F role boss phone 2547", "a role is owner, operator or viewer"),
        ("given person x of F role owner phone +2547", "a phone is written in digits"),
        ("given person x of F role owner phone 2547", "there is no partner F"),
        ("given admin", "given admin needs more words"),
        ("given wisdom to all", "cannot read: given wisdom to all"),
        ("given admin root\ngiven admin root", "root is given twice"),
    ],
)
def test_unreadable_givens(tmp_path: Path, line: str, expected: str) -> None:
    assert expected in reason(tmp_path, line)


def test_comments_blank_lines_and_directives_before_the_first_spoken_line(tmp_path: Path) -> None:
    text = """
  # an indented comment
@advance 90s   # at a line's end

#alone
amina> room #4 #5  # not said
"""
    advance, said = lines(tmp_path, text)
    assert isinstance(advance, Advance)
    assert isinstance(said, Say)
    assert said.text == "room #4 #5"
    assert said.at.line == 10


def test_included_lines_come_first_and_know_their_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    people = tmp_path / "sub" / "people.chat"
    people.write_text("title: people\nrestart: no\n" + GIVEN + "amina> first\n")
    script = read(tmp_path, "title: main\ninclude sub/people.chat\namina> second\n")
    assert script.head == ScriptHead("main", restart=False)
    assert [given.at.file for given in script.givens] == [people] * 3
    assert [(line.at.file.name, line.at.line) for line in script.lines] == [
        ("people.chat", 7),
        ("play.chat", 3),
    ]


def test_an_include_twice_over_gives_its_partners_once(tmp_path: Path) -> None:
    (tmp_path / "people.chat").write_text(GIVEN)
    (tmp_path / "a.chat").write_text("include people.chat\n")
    script = read(tmp_path, "include people.chat\ninclude a.chat\n")
    assert len(script.givens) == 3


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("<contact of {x}>", ShareContact(AT, "amina", "{x}")),
        ("[yes] on screen -{x}", Tap(AT, "amina", "yes", "-{x}")),
    ],
)
def test_what_was_captured_stands_anywhere_in_what_is_said(said: str, expected: Speech) -> None:
    assert read_speech(AT, f"amina> {said}") == expected


def test_one_file_by_two_paths_gives_its_partners_once(tmp_path: Path) -> None:
    (tmp_path / "people.chat").write_text(GIVEN)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.chat").write_text("include ../people.chat\n")
    assert len(read(tmp_path, "include people.chat\ninclude sub/a.chat\n").givens) == 3


def test_people_of_an_included_file_speak_its_language(tmp_path: Path) -> None:
    (tmp_path / "people.chat").write_text(f"lang: sw\n{GIVEN}")
    (tmp_path / "others.chat").write_text(
        "given person juma of FINSAFE role viewer phone 254110000001\n"
    )
    script = read(tmp_path, "include people.chat\ninclude others.chat\n")
    spoken = {one.name: one.lang for one in script.givens if isinstance(one, GivenPerson)}
    assert spoken == {"amina": "sw", "juma": "en"}


@pytest.mark.parametrize(
    "text",
    [
        f"seed: {'9' * 5_000}\n",
        f"given partner FINSAFE wallet {'9' * 20}.00\n",
        f"@bank initiate {'9' * 5_000}\n",
        "@advance 999999999d\n",
        f"{GIVEN}amina> [yes] on screen -{'9' * 5_000}\n",
    ],
)
def test_a_number_beyond_all_bounds_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    line = text.count("\n")
    assert reason(tmp_path, text).startswith(f"{line}: ")


def test_include_of_itself_and_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.chat").write_text("include play.chat\n")
    assert "includes itself" in reason(tmp_path, "include b.chat\n")
    assert reason(tmp_path, "\ninclude none.chat\n").startswith("2: cannot read")
    assert "before the given" in reason(tmp_path, "given admin root\ninclude b.chat\n")


def test_a_file_that_is_no_text_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "play.chat").write_bytes(b"\xff\xfe")
    with pytest.raises(ScriptError):
        load(tmp_path / "play.chat")


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
    """The line's own facts, in order."""
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
        ("bot*\n  more", "only a message or a statement goes on in indented lines"),
        ("amina> hi\n  more", "only a message or a statement goes on in indented lines"),
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


# What happens outside


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@advance 90s", Advance(AT, 90)),
        ("@advance 10m", Advance(AT, 600)),
        ("@advance 2h", Advance(AT, 7200)),
        ("@advance 1d", Advance(AT, 86400)),
        ("@clock +3d", SetClock(AT, 259_200)),
        ("@clock -2h", SetClock(AT, -7_200)),
        ("@at amina topup.confirm", NodeIs(AT, "amina", "topup.confirm")),
        ("@at amina -", NodeIs(AT, "amina", None)),
        ("@wallet F 1700.00", BalanceIs(AT, "wallet", "F", Money(170000))),
        ("@available F 0", BalanceIs(AT, "available", "F", Money(0))),
        ("@float F 0.5", BalanceIs(AT, "float", "F", Money(50))),
        ("@state topup NOT_PAID", StateIs(AT, "topup", "NOT_PAID")),
        ("@state float UNKNOWN", StateIs(AT, "float", "UNKNOWN")),
        ("@books", BooksBalance(AT)),
        ("@handset 254712345678 wrong-pin", SetHandset(AT, "254712345678", "wrong-pin")),
        ("@bank initiate 1", BankCallsAre(AT, "initiate", 1)),
        ("@bank html on float", ArmBank(AT, BankFault("html"), "float", 1)),
        ("@bank html on token", ArmBank(AT, BankFault("html"), "token", 1)),
        (
            "@bank timeout-after on initiate times 3",
            ArmBank(AT, BankFault("timeout-after"), "initiate", 3),
        ),
        ("@bank http 500 on query", ArmBank(AT, BankFault("http", status=500), "query", 1)),
        ("@bank slow 20s on query", ArmBank(AT, BankFault("slow", seconds=20), "query", 1)),
        (
            "@bank refuse No, not on query times 2 on initiate times 2",
            ArmBank(AT, BankFault("refuse", "No, not on query times 2"), "initiate", 2),
        ),
        (
            "@bank says-failed Wrong PIN on query",
            ArmBank(AT, BankFault("says-failed", "Wrong PIN"), "query", 1),
        ),
        ("@bank duplicate on float", ArmBank(AT, BankFault("duplicate"), "float")),
        ("@bank only-accepted on float", ArmBank(AT, BankFault("only-accepted"), "float")),
        (
            "@bank only-accepted settles 2h on float times 2",
            ArmBank(AT, BankFault("only-accepted", "settles 2h"), "float", 2),
        ),
        (
            "@bank only-accepted never on float",
            ArmBank(AT, BankFault("only-accepted", "never"), "float"),
        ),
        (
            "@bank http 500 on status for 3h",
            ArmBank(AT, BankFault("http", status=500), "status", lasts_s=10_800),
        ),
        (
            "@bank refuse Back in for 3h on initiate for 10m",
            ArmBank(AT, BankFault("refuse", "Back in for 3h"), "initiate", lasts_s=600),
        ),
        (
            "@notify 2547 10 ref UMOJA late 1h",
            BankNotifies(AT, "2547", Money(1000), "UMOJA", None, 1, None, late_s=3_600),
        ),
        (
            "@notify 2547 10 ref UMOJA of-account",
            BankNotifies(AT, "2547", Money(1000), "UMOJA", None, 1, None, kind="876"),
        ),
        (
            "@notify 2547 10 ref UMOJA of-account 171 times 2 late 45m",
            BankNotifies(AT, "2547", Money(1000), "UMOJA", None, 2, None, kind="171", late_s=2_700),
        ),
        ("@redeliver", Redeliver(AT)),
        ("@restart", Restart(AT)),
        ("@crash", Crash(AT)),
        ("@crash at commit", ArmCrash(AT, CrashPoint("commit", None, 1))),
        ("@crash at after-commit 2", ArmCrash(AT, CrashPoint("after-commit", None, 2))),
        (
            "@crash at before-call initiate 3",
            ArmCrash(AT, CrashPoint("before-call", "initiate", 3)),
        ),
        (
            "@crash at before-call status",
            ArmCrash(AT, CrashPoint("before-call", "status", 1)),
        ),
        ("@crash at after-call token", ArmCrash(AT, CrashPoint("after-call", "token", 1))),
        ("@send-fails 403", ArmSends(AT, SendFault("403"), 1)),
        ("@send-fails 429:5 times 2", ArmSends(AT, SendFault("429", 5), 2)),
        ("@send-fails timeout", ArmSends(AT, SendFault("timeout"), 1)),
        ("@job otp-cleanup", RunJob(AT, "otp-cleanup")),
        ("@no-secrets", NoSecrets(AT)),
    ],
)
def test_directives(line: str, expected: object) -> None:
    assert read_directive(AT, line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "@advance",
        "@advance 90",
        "@clock",
        "@clock 3d",
        "@clock +3",
        "@clock +999999d",
        "@advance 1w",
        "@at amina",
        "@at amina confirm",
        "@wallet F",
        "@wallet F 1,700",
        "@state refund PAID",
        "@books now",
        "@handset 254712345678 dances",
        "@bank refuse on initiate",
        "@bank html on lunch",
        "@bank http on token",
        "@bank html on token times 0",
        "@crash at before-call",
        "@crash at lunch",
        "@crash at commit 0",
        "@send-fails 429",
        "@send-fails 429:0",
        "@send-fails 500",
        "@job",
        "@answer 2",
        "@notify 2547 10",
        "@notify 2547 10 narrative UMOJA",
        "@notify 2547 10 ref",
        "@bank same-id",
        "@bank only-accepted settles on float",
        "@bank only-accepted never 2h on float",
        "@bank http 500 on status for ever",
        "@bank http 500 on status times 2 for 3h",
        "@notify 2547 10 of-account",
        "@notify 2547 10 ref UMOJA account-only of-account",
        "@notify 2547 10 ref UMOJA of-account M-PESA",
        "@notify 2547 10 ref UMOJA late",
        "@audit",
        "@sing",
    ],
)
def test_unreadable_directives(line: str) -> None:
    with pytest.raises(ScriptError):
        read_directive(AT, line)


@pytest.mark.parametrize(
    ("line", "reference", "narrative", "times"),
    [
        ("@notify 2547 10 ref 774451 narrative UMOJA account-only", "774451", "UMOJA", 1),
        ("@notify 2547 10 narrative Rent for May account-only times 2", None, "Rent for May", 2),
        ("@notify 2547 10 account-only ref UMOJA receipt R times 3 bad-hash", "UMOJA", None, 3),
    ],
)
def test_a_notification_may_tell_the_account_alone(
    line: str, reference: str | None, narrative: str | None, times: int
) -> None:
    told = read_directive(AT, line)
    assert isinstance(told, BankNotifies)
    assert told.account_only
    assert (told.reference, told.narrative, told.times) == (reference, narrative, times)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@state disbursement PAID", "this build cannot do a disbursement"),
        ("@at juma -", "nobody is called juma"),
        ("@wallet OTHER 1.00", "there is no partner OTHER"),
    ],
)
def test_what_this_build_cannot_do_is_an_error(tmp_path: Path, line: str, expected: str) -> None:
    assert refused(tmp_path, line) == expected
