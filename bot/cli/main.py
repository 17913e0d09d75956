"""The command line: ``hazina COMMAND``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bot.cli.bench import bench
from bot.cli.storm import storm
from bot.runtime.standard_streams import ensure_standard_streams

if TYPE_CHECKING:
    from bot.settings import Settings

INPUT_MAX = 65_536  # bytes that are read of a secret; far more than one may have


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hazina")
def main() -> None:
    """The chat desk where partner businesses keep the money that pays their customers."""
    ensure_standard_streams()


main.add_command(bench)
main.add_command(storm)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--channel", help="Play this channel only.")
@click.option(
    "--restart-after-every-line", "restart", is_flag=True, help="Restart again and again."
)
@click.option("--record", is_flag=True, help="Write the play as a transcript.")
def talk(files: tuple[Path, ...], channel: str | None, restart: bool, record: bool) -> None:
    """Play conversation scripts against the whole product, simulated."""
    from bot.scripts.command import talk as play
    from bot.simulation.stage import SimulatedStage

    sys.exit(
        asyncio.run(
            play(
                files,
                channel=channel,
                restart=restart,
                record=record,
                stage_factory=SimulatedStage,
            )
        )
    )


@main.command()
@click.option("--verbose", is_flag=True, help="Show all that is logged, not only warnings.")
def sim(verbose: bool) -> None:
    """Chat here as a demo partner: bank, phones and SMS are simulated."""
    from bot.simulation.console.start import chat

    sys.exit(chat(verbose=verbose))


@main.command()
def run() -> None:
    """Serve Telegram for real, until interrupted."""
    from bot.channels.telegram.identity import BotMisconfigured
    from bot.http.server import PortUnavailable
    from bot.missing_settings import missing_settings
    from bot.observe import log
    from bot.security import lost_database
    from bot.security.stored_secrets import secret_values, with_stored_secrets
    from bot.serving.descriptors import TooFewDescriptors
    from bot.serving.serve import serve

    settings = _settings()
    with _faults_as_lines():
        lost_database.check_not_lost(settings)
        settings = with_stored_secrets(settings)
    faults = missing_settings(settings)
    if faults:
        _exit_with(*faults, "`hazina doctor` tells more; `hazina sim` needs nothing.")
    log.configure(settings.log_level, secret_values(settings))
    with _faults_as_lines():
        try:
            asyncio.run(serve(settings))
        except (BotMisconfigured, PortUnavailable, TooFewDescriptors) as fault:
            _exit_with(str(fault))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@click.option("--offline", is_flag=True, help="Do not ask Telegram and NCBA.")
def doctor(as_json: bool, offline: bool) -> None:
    """Say what is missing or wrong, and how to put it right; exit 1 if anything is."""
    from bot.maintenance.doctor import examine
    from bot.observe import log

    log.configure("error")  # what is wrong is a finding, and --json has nothing else on its lines

    async def look() -> bool:
        well = True
        async for finding in examine(online=not offline):
            click.echo(json.dumps(finding.to_json()) if as_json else str(finding))
            well = well and finding.ok
        return well

    sys.exit(0 if asyncio.run(look()) else 1)


@main.command()
@click.option("--new", is_flag=True, help="Make a missing one anew, though a desk has been here.")
def migrate(new: bool) -> None:
    """Bring the database up to date; `hazina run` does so by itself."""
    from bot.clock import SystemClock
    from bot.security import lost_database
    from storage.sqlite.database import Database
    from storage.sqlite.migrate import applied_migrations

    settings = _settings()

    async def bring_up() -> list[str]:
        database = await Database.open(settings.database, SystemClock().now)
        try:
            return await database.read(
                lambda tx: [name for name, _ in applied_migrations(tx.conn).values()]
            )
        finally:
            await database.close()

    with _faults_as_lines():
        lost_database.check_not_lost(settings, new=new)
        for name in asyncio.run(bring_up()):
            click.echo(f"{settings.database} has {name}")


@main.command()
def flows() -> None:
    """Print the conversations as Mermaid state diagrams."""
    from flows.catalogue import all_flows
    from flows.engine.mermaid import diagram

    for flow in all_flows():
        click.echo(f"%% {flow.name}\n{diagram(flow)}\n")


@main.group()
def person() -> None:
    """The people of partners."""


@person.command("add")
@click.option("--partner", required=True, help="Code of the partner, such as FINSAFE.")
@click.option("--new-partner", is_flag=True, help="Add the partner too.")
@click.option("--name", required=True, help="What the partner calls this person.")
@click.option(
    "--role",
    type=click.Choice(["owner", "operator", "viewer"]),
    help="Owner if left out; of a person who is there already, as it is.",
)
@click.option("--phone", required=True, help="Registered M-PESA number.")
@click.option("--telegram", required=True, help="Numeric Telegram user id.")
@click.option("--email", help="Mail address.")
def person_add(
    partner: str,
    new_partner: bool,
    name: str,
    role: str | None,
    phone: str,
    telegram: str,
    email: str | None,
) -> None:
    """Link a Telegram account to a partner. Stop `hazina run` meanwhile."""
    from bot.maintenance.people import PersonRefused, add_person

    with _settings_for_writing() as settings:
        try:
            added = asyncio.run(
                add_person(
                    settings.database,
                    partner=partner,
                    new_partner=new_partner,
                    name=name,
                    role=role,
                    phone=phone,
                    telegram=telegram,
                    email=email,
                )
            )
        except PersonRefused as refused:
            _exit_with(str(refused))
    click.echo(added)


@main.command()
@click.option("--id", "key_id", default="1", show_default=True, help="Its name: a-z, 0-9 and -.")
def key(key_id: str) -> None:
    """Print a fresh key for HAZINA_KEYS."""
    from bot.security.keyring import Keyring, KeysFault, new_key

    line = new_key(key_id)
    try:
        Keyring.read(line)
    except KeysFault as fault:
        _exit_with(str(fault))
    click.echo(line)


@main.group()
def secrets() -> None:
    """Credentials sealed in the database. The environment wins over them."""


@secrets.command("set")
@click.argument("name")
@click.argument("value", nargs=-1)
def secrets_set(name: str, value: tuple[str, ...]) -> None:
    """Seal one, asked for without echo or read from standard input. Stop `hazina run` meanwhile."""
    from bot.security.stored_secrets import check_secret_name, set_secret

    if value:
        _exit_with("a value is not taken from the command line, which others see: leave it out")
    with _settings_for_writing() as settings:
        check_secret_name(name)
        click.echo(asyncio.run(set_secret(settings, name, _read_secret(name))))


@secrets.command("list")
def secrets_list() -> None:
    """Say which there are, when each was set and by which key it is sealed; never a value."""
    from bot.security.stored_secrets import describe_secrets

    settings = _settings()
    with _faults_as_lines():
        for line in describe_secrets(settings):
            click.echo(line)


@secrets.command("rotate")
def secrets_rotate() -> None:
    """Seal all of them again with the newest key. Stop `hazina run` meanwhile."""
    from bot.security.stored_secrets import rotate_secrets

    with _settings_for_writing() as settings:
        click.echo(asyncio.run(rotate_secrets(settings)))


@secrets.command("remove")
@click.argument("name")
def secrets_remove(name: str) -> None:
    """Take one out of the database. Stop `hazina run` meanwhile."""
    from bot.security.stored_secrets import remove_secret

    with _settings_for_writing() as settings:
        click.echo(asyncio.run(remove_secret(settings, name)))


def _read_secret(name: str) -> str:
    """One line that no screen, list of processes or history of a shell shows."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True))
    try:
        text = sys.stdin.buffer.read(INPUT_MAX).decode()
    except UnicodeDecodeError:  # its words repeat what was read
        _exit_with("a secret is text in UTF-8")
    return text.removesuffix("\n").removesuffix("\r")


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
def backup(folder: Path | None) -> None:
    """Copy the database to FOLDER (BACKUP_DIR if left out), while the desk serves."""
    from bot.clock import SystemClock
    from bot.security import backup as backups

    settings = _settings()
    with _faults_as_lines():
        keys = backups.read_backup_keys(settings)
        to = folder or backups.backup_folder(settings)
        click.echo(str(backups.make(settings.database, to, keys, SystemClock().now())))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), help="Database to put it at: DATABASE.")
