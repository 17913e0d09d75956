"""``DATABASE`` is a path or the address of a database on a server, whose password never shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.environment.setting_errors import describe_errors
from bot.environment.setting_types import database_address
from bot.observe.redaction import Redactor
from bot.security.stored_secrets import secret_values, storable_names
from bot.settings import Settings, secret_names
from services.domain.database import DatabaseServer
from tests.kit.file_behind_server import ADDRESS, MASKED, PASSWORD, SERVER, WRITTEN

SECRET = "s3cr3t-w0rds"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def read(value: str, patch: pytest.MonkeyPatch) -> Settings:
    patch.setenv("DATABASE", value)
    return Settings()


@pytest.mark.parametrize(
    ("address", "several"),
    [
        (ADDRESS, True),
        ("postgresql://db.example.com/hazina", False),
        ("postgresql://desk:p,w@db.example.com/hazina", False),
        ("postgresql://desk:p,w@a.test,b.test/hazina", True),
        ("postgresql://desk@a.test,b.test", True),
        ("postgresql:///hazina?host=/run/postgresql&options=-c%20a=b,c", False),
        ("postgresql:///hazina?user=desk&host=a.test,b.test", True),
        ("postgresql:///hazina?host=a.test%2cb.test", True),
    ],
)
def test_an_address_tells_whether_it_has_several_hosts(address: str, several: bool) -> None:
    assert DatabaseServer(address).has_several_hosts is several


# What is read


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        "postgresql://db.example.com/hazina",
        "postgres://desk@db.example.com/hazina",
        "postgresql://desk:@db.example.com:5432/hazina",
        "postgresql://desk:a:b?c#d&e=f@db.example.com/hazina",
        "postgresql://desk%40corp:p%25@db.example.com/haz%2Fina",
        "postgresql://[::1]:5432,[2001:db8::1],c/hazina",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/hazina",
        "postgresql:///hazina?host=/var/run/postgresql&user=desk&password=p%40ss",
        "postgresql://desk@a:5432,b:5432/hazina?target_session_attrs=read-write",
        "postgresql://desk@a/hazina?sslmode=verify-full&options=-c%20search_path%3Ddesk",
    ],
)
def test_an_address_is_kept_as_it_is_written(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(address, monkeypatch)
    assert settings.database == DatabaseServer(address)
    assert settings.database_file is None


@pytest.mark.parametrize("path", ["hazina.db", "/srv/postgres.db", "postgresql", "123", "null"])
def test_anything_else_is_a_path_as_ever(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(path, monkeypatch)
    assert settings.database == settings.database_file == Path(path)


def test_blanks_around_it_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(f" {ADDRESS} ", monkeypatch).database == SERVER


def test_programs_may_pass_either() -> None:
    assert Settings(database=SERVER).database == SERVER
    assert Settings(database=Path("hazina.db")).database == Path("hazina.db")
    assert database_address("hazina.db") == Path("hazina.db")
    with pytest.raises(ValueError, match="is a path, or an address"):
        database_address(5432)


# What is refused


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"postgresql://desk:{SECRET}@db.example.com", "names no database"),
        (f"postgresql://desk:{SECRET}@db.example.com/", "names no database"),
        (f"postgresql://desk:{SECRET}@db.example.com?sslmode=require", "names no database"),
        (f"postgresql://desk:{SECRET}@db.example.com/?sslmode=require", "names no database"),
        (f"postgresql://desk:{SECRET} @db.example.com/hazina", "has a blank"),
        (f"postgresql://desk:{SECRET}é@db.example.com/hazina", "has a blank"),
        (f"postgresql://desk:{SECRET}\n@db.example.com/hazina", "has a line break"),
        (f"postgresql://desk:{SECRET}@db.example.com/hazina\r\n", "has a line break"),
        (f"postgresql://desk:${{{SECRET}}}@db.example.com/hazina", "has a ${…}"),
        # libpq would take a part of these passwords as a host, a port or a database.
        (f"postgresql://desk:{SECRET}@x@db.example.com/hazina", "is no address"),
        (f"postgresql://desk:{SECRET}/x@db.example.com/hazina", "is no address"),
        (f"postgresql://desk:54/{SECRET}@db.example.com/hazina", "is no address"),
        (f"postgresql://desk:54/{SECRET}?a=b@db.example.com/hazina", "is no address"),
        # libpq would repeat these in its errors.
        (f"postgresql://desk:{SECRET}%@db.example.com/hazina", "is no address"),
        (f"postgresql://desk:{SECRET}%zz@db.example.com/hazina", "is no address"),
        (f"postgresql://desk:{SECRET}%00@db.example.com/hazina", "is no address"),
        (f"postgresql://db.example.com/hazina?password={SECRET}=", "is no address"),
        (f"postgresql://db.example.com/hazina?{SECRET}", "is no address"),
        # These would be masked by no mask.
        (f"postgresql://db.example.com/hazina?pass%77ord={SECRET}", "is no address"),
        (f"postgresql://db.example.com/hazina?PASSWORD={SECRET}", "is no address"),
        (f"postgresql://desk:{SECRET}@db.example.com:port/hazina", "is no address"),
        (f"postgresql://desk:{SECRET}@[::1/hazina", "is no address"),
        (f"postgresql:///{SECRET}/more", "is no address"),
        (f"POSTGRESQL://desk:{SECRET}@db.example.com/hazina", "is a path, not an address"),
        (f"postgresql+psycopg://desk:{SECRET}@db/hazina", "is a path, not an address"),
        (f"mysql://desk:{SECRET}@db.example.com/hazina", "is a path, not an address"),
        (f"postgresql:/desk:{SECRET}@db/hazina", "is a path, not an address"),
        ("$HOME/hazina.db", "has a ~ or $"),
    ],
)
def test_what_cannot_be_is_one_line_that_does_not_repeat_it(
    address: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValidationError) as caught:
        read(address, monkeypatch)
    (line,) = describe_errors(caught.value)
    assert line.startswith(f"DATABASE: {why}")
    assert SECRET not in line
    assert SECRET not in str(caught.value)


def test_the_remedy_for_a_password_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as caught:
        read("postgresql://desk:p@ss@db.example.com/hazina", monkeypatch)
    assert "in a password @ is written %40" in describe_errors(caught.value)[0]


# Where the password does not show


def test_settings_show_it_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(ADDRESS, monkeypatch)
    assert str(settings.database) == MASKED
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert WRITTEN not in shown
        assert PASSWORD not in shown
    assert MASKED in settings.model_dump_json()


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("postgresql://desk:a:b?c@d/e", "postgresql://desk:***@d/e"),
        ("postgresql://:word@d/e", "postgresql://:***@d/e"),
        ("postgresql://d/e?user=u&password=word", "postgresql://d/e?user=u&password=***"),
        ("postgresql://d/e?sslpassword=word&user=u", "postgresql://d/e?sslpassword=***&user=u"),
        ("postgresql://d/e?oauth_client_secret=word", "postgresql://d/e?oauth_client_secret=***"),
        ("postgresql://d/e?scram_client_key=word", "postgresql://d/e?scram_client_key=***"),
        (
            "postgresql://u:one@d/e?password=two&sslmode=require",
            "postgresql://u:***@d/e?password=***&sslmode=require",
        ),
        ("postgresql://desk@a:5432,b:5432/e?x=y", "postgresql://desk@a:5432,b:5432/e?x=y"),
    ],
)
def test_every_secret_of_an_address_is_masked_and_nothing_else(address: str, masked: str) -> None:
    assert str(DatabaseServer(address)) == masked


def test_the_log_hides_it_as_it_is_written_and_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(f"{ADDRESS}&sslpassword=lower%2fcase", monkeypatch)
    values = secret_values(settings)
    assert {PASSWORD, WRITTEN, "lower%2fcase", "lower/case"} <= set(values)
    redactor = Redactor(values)
    line = f"{ADDRESS} {PASSWORD} lower%2fcase lower/case"
    said = redactor(None, "info", {"event": line, "raw": settings.database})
    assert said["event"] == f"{MASKED} *** *** ***"
    assert "s3cr" not in str(said["raw"])


def test_an_address_without_a_password_has_nothing_to_hide() -> None:
    assert secret_values(Settings(database=DatabaseServer("postgresql://desk:@a:5432/b"))) == []
    given = Settings(database=Path("hazina.db"), ncba_password=SecretStr("word"))
    assert secret_values(given) == ["word"]


def test_it_is_not_stored_in_the_database_that_it_leads_to() -> None:
    assert "DATABASE" not in storable_names()
    assert "DATABASE" not in secret_names()
