"""The keys of this run's settings: in ``HAZINA_KEYS``, or in the file beside the database."""

from __future__ import annotations

from pathlib import Path

from bot.security.keyring import Keyring, KeysFault, key_file_beside, open_keyring
from bot.settings import Settings
from services.domain.database import DatabaseAddress


def open_keys(settings: Settings, *, make: bool = True) -> Keyring:
    """A missing file is made, unless ``make`` is false. Raises ``KeysFault``, also when the
    database is on a server and ``HAZINA_KEYS`` is not set; ``OSError``."""
    secret, file = settings.hazina_keys, settings.database_file
    if secret is not None:
        return Keyring.read(secret.get_secret_value())
    if file is None:
        raise KeysFault(
            "HAZINA_KEYS is missing, and a database on a server has no file of keys beside it: set"
            " it to a line that `hazina key` prints, and keep that elsewhere too"
        )
    return open_keyring(None, file, make=make)


def require_keys(settings: Settings) -> None:
    """Check, before anything is written to a database on a server, that its keys are in the
    settings. With a file there is nothing to check: its keys are made when they are needed.

    Raises ``KeysFault``.
    """
    if settings.database_file is None:
        open_keys(settings)


def check_keys_to_copy(
    settings: Settings, source: DatabaseAddress, target: DatabaseAddress
) -> None:
    """Check that what is sealed in ``source`` can be opened where its copy will be: beside a server
    there is no file of keys. Raises ``KeysFault``, ``OSError``.
    """
    if isinstance(source, Path) and isinstance(target, Path):
        return
    if settings.hazina_keys is None:
        raise KeysFault(
            "HAZINA_KEYS is missing, and a database on a server has no file of keys beside it: set"
            f" it to what {key_file_beside(source)} holds"
            if isinstance(source, Path)
            else "HAZINA_KEYS is missing: set it to the keys of the desk that is copied"
        )
    keys = Keyring.read(settings.hazina_keys.get_secret_value())
    if isinstance(source, Path) and key_file_beside(source).exists():
        beside = open_keyring(None, source, make=False)
        if lacking := [key for key in beside.key_ids if key not in keys]:
            raise KeysFault(
                f"HAZINA_KEYS lacks {', '.join(lacking)}, which {key_file_beside(source)} has:"
                " add what that file holds"
            )