@click.option("--verify", is_flag=True, help="Only say whether it is sound; exit 1 if not.")
@click.option("--replace", is_flag=True, help="Keep the database that is there beside it.")
def restore(file: Path, to: Path | None, verify: bool, replace: bool) -> None:
    """Put a backup in the database's place, if file, books and audit log are sound."""
    from bot.clock import SystemClock
    from bot.security import backup as backups

    settings = _settings()
    target = to or settings.database
    with _faults_as_lines():
        keys = backups.read_backup_keys(settings)
        if verify:
            wrong = backups.verify(file, keys, target.parent)
            for line in wrong:
                click.echo(line, err=True)
            if wrong:
                sys.exit(1)
            click.echo(f"{file} is sound: file, books and audit log")
            return
        old = backups.restore(file, target, keys, SystemClock().now(), replace=replace)
    kept = "" if old is None else f"; what was there is now {old}"
    click.echo(f"{target} is restored from {file}{kept}")


@main.command()
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only this day: 2026-11-24.")
@click.option("--csv", "out", type=click.Path(path_type=Path), help="Write what is left over here.")
@click.option(
    "--dates",
    type=click.Choice(["day-first", "month-first"]),
    help="How the days of FILE are written, where it cannot be told.",
)
def reconcile(file: Path | None, day: datetime | None, out: Path | None, dates: str | None) -> None:
    """Compare days with NCBA's statement: a CSV FILE, or as NCBA gives it now (yesterday's).

    Exit 1 if a day stays open. The desk does so by itself each morning; stop `hazina run`
    meanwhile.
    """
    from bot.clock import SystemClock
    from bot.maintenance.reconciliation import NoStatement, report, write_csv
    from bot.maintenance.reconciliation import reconcile as compare
    from bot.observe import log
    from bot.security.stored_secrets import with_stored_secrets
    from services.domain.business_days import business_day, is_of_this_century
    from services.gateways.statement_file import (
        BYTES_MAX,
        AmbiguousDates,
        StatementFileError,
        read_statement_file,
    )

    if day is not None and not is_of_this_century(day):
        _exit_with(f"{day.date()}: not a day of ours")
    settings = _settings()
    log.configure("error")
    try:
        with _faults_as_lines():
            settings = with_stored_secrets(settings)
            lines = None
            if file is not None:
                with file.open("rb") as content:
                    lines = read_statement_file(
                        content.read(BYTES_MAX + 1),
                        month_first=None if dates is None else dates == "month-first",
                        today=business_day(SystemClock().now()),
                    )
            days = asyncio.run(compare(settings, lines, None if day is None else day.date()))
            if out is not None:
                write_csv(out, days)
    except AmbiguousDates as fault:
        _exit_with(f"{file}: {fault}: --dates day-first or --dates month-first")
    except StatementFileError as fault:
        _exit_with(f"{file}: {fault}")
    except NoStatement as fault:
        _exit_with(f"NCBA gave no statement: {fault}")
    except OSError as error:
        _exit_with(f"{error.filename}: {error.strerror}")
    for line in report(days):
        click.echo(line)
    sys.exit(0 if all(one.closed_at is not None for one in days) else 1)


