"""What `hazina doctor` checks of a database on a server, and what it says of its backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.database import database_engine
from bot.maintenance.check_result import CheckResult, failed, passed, warned
from bot.settings import Settings
from services.domain.database import (
    DatabaseCondition,
    DatabaseFault,
    DatabaseServer,
    DriverMissing,
    LogArchive,
    MigrationError,
)

ARCHIVE_AGAIN = (
    "see the log of PostgreSQL on the primary, whose disk fills until the archive can be reached"
    " (docs/scale.md)"
)
RESTORE = "restore it with pgbackrest (docs/scale.md)"


def check_server(settings: Settings, server: DatabaseServer) -> Iterator[CheckResult]:
    """Its database, how its primary is found, and its backups."""
    archive = None
    try:
        condition = database_engine.condition(server)
    except DriverMissing as missing:
        yield failed("database", str(missing), "`pip install 'hazina[postgres]'`")
    except MigrationError as error:
        yield failed("database", str(error), f"use the program that fits it, or {RESTORE}")
    except DatabaseFault as error:
        remedy = "see that the server runs and that DATABASE names it, its user and its database"
        if server.patroni:
            remedy += "; that PATRONI_URLS are right, and the nodes' firewall lets this machine in"
        yield failed("database", f"{server} cannot be used: {error}", remedy)
    else:
        yield _condition(server, condition)
        archive = condition.archive
    if server.patroni:
        yield passed("primary", "Patroni is asked which node it is")
    elif server.has_several_hosts:
        yield warned(
            "primary",
            "is taken to be any node that can be written to, as an old one can whose Patroni is"
            " frozen",
            "set PATRONI_URLS to the addresses of Patroni on all nodes (docs/scale.md)",
        )
    yield _backups(settings, archive)


def _condition(server: DatabaseServer, condition: DatabaseCondition) -> CheckResult:
    if condition.damage is not None:
        return failed("database", f"{server} is damaged: {condition.damage}", RESTORE)
    if condition.pending:
        names = ", ".join(condition.pending)
        return passed("database", f"{server}; the next start applies {names}")
    return passed("database", f"{server} can be used and is up to date")


def _backups(settings: Settings, archive: LogArchive | None) -> CheckResult:
    """What the server knows of its archive. Full backups only pgbackrest can tell of."""
    given = {"BACKUP_DIR": settings.backup_dir, "BACKUP_KEYS": settings.backup_keys}
    unused = " and ".join(name for name, value in given.items() if value is not None)
    says = "the desk makes none of a database on a server"
    if unused:
        says += f", and does not use {unused}"
    if archive is None or not archive.is_on:
        if archive is not None:
            says += "; the server does not archive its log"
        remedy = (
            "have pgbackrest make full backups and archive the WAL (docs/scale.md);"
            " `hazina copy` brings the database back to a file"
        )
        return warned("backups", says, remedy)
    done, failure = archive.archived_at, archive.failed_at
    if failure is not None and (done is None or done < failure):
        says += f"; the server could not archive its log, last tried {_moment(failure)}"
        return warned("backups", says, ARCHIVE_AGAIN)
    last = "none so far" if done is None else f"last {_moment(done)}"
    says += f"; the server archives its log, {last}"
    if unused:
        return warned("backups", says, f"leave out {unused}")
    return passed("backups", f"{says}. `pgbackrest info` on a node tells of full ones")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
