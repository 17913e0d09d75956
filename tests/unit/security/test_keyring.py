"""Keys kept outside the database: read, created, refused, used, and never shown."""

from __future__ import annotations

import base64
import logging
import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken

from bot.security.keyring import Keyring, KeysFault, key_file_beside, new_key, open_keyring

OLD, NEW = new_key("1"), new_key("2")
SECRETS = [line.partition(":")[2] for line in (OLD, NEW)]
NO_KEYS = [
    "",
    "  \n",
    "1",
    "1:",
    ":" + SECRETS[0],
    SECRETS[0],
    "1:short",
    f"1:{SECRETS[0][:-2]}",
    f"1:{SECRETS[0]}A",
    f"1 :{SECRETS[0]}",
    f"UPPER:{SECRETS[0]}",
    f"a-name-that-is-too-long:{SECRETS[0]}",
    f"1:{SECRETS[0][:20]}+/{SECRETS[0][22:]}",
    f"{NEW},{SECRETS[0]}",
    f"# my keys\n{NEW}",
]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "hazina.db"


# Reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", [",", "\n", ", ", " ", "\r\n", "\n\n"])
def test_keys_are_read_by_commas_or_lines(between: str) -> None:
    ring = Keyring.read(f"{NEW}{between}{OLD}\n")
    sealed = Keyring.read(OLD).seal("text")
    assert (ring.pepper_id, ring.unseal(sealed)) == ("2", "text")


def test_a_key_is_read_with_and_without_its_padding() -> None:
    sealed = Keyring.read(OLD).seal("text")
    assert Keyring.read(OLD.rstrip("=")).unseal(sealed) == "text"


@pytest.mark.parametrize("text", NO_KEYS, ids=range(len(NO_KEYS)))
def test_what_is_no_list_of_keys_is_refused(text: str) -> None:
    with pytest.raises(KeysFault):
        Keyring.read(text)


@pytest.mark.parametrize("text", [*NO_KEYS, f"{OLD},{OLD}"], ids=range(len(NO_KEYS) + 1))
def test_a_fault_tells_no_key(text: str) -> None:
    with pytest.raises(KeysFault) as caught:
        Keyring.read(text)
    assert not any(secret[:8] in repr(caught.value) for secret in SECRETS)


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(KeysFault, match="two keys are called 1"):
        Keyring.read(f"{OLD},{new_key('1')}")


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(KeysFault, match="no key"):
        Keyring({})


def test_two_new_keys_are_never_the_same() -> None:
    assert new_key("1") != new_key("1")


# Using --------------------------------------------------------------------------------------


def test_what_is_sealed_is_opened_again() -> None:
    ring = Keyring.read(OLD)
    assert ring.unseal(ring.seal("Code 123456, Kĩ…")) == "Code 123456, Kĩ…"


def test_what_is_sealed_does_not_show() -> None:
    sealed = Keyring.read(OLD).seal("Code 123456")
    assert "123456" not in sealed


def test_the_same_text_is_sealed_differently_each_time() -> None:
    ring = Keyring.read(OLD)
    assert ring.seal("Code 123456") != ring.seal("Code 123456")


def test_what_is_new_is_sealed_with_the_newest() -> None:
    sealed = Keyring.read(f"{NEW},{OLD}").seal("text")
    assert Keyring.read(NEW).unseal(sealed) == "text"
    assert Keyring.read(OLD).unseal(sealed) is None


@pytest.mark.parametrize("one", [OLD, NEW], ids=["one", "other"])
def test_what_any_key_sealed_is_opened(one: str) -> None:
    sealed = Keyring.read(one).seal("text")
    assert Keyring.read(f"{NEW},{OLD}").unseal(sealed) == "text"


@pytest.mark.parametrize("sealed", ["", "text", "gAAAA", "ü", "x" * 10_000])
def test_what_was_never_sealed_is_not_opened(sealed: str) -> None:
    assert Keyring.read(OLD).unseal(sealed) is None


def test_what_was_changed_is_not_opened() -> None:
    ring = Keyring.read(OLD)
    sealed = ring.seal("Code 123456")
    flipped = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    assert ring.unseal(flipped) is None


def test_new_codes_are_digested_with_the_newest() -> None:
    ring = Keyring.read(f"{NEW},{OLD}")
    assert ring.pepper(ring.pepper_id) == Keyring.read(NEW).pepper("2")


def test_an_old_pepper_stays_as_it_was() -> None:
    assert Keyring.read(f"{NEW},{OLD}").pepper("1") == Keyring.read(OLD).pepper("1")


def test_a_pepper_of_a_key_that_is_gone_is_another_each_time() -> None:
    ring = Keyring.read(NEW)
    assert ring.pepper("1") != ring.pepper("1")


def test_a_pepper_is_not_the_key_itself() -> None:
    kept = base64.urlsafe_b64decode(SECRETS[0])
    assert Keyring.read(OLD).pepper("1") != kept


