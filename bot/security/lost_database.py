"""Refuses to create a missing database except at the first start: otherwise its money and history
were lost or moved."""

from __future__ import annotations

from bot.database import database_files
from bot.security.backup import backup_folder, list_backups
from bot.security.backup_file import resolve_links
from bot.security.keyring import key_file_beside
from bot.settings import Settings


class DatabaseLost(Exception):
    """The database is missing and must not be created; says what was found, and what to do."""


def check_not_lost(settings: Settings, *, new: bool = False) -> None:
    """Check that the database may be opened, which creates a missing one. ``new`` allows that.

    On a server there are no files to tell by: the engine says what is missing.

    Raises ``DatabaseLost``, ``OSError``, and ``DatabaseFailed`` if the file is no database.
    """
    database = settings.database_file
    if database is None:
        return
    if database.exists() and not database.is_file():  # opening a pipe would block
        raise DatabaseLost(f"{database} is no file: set DATABASE to one")
    if not database_files.is_blank(database):
        return
    state = f"{database} is {'empty' if database.exists() else 'not there'}"
    logs = database_files.logs_beside(resolve_links(database))
    if database_files.is_empty(database) and logs:
        raise DatabaseLost(  # opening the database would delete it
            f"{state}, but {logs[0]} is: what was committed last may stand in it alone. Put the"
            " database back beside it; `hazina restore FILE --replace` keeps it"
        )
    backups = [str(file) for _, file in list_backups(backup_folder(settings, database))]
    keys = key_file_beside(database)
    aside = sorted(resolve_links(database).parent.glob(f"{resolve_links(database).name}.before-*"))
    found = [*([str(keys)] if keys.exists() else []), *backups[-1:], *map(str, aside[-1:])]
    if found and not new:
        raise DatabaseLost(
            f"{state}, but there is {' and '.join(found)}: a desk has been here. Put its database"
            f" back, or a backup with `hazina restore {backups[-1] if backups else 'FILE'}`; only"
            " if it shall begin with nothing, `hazina migrate --new`"
        )