@main.group()
def audit() -> None:
    """The trace of what was done."""


@audit.command("verify")
@click.option("--head", "heads", multiple=True, help="TIME=HASH, as an admin was told.")
def audit_verify(heads: tuple[str, ...]) -> None:
    """Check every chain of the audit log, also while the desk runs; exit 1 if one is broken."""
    from bot.maintenance.audit import verify_audit_log

    settings = _settings()
    with _faults_as_lines():
        well, lines = verify_audit_log(settings.database, heads)
    for line in lines:
        click.echo(line, err=not well)
    sys.exit(0 if well else 1)


@main.group()
def fee() -> None:
    """What float costs a partner."""


@fee.command("set")
@click.option("--partner", required=True, help="Code of the partner.")
@click.option("--kind", required=True, type=click.Choice(["transfer", "processing"]))
@click.option("--fixed", default="0", show_default=True, help="Shillings of each purchase.")
@click.option("--percent", default="0", show_default=True, help="Per cent of the amount.")
@click.option("--min", "minimum", help="The least the fee is.")
@click.option("--max", "maximum", help="The most the fee is.")
def fee_set(
    partner: str, kind: str, fixed: str, percent: str, minimum: str | None, maximum: str | None
) -> None:
    """Add a version of a fee, in force from now. Stop `hazina run` meanwhile."""
    from bot.maintenance.terms import set_fee

    _run_and_report(
        lambda database: set_fee(
            database,
            partner=partner,
            kind=kind,
            fixed=fixed,
            percent=percent,
            minimum=minimum,
            maximum=maximum,
        )
    )