def test_each_use_has_a_key_of_its_own() -> None:
    """Whoever learns the key that digests codes cannot open sealed data, and vice versa."""
    ring = Keyring.read(OLD)
    pepper = Fernet(base64.urlsafe_b64encode(ring.pepper("1")))
    with pytest.raises(InvalidToken):
        pepper.decrypt(ring.seal("text").encode())


# Showing ------------------------------------------------------------------------------------


def test_a_ring_shows_the_names_of_its_keys_only() -> None:
    assert repr(Keyring.read(f"{NEW},{OLD}")) == "Keyring(2, 1)"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "%s".__mod__])
def test_nothing_that_is_shown_holds_a_key(show: object) -> None:
    ring = Keyring.read(f"{NEW},{OLD}")
    shown = show(ring)  # type: ignore[operator]
    hidden = [*SECRETS, ring.pepper("1").hex(), repr(ring.pepper("1"))]
    assert not any(secret[:8] in shown for secret in hidden)


def test_opening_keys_logs_none(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        open_keyring(OLD, database)
        open_keyring(None, database)
    secret = key_file_beside(database).read_text().partition(":")[2]
    assert not any(key[:8] in caplog.text for key in (SECRETS[0], secret))


# The file beside the database ---------------------------------------------------------------


def test_the_first_start_makes_a_file_of_one_key(database: Path) -> None:
    ring = open_keyring(None, database)
    assert key_file_beside(database).name == "hazina.db.keys"
    assert Keyring.read(key_file_beside(database).read_text()).pepper("1") == ring.pepper("1")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_file_is_its_owners_alone_whatever_the_umask(database: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        open_keyring(None, database)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file_beside(database).stat().st_mode) == 0o600


def test_the_file_is_never_readable_by_others_even_while_it_is_made(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    real = os.open

    def looking(path: Path, flags: int, mode: int = 0o777, **rest: int) -> int:
        handle = real(path, flags, mode, **rest)
        if flags & os.O_CREAT:
            modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return handle

    monkeypatch.setattr(os, "open", looking)
    open_keyring(None, database)
    assert modes == [0o600]


def test_the_next_start_reads_the_same_key(database: Path) -> None:
    sealed = open_keyring(None, database).seal("text")
    assert open_keyring(None, database).unseal(sealed) == "text"


def test_a_key_put_before_the_others_is_the_newest(database: Path) -> None:
    sealed = open_keyring(None, database).seal("text")
    path = key_file_beside(database)
    path.write_text(f"{NEW}\n{path.read_text()}")
    ring = open_keyring(None, database)
    assert (ring.pepper_id, ring.unseal(sealed)) == ("2", "text")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601, 0o777])
def test_a_file_that_others_may_touch_is_refused(database: Path, mode: int) -> None:
    open_keyring(None, database)
    key_file_beside(database).chmod(mode)
    with pytest.raises(KeysFault, match="chmod 600"):
        open_keyring(None, database)


def test_a_refused_file_is_named_and_its_key_is_not(database: Path) -> None:
    open_keyring(None, database)
    path = key_file_beside(database)
    path.chmod(0o644)
    with pytest.raises(KeysFault) as caught:
        open_keyring(None, database)
    assert str(path) in str(caught.value)
    assert path.read_text().partition(":")[2][:8] not in str(caught.value)


def test_a_file_that_holds_something_else_is_refused_and_left_alone(database: Path) -> None:
    path = key_file_beside(database)
    path.write_text("notes\n")
    path.chmod(0o600)
    with pytest.raises(KeysFault):
        open_keyring(None, database)
    assert path.read_text() == "notes\n"


def test_an_empty_file_is_refused_and_kept(database: Path) -> None:
    """It may once have held the key: a new key would make that loss final."""
    path = key_file_beside(database)
    path.touch(mode=0o600)
    with pytest.raises(KeysFault):
        open_keyring(None, database)
    assert path.read_text() == ""


def test_a_start_that_was_killed_while_it_made_the_file_is_no_obstacle(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was never written down cannot have sealed anything."""

    def killed(key_id: str) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bot.security.keyring.new_key", killed)
        with pytest.raises(KeyboardInterrupt):
            open_keyring(None, database)
    assert open_keyring(None, database).pepper_id == "1"


def test_the_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    database = tmp_path / "a" / "b" / "hazina.db"
    open_keyring(None, database)
    assert key_file_beside(database).exists()


def test_keys_from_the_setting_make_no_file(database: Path) -> None:
    assert open_keyring(OLD, database).pepper_id == "1"
    assert not key_file_beside(database).exists()


def test_an_empty_setting_is_no_permission_to_make_a_file(database: Path) -> None:
    with pytest.raises(KeysFault):
        open_keyring("", database)
    assert not key_file_beside(database).exists()
