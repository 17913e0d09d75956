"""``hazina doctor``: checks everything that a real run needs, and names remedies."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import httpx

from bot.adapters import bank_client, collections, float_bank
from bot.channels.telegram.connect import ask_name
from bot.channels.telegram.identity import BotMisconfigured, TelegramUnreachable
from bot.clock import SystemClock
from bot.database import database_engine
from bot.environment.env_file import ENV_FILE, read_env_file
from bot.environment.network import Network, NetworkFault, read_network
from bot.maintenance.check_result import CheckResult, failed, passed, warned
from bot.maintenance.database_server import check_server
from bot.maintenance.foreign_variables import check_admins, check_network, check_variable_names
from bot.maintenance.payouts import check_daraja, check_payouts
from bot.missing_settings import missing_settings
from bot.security import lost_database
from bot.security.backup import read_backup_keys
from bot.security.desk_keys import open_keys
from bot.security.keyring import KeysFault, key_file_beside
from bot.security.lost_database import DatabaseLost
from bot.security.stored_secrets import SecretsFault, with_stored_secrets
from bot.settings import Settings, SettingsFault, read_settings
from bot.turns.registry import HANDLERS
from flows.catalogue import all_flows
from flows.engine.check import InvalidFlow, check
from flows.engine.texts import Texts
from services.domain.bank import Ready
from services.domain.database import (
    DatabaseFailed,
    DatabaseFault,
    DatabaseServer,
    MigrationError,
)

FOR_OTHERS = 0o007
KEY_THAT_FITS = "`hazina key` prints one that fits, `hazina key --id 2` one beside it"


async def examine(*, online: bool) -> AsyncIterator[CheckResult]:
    """Check everything a real run needs. ``online`` also calls Telegram, NCBA and Daraja."""
    yield _python()
    try:
        network = read_network()
    except NetworkFault as fault:
        network = None
        yield failed("network", str(fault), "correct it in the environment")
    try:
        settings = read_settings()
    except SettingsFault as error:
        for line in str(error).splitlines():
            yield failed("settings", line, "correct it in the environment or in .env")
        return
    yield passed("settings", "can be read")
    finding, settings, stored = _secrets(settings)
    yield finding
    missing = missing_settings(settings)
    for line in missing:
        name, _, how = line.partition(" is missing: ")
        yield failed(name, "is missing", how)
    for finding in (
        *_env_file(ENV_FILE),
        *check_variable_names(os.environ, read_env_file(ENV_FILE)),
        check_admins(settings),
        *(() if network is None else check_network(settings, network, os.environ)),
        *_database(settings),
    ):
        yield finding
    yield _account(settings)
    yield _keys(settings)
    if settings.database_file is not None:
        yield _backups(settings)
    yield _messages(settings)
    yield _dashboard(settings)
    yield _ussd(settings)
    for finding in check_payouts(settings, stored, SystemClock().now()):
        yield finding
    yield _flows()
    if not online or network is None:
        return
    if settings.telegram_bot_token is not None:
        token = settings.telegram_bot_token.get_secret_value()
        yield await _telegram(token, settings.telegram_base_url, network)
    try:
        client = bank_client(settings, network)
    except NetworkFault:  # check_network has reported it
        return
    async with client:
        if not any(line.startswith("NCBA") for line in missing):
            yield await _ncba(settings, client)
        if settings.sells_float:
            yield await _open_banking(settings, client)
        if settings.pays_customers:
            yield await check_daraja(settings, client)


def _python() -> CheckResult:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return passed("python", version)


def _env_file(path: Path) -> Iterator[CheckResult]:
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield failed(".env", f"others may read it ({mode:04o})", f"chmod 600 {path}")
    else:
        yield passed(".env", "only its owner may read it")


def _database(settings: Settings) -> Iterator[CheckResult]:
    if isinstance(settings.database, DatabaseServer):
        yield from check_server(settings, settings.database)
        return
    path = settings.database
    folder = path.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield failed("database", f"{folder} cannot be written to", "set DATABASE elsewhere")
        return
    try:
        lost_database.check_not_lost(settings)
        if not path.exists():
            yield passed("database", f"{path} will be made at the first start")
            return
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & FOR_OTHERS:
            says = f"every user of the machine may open {path} ({mode:04o})"
            yield warned("database", says, f"chmod o-rwx {path}*")
        condition = database_engine.condition(path)
    except DatabaseLost as lost:
        yield failed("database", str(lost), "put it back, or a backup")
        return
    except MigrationError as error:
        yield failed("database", str(error), "use the program that fits it, or a backup")
        return
    except (DatabaseFailed, OSError) as error:
        remedy = "restore it from a backup, or set DATABASE to another file"
        yield failed("database", f"cannot be read: {error}", remedy)
        return
    if condition.damage is not None:
        yield failed("database", f"is damaged: {condition.damage}", "restore it from a backup")
    elif condition.pending:
        names = ", ".join(condition.pending)
        yield passed("database", f"{path}; the next start applies {names}")
    else:
        yield passed("database", f"{path} is sound and up to date")


def _secrets(settings: Settings) -> tuple[CheckResult, Settings, dict[str, datetime]]:
    """Also returns the settings with the database's sealed secrets, if these can be opened, and
    when each was set of those that the environment does not override."""
    try:
        opened = with_stored_secrets(settings)
        rows = database_engine.stored_secrets(settings.database)
    except SecretsFault as fault:
        remedy = "`hazina secrets set` sets one again, `hazina secrets remove` takes it out"
        return failed("secrets", str(fault).replace("\n", "; "), remedy), settings, {}
    except (DatabaseFault, OSError):
        return passed("secrets", "the database cannot be read for any"), settings, {}
    names = ", ".join(row.name for row in rows)
    says = f"the database has {names}, and all can be opened" if names else "none in the database"
    stored = {row.name: row.set_at for row in rows if getattr(settings, row.name.lower()) is None}
    return passed("secrets", says), opened, stored


def _account(settings: Settings) -> CheckResult:
    """What prompts carry as account reference, and what NCBA may refuse (facts: NCBA 6)."""
    template = settings.ncba_account_ref_template
    if "{reference}" not in template:
        says = f"prompts carry {template} alone: what they paid is told by payer, amount and time"
        return passed("account reference", says)
    says = (
        f"prompts carry {template}: some products of NCBA take the account alone, and refuse this"
        " as a wrong format; then set NCBA_ACCOUNT_REF_TEMPLATE={account}"
    )
    return passed("account reference", says)


def _keys(settings: Settings) -> CheckResult:
    database = settings.database_file
    path = None if database is None else key_file_beside(database)
    is_set = settings.hazina_keys is not None
    if not is_set and path is not None and not path.exists():
        return passed("keys", f"{path} will be made at the first start")
    try:
        open_keys(settings)
    except (KeysFault, OSError) as fault:
        return failed("keys", str(fault), KEY_THAT_FITS)
    return passed("keys", f"{'HAZINA_KEYS' if is_set else path} can be used")


def _backups(settings: Settings) -> CheckResult:
    try:
        keys = read_backup_keys(settings)
    except KeysFault as fault:
        return failed("backups", str(fault), KEY_THAT_FITS)
    if keys or not settings.backups_kept:
        return passed("backups", "are sealed" if keys else "are not made: BACKUPS_KEPT is 0")
    remedy = "set BACKUP_KEYS to a line that `hazina key` prints, and keep it elsewhere too"
    return warned("backups", "are not sealed: whoever has one reads all of it", remedy)


def _messages(settings: Settings) -> CheckResult:
    ways = [
        way
        for way, there in (
            ("SMS", settings.africas_talking_api_key is not None),
            ("mail", settings.smtp_host is not None),
        )
        if there
    ]
    if ways:
        return passed("messages", f"codes and receipts go by {' and '.join(ways)}")
    if not settings.sells_float:
        return passed("messages", "neither SMS nor mail is set up: no codes")
    remedy = "set AFRICAS_TALKING_USERNAME and AFRICAS_TALKING_API_KEY, or SMTP_HOST"
    return failed("messages", "there is no way to send codes", remedy)


def _dashboard(settings: Settings) -> CheckResult:
    address = settings.dashboard_address
    if address is None:
        return passed("dashboard", "is off")
    return passed("dashboard", f"admins reach it at {address}, by a link from /dashboard")


def _ussd(settings: Settings) -> CheckResult:
    """What missing settings it has is said elsewhere."""
    if not settings.serves_ussd:
        return passed("ussd", "is off")
    codes = ", ".join(sorted(settings.ussd_codes))
    if settings.africas_talking_api_key is None:
        says = f"{codes} is answered, and no SMS can say how a payment ended"
        return warned("ussd", says, "set AFRICAS_TALKING_USERNAME and AFRICAS_TALKING_API_KEY")
    whence = "its gateway's networks" if settings.ussd_networks else "anywhere, with the secret"
    return passed("ussd", f"{codes} is answered, to calls from {whence}")


def _flows() -> CheckResult:
    try:
        check(all_flows(), Texts.load(), HANDLERS)
    except InvalidFlow as error:
        return failed("flows", str(error), "correct the flow or the text it names")
    return passed("flows", "every path ends, every text is there")


async def _telegram(token: str, base_url: str, network: Network) -> CheckResult:
    try:
        name = await ask_name(token, base_url, network)
    except NetworkFault as fault:
        return failed("telegram", f"is not asked: {fault}", "correct it in the environment")
    except BotMisconfigured as fault:
        return failed("telegram", str(fault), "correct it in the environment or in .env")
    except TelegramUnreachable as error:
        remedy = "check the network, then ask again"
        return failed("telegram", f"cannot be reached ({error})", remedy)
    return passed("telegram", f"knows the bot as @{name}")


async def _ncba(settings: Settings, client: httpx.AsyncClient) -> CheckResult:
    answer = await collections(settings, client, SystemClock()).prepare()
    if isinstance(answer, Ready):
        return passed("ncba", "gave a token")
    remedy = "check NCBA_USERNAME, NCBA_PASSWORD, and that NCBA admits this machine's IP address"
    return failed("ncba", f"gave no token: {answer.why}", remedy)


async def _open_banking(settings: Settings, client: httpx.AsyncClient) -> CheckResult:
    answer = await float_bank(settings, client, SystemClock()).prepare()
    if isinstance(answer, Ready):
        return passed("open banking", "gave a token")
    remedy = "check the OPENBANKING_… settings, and that NCBA admits this machine's IP address"
    return failed("open banking", f"gave no token: {answer.why}", remedy)