@main.group()
def limit() -> None:
    """How much may be moved."""


@limit.command("set")
@click.argument("name")
@click.argument("amount")
@click.option("--partner", help="Code of the partner; left out: all without their own.")
def limit_set(name: str, amount: str, partner: str | None) -> None:
    """Set a limit from now on, in shillings. Stop `hazina run` meanwhile."""
    from bot.maintenance.terms import set_limit

    _run_and_report(lambda database: set_limit(database, name=name, amount=amount, partner=partner))


@main.group()
def code() -> None:
    """One-time codes of a number."""


@code.command("status")
@click.argument("phone")
def code_status(phone: str) -> None:
    """Say whether the number is locked for too many wrong codes."""
    from bot.maintenance.terms import code_status

    _run_and_report(lambda database: code_status(database, phone))


@code.command("unlock")
@click.argument("phone")
def code_unlock(phone: str) -> None:
    """Let the number have codes again. Stop `hazina run` meanwhile."""
    from bot.maintenance.terms import unlock

    _run_and_report(lambda database: unlock(database, phone))


def _run_and_report(do: Callable[[Path], Coroutine[None, None, str]]) -> None:
    """Do it on the settings' database, and say what was done or why not."""
    from bot.maintenance.terms import TermsRefused

    with _settings_for_writing() as settings:
        try:
            click.echo(asyncio.run(do(settings.database)))
        except TermsRefused as refused:
            _exit_with(str(refused))


def _settings() -> Settings:
    from bot.settings import SettingsFault, read_settings

    try:
        return read_settings()
    except SettingsFault as fault:
        _exit_with(str(fault))


@contextmanager
def _settings_for_writing() -> Iterator[Settings]:
    """For what writes to the database; clear words as ``_faults_as_lines`` has them, also where the
    database is lost: it would be made anew."""
    from bot.security import lost_database

    settings = _settings()
    with _faults_as_lines():
        lost_database.check_not_lost(settings)
        yield settings


@contextmanager
def _faults_as_lines() -> Iterator[None]:
    """Faults of the set-up as one line each, not as a traceback."""
    import sqlite3

    from bot.environment.network import NetworkFault
    from bot.maintenance.audit import HeadFault
    from bot.security.backup_file import BackupFault
    from bot.security.keyring import KeysFault
    from bot.security.lost_database import DatabaseLost
    from bot.security.stored_secrets import SecretsFault
    from flows.engine.check import InvalidFlow
    from storage.sqlite.damage import DatabaseDamaged
    from storage.sqlite.database_file import DatabaseFileMoved, DatabaseInUse, LockingUnsupported
    from storage.sqlite.migrate import MigrationError

    try:
        yield
    except (
        BackupFault,
        DatabaseDamaged,
        DatabaseInUse,
        DatabaseLost,
        DatabaseFileMoved,
        InvalidFlow,
        HeadFault,
        KeysFault,
        MigrationError,
        NetworkFault,
        LockingUnsupported,
        SecretsFault,
    ) as error:
        _exit_with(str(error))
    except BrokenPipeError:  # whoever read what we print has gone: click ends quietly
        raise
    except sqlite3.Error as error:
        _exit_with(f"the database cannot be used: {error}; `hazina doctor` tells more")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _exit_with(f"{where}{error.strerror or error}; `hazina doctor` tells more")


def _exit_with(*lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(2)
