"""``hazina doctor``: what is missing or wrong, and how to put it right."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx

from bot.adapters import bank_client, float_bank, ncba_credentials
from bot.channels.telegram.connect import ask_name
from bot.channels.telegram.identity import NotRecognised, Unreachable
from bot.clock import SystemClock
from bot.environment.env_file import ENV_FILE, read
from bot.environment.network import Network, NetworkFault, read_network
from bot.maintenance.finding import Finding, doubtful, well, wrong
from bot.maintenance.foreign_variables import of_admins, of_names, of_others
from bot.security import lost_database
from bot.security.backup import keys_of
from bot.security.keyring import KeysFault, keys_beside, open_keys
from bot.security.lost_database import DatabaseLost
from bot.security.stored_secrets import SecretsFault, with_stored
from bot.settings import Settings, SettingsFault, read_settings
from flows.catalogue import all_flows
from flows.engine.check import FlowFault, check
from flows.engine.texts import Texts
from services.domain.bank import Ready
from services.gateways.ncba.collections import NcbaCollections
from storage.sqlite.migrate import MigrationError, pending, refuse_additions
from storage.stores.secrets import stored_secrets

FOR_OTHERS = 0o007
KEY_THAT_FITS = "`hazina key` prints one that fits, `hazina key --id 2` one beside it"


async def examine(*, online: bool) -> AsyncIterator[Finding]:
    """Look at everything a real run needs; ``online`` also asks Telegram and NCBA."""
    yield _python()
    try:
        network = read_network()
    except NetworkFault as fault:
        network = None
        yield wrong("network", str(fault), "correct it in the environment")
    try:
        settings = read_settings()
    except SettingsFault as error:
        for line in str(error).splitlines():
            yield wrong("settings", line, "correct it in the environment or in .env")
        return
    yield well("settings", "can be read")
    finding, settings = _secrets(settings)
    yield finding
    missing = settings.missing()
    for line in missing:
        name, _, how = line.partition(" is missing: ")
        yield wrong(name, "is missing", how)
    for finding in (
        *_env_file(ENV_FILE),
        *of_names(os.environ, read(ENV_FILE)),
        of_admins(settings),
        *(() if network is None else of_others(settings, network, os.environ)),
        *_database(settings),
    ):
        yield finding
    yield _account(settings)
    yield _keys(settings)
    yield _backup_keys(settings)
    yield _messages(settings)
    yield _flows()
    if not online or network is None:
        return
    if settings.telegram_bot_token is not None:
        token = settings.telegram_bot_token.get_secret_value()
        yield await _telegram(token, settings.telegram_base_url, network)
    try:
        client = bank_client(settings, network)
    except NetworkFault:  # of_others has named it
        return
    async with client:
        if not any(line.startswith("NCBA") for line in missing):
            yield await _ncba(settings, client)
        if settings.sells_float:
            yield await _open_banking(settings, client)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return well("python", version)


def _env_file(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield wrong(".env", f"others may read it ({mode:04o})", f"chmod 600 {path}")
    else:
        yield well(".env", "only its owner may read it")


def _database(settings: Settings) -> Iterator[Finding]:
    path = settings.database
    folder = path.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield wrong("database", f"{folder} cannot be written to", "set DATABASE elsewhere")
        return
    try:
        lost_database.look(settings)
        if not path.exists():
            yield well("database", f"{path} will be made at the first start")
            return
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & FOR_OTHERS:
            says = f"every user of the machine may open {path} ({mode:04o})"
            yield doubtful("database", says, f"chmod o-rwx {path}*")
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as conn:
            waiting = pending(conn)
            refuse_additions(conn)
            verdict = conn.execute("PRAGMA quick_check").fetchone()[0]
    except DatabaseLost as lost:
        yield wrong("database", str(lost), "put it back, or a backup")
        return
    except MigrationError as error:
        yield wrong("database", str(error), "use the program that fits it, or a backup")
        return
    except (sqlite3.Error, OSError) as error:
        remedy = "restore it from a backup, or set DATABASE to another file"
        yield wrong("database", f"cannot be read: {error}", remedy)
        return
    if verdict != "ok":
        yield wrong("database", f"is damaged: {verdict}", "restore it from a backup")
    elif waiting:
        names = ", ".join(migration.name for migration in waiting)
        yield well("database", f"{path}; the next start applies {names}")
    else:
        yield well("database", f"{path} is sound and up to date")


def _secrets(settings: Settings) -> tuple[Finding, Settings]:
    """And the settings with what the database keeps sealed, as far as it can be opened."""
    try:
        opened = with_stored(settings)
        names = ", ".join(row.name for row in stored_secrets(settings.database))
    except SecretsFault as fault:
        remedy = "`hazina secrets set` sets one again, `hazina secrets remove` takes it out"
        return wrong("secrets", str(fault).replace("\n", "; "), remedy), settings
    except (sqlite3.Error, OSError):
        return well("secrets", "the database cannot be read for any"), settings
    says = f"the database has {names}, and all can be opened" if names else "none in the database"
    return well("secrets", says), opened


def _account(settings: Settings) -> Finding:
    """What prompts carry, and what of it NCBA may refuse (facts: NCBA 6)."""
    template = settings.ncba_account_ref_template
    if "{reference}" not in template:
        says = f"prompts carry {template} alone: what they paid is told by payer, amount and time"
        return well("account reference", says)
    says = (
        f"prompts carry {template}: some products of NCBA take the account alone, and refuse this"
        " as a wrong format; then set NCBA_ACCOUNT_REF_TEMPLATE={account}"
    )
    return well("account reference", says)


def _keys(settings: Settings) -> Finding:
    secret = settings.hazina_keys
    path = keys_beside(settings.database)
    if secret is None and not path.exists():
        return well("keys", f"{path} will be made at the first start")
    try:
        open_keys(None if secret is None else secret.get_secret_value(), settings.database)
    except (KeysFault, OSError) as fault:
        return wrong("keys", str(fault), KEY_THAT_FITS)
    where = "HAZINA_KEYS" if secret is not None else str(path)
    return well("keys", f"{where} can be used")


def _backup_keys(settings: Settings) -> Finding:
    try:
        keys = keys_of(settings)
    except KeysFault as fault:
        return wrong("backups", str(fault), KEY_THAT_FITS)
    if keys or not settings.backups_kept:
        return well("backups", "are sealed" if keys else "are not made: BACKUPS_KEPT is 0")
    remedy = "set BACKUP_KEYS to a line that `hazina key` prints, and keep it elsewhere too"
    return doubtful("backups", "are not sealed: whoever has one reads all of it", remedy)


def _messages(settings: Settings) -> Finding:
    ways = [
        way
        for way, there in (
            ("SMS", settings.africas_talking_api_key is not None),
            ("mail", settings.smtp_host is not None),
        )
        if there
    ]
    if ways:
        return well("messages", f"codes and receipts go by {' and '.join(ways)}")
    if not settings.sells_float:
        return well("messages", "neither SMS nor mail is set up: no codes")
    remedy = "set AFRICAS_TALKING_USERNAME and AFRICAS_TALKING_API_KEY, or SMTP_HOST"
    return wrong("messages", "there is no way to send codes", remedy)


def _flows() -> Finding:
    try:
        check(all_flows(), Texts.load())
    except FlowFault as error:
        return wrong("flows", str(error), "correct the flow or the text it names")
    return well("flows", "every path ends, every text is there")


async def _telegram(token: str, base_url: str, network: Network) -> Finding:
    try:
        name = await ask_name(token, base_url, network)
    except NetworkFault as fault:
        return wrong("telegram", f"is not asked: {fault}", "correct it in the environment")
    except NotRecognised as fault:
        return wrong("telegram", str(fault), "correct it in the environment or in .env")
    except Unreachable as error:
        remedy = "check the network, then ask again"
        return wrong("telegram", f"cannot be reached ({error})", remedy)
    return well("telegram", f"knows the bot as @{name}")


async def _ncba(settings: Settings, client: httpx.AsyncClient) -> Finding:
    answer = await NcbaCollections(client, SystemClock(), ncba_credentials(settings)).prepare()
    if isinstance(answer, Ready):
        return well("ncba", "gave a token")
    remedy = "check NCBA_USERNAME, NCBA_PASSWORD, and that NCBA admits this machine's IP address"
    return wrong("ncba", f"gave no token: {answer.why}", remedy)


async def _open_banking(settings: Settings, client: httpx.AsyncClient) -> Finding:
    answer = await float_bank(settings, client, SystemClock()).prepare()
    if isinstance(answer, Ready):
        return well("open banking", "gave a token")
    remedy = "check the OPENBANKING_… settings, and that NCBA admits this machine's IP address"
    return wrong("open banking", f"gave no token: {answer.why}", remedy)
