"""``.env`` files as editors, shells and operating systems leave them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bot.environment.env_file import BYTES_MAX
from bot.settings import SettingsFault, read_settings

WORD = "s3cr3t"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NCBA_USERNAME", "NCBA_PASSWORD", "HTTP_PORT", "DATABASE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".env"


def password() -> str | None:
    word = read_settings().ncba_password
    return None if word is None else word.get_secret_value()


def fault() -> str:
    with pytest.raises(SettingsFault) as caught:
        read_settings()
    text = str(caught.value)
    assert WORD not in text
    return text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Kahawa${9moto}Chai", "Kahawa${9moto}Chai"),
        ("$HOME", "$HOME"),
        ("a$$b", "a$$b"),
        ("'a$b #c'", "a$b #c"),
        ('"a$b #c"', "a$b #c"),
        ("a#b", "a#b"),
        ("#ab", "#ab"),
        ("a=b==", "a=b=="),
        (r"a\nb", r"a\nb"),
        ("a'b", "a'b"),
        ("  a b  ", "a b"),
        ("'a' # the bank's", "a"),
        ("", None),
        (" # not given yet", None),
        ("kahawá", "kahawá"),
    ],
)
@pytest.mark.parametrize(
    "line", ["NCBA_PASSWORD={}", "export NCBA_PASSWORD={}", "ncba_password={}"]
)
def test_a_secret_is_what_stands_there(
    env: Path, line: str, written: str, read: str | None
) -> None:
    env.write_text(line.format(written) + "\n", encoding="utf-8")
    assert password() == read


@pytest.mark.parametrize(
    "written",
    [f"{WORD} # the bank's", f"{WORD} #1", rf'"{WORD}\b"', rf"'{WORD}\\'", rf'"{WORD}\""'],
)
def test_a_secret_that_may_be_read_in_two_ways_is_refused(env: Path, written: str) -> None:
    env.write_text(f"\n# the bank\n\nNCBA_PASSWORD={written}\n")
    line = fault()
    assert line.startswith("NCBA_PASSWORD: ")
    assert "line 4 " in line
    assert "\n" not in line


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_marks_and_line_ends_of_any_system_are_read(
    env: Path, encoding: str, end: str
) -> None:
    text = f"NCBA_USERNAME=kahawa{end}HTTP_PORT=8081 # ours{end}"
    env.write_bytes(text.encode(encoding))
    settings = read_settings()
    assert (settings.ncba_username, settings.http_port) == ("kahawa", 8081)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("NCBA_USERNAME=kahawa\n".encode("utf-16"), "is UTF-16"),
        ("NCBA_USERNAME=kahawa\n".encode("utf-16-be"), "is not text"),
        (b"NCBA_USERNAME=kahawa\n# caf\xe9\n", "line 2 is not UTF-8"),
        (b"A=" + b"x" * BYTES_MAX, "is longer than"),
        (b"HTTP_PORT 8081\n", "line 1 "),
        (b"A=1\nNCBA_USERNAME='kahawa\n", "line 2 "),
    ],
)
def test_a_file_that_is_not_plain_text_is_one_line(env: Path, content: bytes, says: str) -> None:
    env.write_bytes(content)
    line = fault()
    assert line.startswith(".env: ")
    assert says in line
    assert "\n" not in line


def test_a_folder_or_a_link_to_nothing_is_one_line(env: Path) -> None:
    env.mkdir()
    assert fault().startswith(".env: is not a file")
    env.rmdir()
    env.symlink_to("nowhere")
    assert fault().startswith(".env: links to nowhere")


def test_a_file_that_may_not_be_read_is_one_line(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> None:  # what anyone but root gets; some runs are by root
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    env.write_text("NCBA_USERNAME=kahawa\n")
    monkeypatch.setattr(Path, "open", refuse)
    assert fault().startswith(".env: cannot be read")


def test_a_setting_that_is_set_twice_is_refused_unless_both_say_the_same(env: Path) -> None:
    env.write_text("NCBA_USERNAME=kahawa\nNCBA_USERNAME=chai\n")
    assert fault() == "NCBA_USERNAME: is set in lines 1 and 2 of .env"
    env.write_text("NCBA_USERNAME=kahawa\nNCBA_USERNAME=\n")
    assert fault().startswith("NCBA_USERNAME: ")
    env.write_text("NCBA_USERNAME=kahawa\nncba_username=kahawa\n")
    assert read_settings().ncba_username == "kahawa"


def test_a_setting_without_its_sign_is_refused_and_what_is_not_ours_is_left_alone(
    env: Path,
) -> None:
    env.write_text("NCBA_USERNAME\n")
    assert fault() == "NCBA_USERNAME: has no = in line 1 of .env"
    env.write_text("OTHER\nOTHER=1\nOTHER=2\n")
    assert read_settings().ncba_username is None


@pytest.mark.parametrize("value", ["${HOME}/hazina.db", "'$HOME/hazina.db'", "$(pwd)/hazina.db"])
def test_what_nothing_fills_in_is_not_taken_for_a_path(env: Path, value: str) -> None:
    env.write_text(f"DATABASE={value}\n")
    assert fault().startswith("DATABASE: has a ")


def test_every_fault_of_the_file_is_said_at_once(env: Path) -> None:
    env.write_text(f"NCBA_USERNAME\nNCBA_PASSWORD={WORD} #1\nNCBA USER=x\n")
    assert [line.partition(":")[0] for line in fault().splitlines()] == [
        "NCBA_USERNAME",
        "NCBA_PASSWORD",
        ".env",
    ]
