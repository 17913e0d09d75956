"""The head and the given lines of a script, and the errors in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.directive import (
    Advance,
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
from bot.scripts.source_line import ScriptError
from bot.scripts.speech import (
    Say,
    ShareContact,
    Speech,
    Tap,
    read_speech,
)
from services.domain.money import Money
from tests.kit.parsed_scripts import AT, GIVEN, lines, read, reason


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
