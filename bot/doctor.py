"""``hazina doctor``: what is missing or wrong, and how to put it right."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from bot.backup import keys_of
from bot.clock import SystemClock
from bot.keys import KeysFault, keys_beside, open_keys
from bot.secrets import SecretsFault, with_stored
from bot.settings import Settings, SettingsFault, read_settings
from bot.telegram.connect import TokenRefused, Unreachable, ask_name
from bot.wiring import float_bank, ncba_credentials
from flows.catalogue import all_flows
from flows.check import FlowFault, check
from flows.words import Texts
from services.domain.bank import Ready
from services.gateways.ncba import NcbaCollections
from storage.migrate import MigrationError, pending
from storage.secrets import stored_secrets

KEY_THAT_FITS = "`hazina key` prints one that fits, `hazina key --id 2` one beside it"


@dataclass(frozen=True, slots=True)
class Finding:
    """``remedy`` is empty where all is well."""

    what: str
    ok: bool
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = "ok   " if self.ok else "WRONG"
        tail = f"\n      -> {self.remedy}" if self.remedy else ""
        return f"{mark} {self.what}: {self.says}{tail}"

    def to_json(self) -> dict[str, object]:
        return asdict(self)


async def examine(*, online: bool, env_file: Path = Path(".env")) -> AsyncIterator[Finding]:
    """Look at everything a real run needs; ``online`` also asks Telegram and NCBA."""
    yield _python()
    try:
        settings = read_settings()
    except SettingsFault as error:
        for fault in str(error).splitlines():
            yield Finding("settings", False, fault, "correct it in the environment or in .env")
        return
    yield Finding("settings", True, "can be read")
    finding, settings = _secrets(settings)
    yield finding
    missing = settings.missing()
    for line in missing:
        name, _, how = line.partition(" is missing: ")
        yield Finding(name, False, "is missing", how)
    for finding in (*_env_file(env_file), *_database(settings.database)):
        yield finding
    yield _account(settings)
    yield _keys(settings)
    yield _backup_keys(settings)
    yield _messages(settings)
    yield _flows()
    if not online:
        return
    if settings.telegram_bot_token is not None:
        token = settings.telegram_bot_token.get_secret_value()
        yield await _telegram(token, settings.telegram_base_url)
    if not any(line.startswith("NCBA") for line in missing):
        yield await _ncba(settings)
    if settings.sells_float:
        yield await _open_banking(settings)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, version, "" if ok else "install Python 3.11 or newer")


def _env_file(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding(".env", False, f"others may read it ({mode:04o})", f"chmod 600 {path}")
    else:
        yield Finding(".env", True, "only its owner may read it")


def _database(path: Path) -> Iterator[Finding]:
    folder = path.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield Finding("database", False, f"{folder} cannot be written to", "set DATABASE elsewhere")
        return
    if not path.exists():
        yield Finding("database", True, f"{path} will be made at the first start")
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            waiting = pending(conn)
            verdict = conn.execute("PRAGMA quick_check").fetchone()[0]
    except MigrationError as error:
        yield Finding("database", False, str(error), "use the program that fits it")
        return
    except sqlite3.Error as error:
        remedy = "restore it from a backup, or set DATABASE to another file"
        yield Finding("database", False, f"cannot be read: {error}", remedy)
        return
    if verdict != "ok":
        yield Finding("database", False, f"is damaged: {verdict}", "restore it from a backup")
    elif waiting:
        names = ", ".join(migration.name for migration in waiting)
        yield Finding("database", True, f"{path}; the next start applies {names}")
    else:
        yield Finding("database", True, f"{path} is sound and up to date")


def _secrets(settings: Settings) -> tuple[Finding, Settings]:
    """And the settings with what the database keeps sealed, as far as it can be opened."""
    try:
        opened = with_stored(settings)
        names = ", ".join(row.name for row in stored_secrets(settings.database))
    except SecretsFault as fault:
        remedy = "`hazina secrets set` sets one again, `hazina secrets remove` takes it out"
        return Finding("secrets", False, str(fault).replace("\n", "; "), remedy), settings
    except (sqlite3.Error, OSError):
        return Finding("secrets", True, "the database cannot be read for any"), settings
    says = f"the database has {names}, and all can be opened" if names else "none in the database"
    return Finding("secrets", True, says), opened


def _account(settings: Settings) -> Finding:
    """What prompts carry, and what of it NCBA may refuse (facts: NCBA 6)."""
    template = settings.ncba_account_ref_template
    if "{reference}" not in template:
        says = f"prompts carry {template} alone: what they paid is told by payer, amount and time"
        return Finding("account reference", True, says)
    says = (
        f"prompts carry {template}: some products of NCBA take the account alone, and refuse this"
        " as a wrong format; then set NCBA_ACCOUNT_REF_TEMPLATE={account}"
    )
    return Finding("account reference", True, says)


def _keys(settings: Settings) -> Finding:
    secret = settings.hazina_keys
    path = keys_beside(settings.database)
    if secret is None and not path.exists():
        return Finding("keys", True, f"{path} will be made at the first start")
    try:
        open_keys(None if secret is None else secret.get_secret_value(), settings.database)
    except (KeysFault, OSError) as fault:
        return Finding("keys", False, str(fault), KEY_THAT_FITS)
    where = "HAZINA_KEYS" if secret is not None else str(path)
    return Finding("keys", True, f"{where} can be used")


def _backup_keys(settings: Settings) -> Finding:
    try:
        keys = keys_of(settings)
    except KeysFault as fault:
        return Finding("backups", False, str(fault), KEY_THAT_FITS)
    return Finding("backups", True, "are sealed" if keys else "are not sealed: no BACKUP_KEYS")


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
        return Finding("messages", True, f"codes and receipts go by {' and '.join(ways)}")
    if not settings.sells_float:
        return Finding("messages", True, "neither SMS nor mail is set up: no codes")
    remedy = "set AFRICAS_TALKING_USERNAME and AFRICAS_TALKING_API_KEY, or SMTP_HOST"
    return Finding("messages", False, "there is no way to send codes", remedy)


def _flows() -> Finding:
    try:
        check(all_flows(), Texts.load())
    except FlowFault as error:
        return Finding("flows", False, str(error), "correct the flow or the text it names")
    return Finding("flows", True, "every path ends, every text is there")


async def _telegram(token: str, base_url: str) -> Finding:
    try:
        name = await ask_name(token, base_url)
    except TokenRefused:
        remedy = "copy the token from @BotFather again"
        return Finding("telegram", False, "does not know this token", remedy)
    except Unreachable as error:
        remedy = "check the network, then ask again"
        return Finding("telegram", False, f"cannot be reached ({error})", remedy)
    return Finding("telegram", True, f"knows the bot as @{name}")


async def _ncba(settings: Settings) -> Finding:
    async with httpx.AsyncClient() as client:
        gateway = NcbaCollections(client, SystemClock(), ncba_credentials(settings))
        answer = await gateway.prepare()
    if isinstance(answer, Ready):
        return Finding("ncba", True, "gave a token")
    remedy = "check NCBA_USERNAME, NCBA_PASSWORD, and that NCBA admits this machine's IP address"
    return Finding("ncba", False, f"gave no token: {answer.why}", remedy)


async def _open_banking(settings: Settings) -> Finding:
    async with httpx.AsyncClient() as client:
        answer = await float_bank(settings, client, SystemClock()).prepare()
    if isinstance(answer, Ready):
        return Finding("open banking", True, "gave a token")
    remedy = "check the OPENBANKING_… settings, and that NCBA admits this machine's IP address"
    return Finding("open banking", False, f"gave no token: {answer.why}", remedy)
