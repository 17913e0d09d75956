"""The keys kept outside the database, which digest one-time codes and seal queued messages.

They come from ``HAZINA_KEYS``, or else from a file beside the database, created at the first start.
The first key is used for new data, all of them for existing data.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_LINE = re.compile(r"(?P<id>[a-z0-9-]{1,16}):(?P<secret>[A-Za-z0-9_-]{43}=?)")
_SEALED = re.compile(r"(?P<id>[a-z0-9-]{1,16}):gAAAA[A-Za-z0-9_-]+=*")


class KeysFault(Exception):
    """The keys cannot be used; says why and how to fix it, never a key."""


class Keyring:
    """``services.ports.Keys``. Each purpose has its own key, derived from the stored one."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        """Newest first. Raises ``KeysFault`` if empty."""
        if not keys:
            raise KeysFault("there is no key")
        self._peppers = {key_id: _derive(key, b"one-time codes") for key_id, key in keys.items()}
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(_derive(key, b"outbox"))) for key in keys.values()]
        )
        self._vaults = {key_id: _derive(key, b"secrets") for key_id, key in keys.items()}
        self.pepper_id = next(iter(keys))

    @classmethod
    def read(cls, text: str) -> Keyring:
        """See ``read_keys``."""
        return cls(read_keys(text))

    def pepper(self, pepper_id: str) -> bytes:
        """For an unknown key: random bytes, which match nothing."""
        return self._peppers.get(pepper_id) or secrets.token_bytes(KEY_BYTES)

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def seal_secret(self, name: str, value: str) -> str:
        """``key id:sealed``, with the newest key, and valid for this name only."""
        return (
            f"{self.pepper_id}:{self._vault(self.pepper_id, name).encrypt(value.encode()).decode()}"
        )

    def unseal_secret(self, name: str, sealed: str) -> str | None:
        """``None`` if the key is unknown, or does not open it under this name."""
        key_id, _, token = sealed.partition(":")
        if key_id not in self._vaults:
            return None
        try:
            return self._vault(key_id, name).decrypt(token.encode()).decode()
        except InvalidToken:
            return None

    def _vault(self, key_id: str, name: str) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(_derive(self._vaults[key_id], name.encode())))

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(self._vaults)

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._vaults

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._peppers)})"


def read_keys(text: str) -> dict[str, bytes]:
    """``id:secret``, separated by commas or whitespace, newest first. Raises ``KeysFault``."""
    keys: dict[str, bytes] = {}
    for line in re.split(r"[,\s]+", text.strip()):
        match = _LINE.fullmatch(line)
        if match is None:
            raise KeysFault("a key is written id:secret, as `hazina key` prints it")
        if match["id"] in keys:
            raise KeysFault(f"two keys are called {match['id']}")
        keys[match["id"]] = base64.urlsafe_b64decode(match["secret"].rstrip("=") + "=")
    return keys


def new_key(key_id: str) -> str:
    """A line for ``HAZINA_KEYS`` or the key file."""
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def key_file_beside(database: Path) -> Path:
    return database.with_name(database.name + ".keys")


def sealed_by(sealed: str) -> str | None:
    """The id of the key that sealed a secret; ``None`` if ``seal_secret`` did not write it."""
    match = _SEALED.fullmatch(sealed)
    return None if match is None else match["id"]


def open_keyring(text: str | None, database: Path, *, make: bool = True) -> Keyring:
    """``text`` is the setting; without it, the file beside the database is read, or created.

    Raises ``KeysFault``, also when others may read the file, and when it is missing and ``make`` is
    false.
    """
    if text is not None:
        return Keyring.read(text)
    path = key_file_beside(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        if not make:
            raise KeysFault(f"{path} is not there: put it back, or set HAZINA_KEYS")
        _make(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeysFault(f"others may read {path}: chmod 600 {path}")
    return Keyring.read(path.read_text())


def _make(path: Path) -> None:
    """Atomic, even if killed; a file that another process created meanwhile is kept."""
    handle, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(new_key("1") + "\n")
            file.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        os.unlink(unfinished)


def _derive(key: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"hazina " + use).derive(key)
