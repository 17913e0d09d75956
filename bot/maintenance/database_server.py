"""What `hazina doctor` checks of a database on a server, and what it says of its backups."""

from __future__ import annotations

from bot.database import database_engine
from bot.maintenance.check_result import CheckResult, failed, passed, warned
from bot.settings import Settings
from services.domain.database import (
    DatabaseFault,
    DatabaseServer,
    DriverMissing,
    MigrationError,
)

RESTORE = "restore it with pgbackrest (docs/scale.md)"


def check_server(server: DatabaseServer) -> CheckResult:
    try:
        condition = database_engine.condition(server)
    except DriverMissing as missing:
        return failed("database", str(missing), "`pip install 'hazina[postgres]'`")
    except MigrationError as error:
        return failed("database", str(error), f"use the program that fits it, or {RESTORE}")
    except DatabaseFault as error:
        remedy = "see that the server runs and that DATABASE names it, its user and its database"
        if server.patroni:
            remedy += "; that PATRONI_URLS are right, and the nodes' firewall lets this machine in"
        return failed("database", f"{server} cannot be used: {error}", remedy)
    if condition.damage is not None:
        return failed("database", f"{server} is damaged: {condition.damage}", RESTORE)
    if condition.pending:
        names = ", ".join(condition.pending)
        return passed("database", f"{server}; the next start applies {names}")
    return passed("database", f"{server} can be used and is up to date")


def check_primary(server: DatabaseServer) -> CheckResult | None:
    """Nothing to say where there is one node only."""
    if server.patroni:
        return passed("primary", "Patroni is asked which node it is")
    if not server.has_several_hosts:
        return None
    return warned(
        "primary",
        "is taken to be any node that can be written to, as an old one can whose Patroni is frozen",
        "set PATRONI_URLS to the addresses of Patroni on all nodes (docs/scale.md)",
    )


def check_backups_of_server(settings: Settings) -> CheckResult:
    """A warning at best: whether anybody makes them cannot be told from here."""
    given = {"BACKUP_DIR": settings.backup_dir, "BACKUP_KEYS": settings.backup_keys}
    unused = " and ".join(name for name, value in given.items() if value is not None)
    says = "the desk makes none of a database on a server"
    if unused:
        says += f", and does not use {unused}"
    remedy = (
        "have pgbackrest make full backups and archive the WAL (docs/scale.md);"
        " `hazina copy` brings the database back to a file"
    )
    return warned("backups", says, remedy)
