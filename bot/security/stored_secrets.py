"""Credentials stored sealed in the database, as an alternative to the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from pydantic import SecretStr, ValidationError

from bot.clock import SystemClock
from bot.database import database_engine
from bot.environment.setting_errors import describe_errors
from bot.security.desk_keys import open_keys
from bot.security.keyring import Keyring, KeysFault, sealed_by
from bot.settings import Settings, secret_names
from services.domain.database import DatabaseServer
from services.domain.ledger import HOUSE
from services.domain.stored_secret import StoredSecret
from services.ports import Tx

VALUE_MAX = 4_096  # characters
ACTOR = "command line"  # in the audit log
NONE_STORED = "no secret is in the database"

T = TypeVar("T")
NEVER_STORED = frozenset(
    {"HAZINA_KEYS", "BACKUP_KEYS"}
)  # they unseal the stored secrets and the backups


class SecretsFault(Exception):
    """A secret cannot be stored or used: one line per fault, with the name and never the value."""


def storable_names() -> list[str]:
    """The settings that may be stored: all secret ones, except keys."""
    return sorted(secret_names() - NEVER_STORED)


def secret_values(settings: Settings) -> list[str]:
    """Every secret of this run, for redaction: also the password in the database's address."""
    held = (getattr(settings, name) for name in type(settings).model_fields)
    values = [value.get_secret_value() for value in held if isinstance(value, SecretStr)]
    if isinstance(settings.database, DatabaseServer):
        values += settings.database.secrets
    return values


def with_stored_secrets(settings: Settings) -> Settings:
    """The settings, completed with secrets from the database; the environment wins.

    Raises ``SecretsFault`` if any stored secret cannot be opened, ``DatabaseFailed``.
    """
    rows = database_engine.stored_secrets(settings.database)
    if not rows:
        return settings
    try:
        keys = open_keys(settings, make=False)
    except KeysFault as fault:
        raise SecretsFault("\n".join(f"{_sealed(row)}: {fault}" for row in rows)) from None
    if wrong := [fault for row in rows for fault in _faults(row, keys)]:
        raise SecretsFault("\n".join(wrong))
    return _joined(
        settings, {row.name: _opened(row, keys) for row in rows if not _is_set(settings, row.name)}
    )


async def set_secret(settings: Settings, name: str, value: str) -> str:
    """Seal and store it; returns a description of what was done. Raises ``SecretsFault``,
    ``KeysFault``, and what opening the database raises."""
    check_secret_name(name)
    if not value or len(value) > VALUE_MAX or not value.isprintable():
        raise SecretsFault(f"a secret is one line of 1 to {VALUE_MAX:,} characters")
    _joined(settings, {name: value})
    keys = open_keys(settings)

    def put(tx: Tx) -> None:
        tx.secrets.put(name, keys.seal_secret(name, value))
        tx.audit.add(HOUSE, ACTOR, "secret_set", name, {"key": keys.pepper_id})

    await _write(settings, put)
    return f"{name} is sealed with key {keys.pepper_id}{_beaten(settings, name)}"


async def remove_secret(settings: Settings, name: str) -> str:
    """Returns a description. Raises ``SecretsFault``, and what opening the database raises."""

    def remove(tx: Tx) -> None:
        if not tx.secrets.remove(name):
            there = ", ".join(row.name for row in tx.secrets.every())
            raise SecretsFault(f"no such secret is in the database, only {there or 'none at all'}")
        tx.audit.add(HOUSE, ACTOR, "secret_removed", name)

    await _write(settings, remove)
    return f"{name} is removed from the database"


async def rotate_secrets(settings: Settings) -> str:
    """Reseal all of them, or none, with the newest key: the settings' and those that sign what
    partners are sent. Returns a description. Raises ``SecretsFault``, ``KeysFault``, and what
    opening the database raises."""
    file = settings.database_file
    if file is not None and not file.exists():
        return NONE_STORED

    def rotate(tx: Tx) -> str:
        rows, webhooks = tx.secrets.every(), tx.webhooks.secrets()
        if not rows and not webhooks:
            return NONE_STORED
        keys = open_keys(settings, make=False)
        opened = {endpoint: keys.unseal(sealed) for endpoint, sealed in webhooks.items()}
        wrong = [fault for row in rows for fault in _faults(row, keys)]
        wrong += [
            f"the secret of webhook {endpoint} is sealed with a key that is not among the keys:"
            " put it back, or have the webhook removed"
            for endpoint, secret in opened.items()
            if secret is None
        ]
        if wrong:
            raise SecretsFault("\n".join(wrong))
        for row in rows:
            tx.secrets.reseal(row.name, keys.seal_secret(row.name, _opened(row, keys)))
        for endpoint, secret in opened.items():
            assert secret is not None
            tx.webhooks.reseal(endpoint, keys.seal(secret))
        count = len(rows) + len(webhooks)
        tx.audit.add(HOUSE, ACTOR, "secrets_rotated", keys.pepper_id, {"count": count})
        return f"{count} sealed with key {keys.pepper_id}"

    return await _write(settings, rotate)


def describe_secrets(settings: Settings) -> Iterator[str]:
    """One line per secret: name, time and key, but no value. Raises ``DatabaseFailed``."""
    for row in database_engine.stored_secrets(settings.database):
        key = sealed_by(row.sealed) or "?"
        when = f"{row.set_at:%Y-%m-%d %H:%M} UTC"
        yield f"{row.name}  set {when}  key {key}{_beaten(settings, row.name)}"


def check_secret_name(name: str) -> None:
    """Raises ``SecretsFault``, which lists the valid names but does not repeat the given one: that
    may be a secret value."""
    if name not in storable_names():
        raise SecretsFault(f"a secret is one of {', '.join(storable_names())}")


def _is_set(settings: Settings, name: str) -> bool:
    return getattr(settings, name.lower(), None) is not None


def _beaten(settings: Settings, name: str) -> str:
    return "; the environment has one too, which wins" if _is_set(settings, name) else ""


def _sealed(row: StoredSecret) -> str:
    return f"{row.name} is sealed with key {sealed_by(row.sealed) or '?'}"


def _faults(row: StoredSecret, keys: Keyring) -> Iterator[str]:
    key_id = sealed_by(row.sealed)
    if row.name not in storable_names():
        yield (
            f"the database has a secret {row.name}, and there is no such setting: `hazina secrets"
            f" remove {row.name}`; a secret is one of {', '.join(storable_names())}"
        )
    elif key_id is None or key_id not in keys:
        yield f"{_sealed(row)}, which is not among the keys: put it back, or set the secret again"
    elif keys.unseal_secret(row.name, row.sealed) is None:
        yield f"{_sealed(row)}, and that key does not open it: set the secret again"


def _opened(row: StoredSecret, keys: Keyring) -> str:
    value = keys.unseal_secret(row.name, row.sealed)
    assert value is not None
    return value


def _joined(settings: Settings, found: dict[str, str]) -> Settings:
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    secret = {name.lower(): SecretStr(value) for name, value in found.items()}
    try:
        return type(settings)(**given | secret)
    except ValidationError as error:
        raise SecretsFault("\n".join(describe_errors(error))) from None


async def _write(settings: Settings, function: Callable[[Tx], T]) -> T:
    database = await database_engine.open_database(settings.database, SystemClock().now)
    try:
        return await database.write(function)
    finally:
        await database.close()
