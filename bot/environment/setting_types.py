"""The types of settings' values, with error messages for the person who set them.

Each function returns the value or raises ``ValueError``, which never repeats the value: it may be a
secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from string import Formatter
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, PlainValidator, SecretStr
from pydantic_settings import NoDecode

from bot.environment.ip_addresses import IpNetwork, parse_ip_networks
from services.domain.database import DatabaseAddress, DatabaseServer

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# The addresses that services.gateways.smtp accepts.
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_ONE_HOST = r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._~%-]*)(:[0-9]{1,5})?"
_PARAMETER = r"[a-z_]+=[^&=@]*"
# Of libpq's addresses, those that can be read in one way only. About any other its errors may say
# the password, or take a part of it as the name of a host.
_SERVER = re.compile(
    rf"postgres(ql)?://([^:/@]*(:[^/@]*)?@)?{_ONE_HOST}(,{_ONE_HOST})*(?P<database>/[^/?@]+)?/?"
    rf"(\?{_PARAMETER}(&{_PARAMETER})*)?"
)
MAILBOX_MAX = 254  # characters (RFC 5321)
NAME_MAX = 253  # characters of a host name (RFC 1035)


def is_host(text: str) -> bool:
    """Whether it is a host name, or an IP address without brackets."""
    if ":" not in text:
        return len(text) <= NAME_MAX and bool(_NAME.fullmatch(text))
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def clean_text(value: object, *, secret: bool) -> object:
    """Reject invisible characters, and shell substitutions unless it is a secret."""
    if not isinstance(value, str):
        return value
    if not value.isprintable():
        raise ValueError("has a line break, or another character that cannot be seen or is no text")
    if not value.strip():
        raise ValueError("is blank: leave it out, or give it a value")
    if secret:
        return value
    if re.search(r"\$[{(]", value):
        raise ValueError("has a ${…} or $(…), which nothing fills in: write out what it stands for")
    return value.strip()


def _path(path: Path) -> Path:
    text = str(path)
    if text.startswith("~") or "$" in text:
        raise ValueError("has a ~ or $, which only a shell fills in: write out the whole path")
    if re.match(r"[A-Za-z0-9+]+:/", text):
        raise ValueError("is a path, not an address with a scheme")
    return path


def database_address(value: object) -> DatabaseAddress:
    """A path, or what begins with ``postgresql://`` or ``postgres://`` as libpq reads it."""
    if isinstance(value, DatabaseServer):
        return value
    if not isinstance(value, str | Path):
        raise ValueError("is a path, or an address that begins with postgresql://")
    if isinstance(value, str) and value.startswith(("postgresql://", "postgres://")):
        return DatabaseServer(_dsn(value))
    return _path(Path(value))


def _dsn(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("has a blank or a letter that is not ASCII")
    match = _SERVER.fullmatch(text)
    if match is None or re.search(r"%(00|(?![0-9A-Fa-f]{2}))", text):
        raise ValueError(
            "is no address such as postgresql://desk@db.example.com:5432/hazina; in a password @"
            " is written %40, / %2F, : %3A and % itself %25"
        )
    if match["database"] is None:
        raise ValueError(
            "names no database: its name comes after the hosts, as in"
            " postgresql://desk@db.example.com/hazina"
        )
    return text


def _url(text: str) -> str:
    """Returned without a trailing slash, so that a path can be appended."""
    try:
        address = urlsplit(text)
        host, port = address.hostname or "", address.port
    except ValueError:  # brackets without an IPv6 address, or a port out of range
        raise ValueError("has no host and port such as example.com:8443") from None
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("has a blank or a letter that is not ASCII")
    if address.scheme not in ("http", "https") or port == 0 or not is_host(host):
        raise ValueError("is no address such as https://example.com")
    if address.username is not None or address.password is not None:
        raise ValueError("has a user name in front of the host: it has settings of its own")
    if address.query or address.fragment:
        raise ValueError("has a ? or #: leave that and the rest out")
    return text.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether only this machine itself can mean it."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> str:
    """In lower case, and without the port that the scheme has anyway, as browsers write it."""
    address = urlsplit(url)
    if address.path:
        raise ValueError("ends with the host or its port: leave the path out")
    host = str(address.hostname)
    if address.scheme != "https" and not is_this_machine(host):
        raise ValueError("begins with https://, unless it is this machine's own such as 127.0.0.1")
    port = address.port
    if port is None or port == {"http": 80, "https": 443}[address.scheme]:
        return f"{address.scheme}://{in_brackets(host)}"
    return f"{address.scheme}://{in_brackets(host)}:{port}"


def _public(origin: str) -> str:
    """One that others reach by TLS."""
    address = urlsplit(origin)
    if address.scheme != "https" or is_this_machine(str(address.hostname)):
        raise ValueError("begins with https:// and is not this machine: others call it")
    return origin


def in_brackets(host: str) -> str:
    """As URLs write a host: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def _bot_api(url: str) -> str:
    if not url.endswith("/bot"):
        raise ValueError("ends in /bot, such as https://api.telegram.org/bot: the token is added")
    return url


def _host(text: str) -> str:
    """A name or an address; ``[::1]`` becomes ``::1``."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not is_host(bare):
        raise ValueError("is a host name or an address, without scheme and port")
    return bare


def _mailbox(text: str) -> str:
    if len(text) > MAILBOX_MAX or "=?" in text or not _MAILBOX.fullmatch(text):
        raise ValueError("is one plain mail address such as desk@example.com, without a name")
    return text


def _time_of_day(value: object) -> object:
    if isinstance(value, str):
        text = value.strip()
        if not _TIME.fullmatch(text):
            raise ValueError("is a time of day in Nairobi such as 06:00, without a zone")
        return time.fromisoformat(text)
    return value


def _time_or_off(value: object) -> object:
    off = isinstance(value, str) and value.strip().lower() == "off"
    return None if off else _time_of_day(value)


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:  # no such day
        pass
    raise ValueError("is a day such as 2026-11-29")


def _word(pattern: str, words: str) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, secret.get_secret_value()):
            raise ValueError(words)
        return secret

    return check


def _header(text: str) -> str:
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", text):
        raise ValueError("is of printable ASCII characters")
    return text


def _template(template: str) -> str:
    """NCBA's gateway fills in {account} and {reference}; no other placeholder is allowed."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        raise ValueError("a brace stands alone") from None
    if not names <= {"account", "reference"} or "account" not in names:
        raise ValueError("needs {account}, may have {reference}, and no other placeholder")
    return template


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _networks(value: object) -> object:
    return parse_ip_networks(value) if isinstance(value, str) else value


def _ids(ids: frozenset[str]) -> frozenset[str]:
    if any(not re.fullmatch(r"[0-9]{1,20}", user) for user in ids):
        raise ValueError("numeric Telegram ids, separated by commas")
    return ids


def _service_codes(codes: frozenset[str]) -> frozenset[str]:
    if any(not re.fullmatch(r"\*[0-9]{2,6}(\*[0-9]{1,6}){0,3}#", code) for code in codes):
        raise ValueError("service codes such as *384*7#, separated by commas")
    return codes


FilePath = Annotated[Path, AfterValidator(_path)]
Database = Annotated[  # in JSON without its password
    DatabaseAddress,
    NoDecode,
    PlainValidator(database_address),
    PlainSerializer(str, when_used="json"),
]
Url = Annotated[str, AfterValidator(_url)]
Urls = Annotated[tuple[Url, ...], NoDecode, BeforeValidator(_split)]
Origin = Annotated[Url, AfterValidator(_origin)]
PublicOrigin = Annotated[Origin, AfterValidator(_public)]
BotApiUrl = Annotated[Url, AfterValidator(_bot_api)]
Host = Annotated[str, AfterValidator(_host)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Day = Annotated[date, BeforeValidator(_day)]
TimeOrOff = Annotated[time | None, BeforeValidator(_time_or_off)]
Header = Annotated[str, AfterValidator(_header)]
Template = Annotated[str, AfterValidator(_template)]
ResponseCodes = Annotated[frozenset[str], NoDecode, BeforeValidator(_split)]
IpNetworks = Annotated[tuple[IpNetwork, ...], NoDecode, BeforeValidator(_networks)]
ServiceCodes = Annotated[
    frozenset[str], NoDecode, BeforeValidator(_split), AfterValidator(_service_codes)
]
Ids = Annotated[frozenset[str], NoDecode, BeforeValidator(_split), AfterValidator(_ids)]

BotToken = Annotated[
    SecretStr,
    AfterValidator(
        _word(r"[A-Za-z0-9_:-]{1,256}", "is of A-Z, a-z, 0-9, _, - and one :, and nothing else")
    ),
]
HeaderSecret = Annotated[
    SecretStr, AfterValidator(_word(r"[!-~]{1,4096}", "is one word of printable ASCII characters"))
]
WebhookSecret = Annotated[
    SecretStr, AfterValidator(_word(r"[A-Za-z0-9_-]{1,256}", "1-256 of A-Z, a-z, 0-9, _ and -"))
]
PathSecret = Annotated[
    SecretStr, AfterValidator(_word(r"[A-Za-z0-9_-]{16,128}", "16-128 of A-Z, a-z, 0-9, _ and -"))
]
LongPathSecret = Annotated[
    SecretStr, AfterValidator(_word(r"[A-Za-z0-9_-]{32,128}", "32-128 of A-Z, a-z, 0-9, _ and -"))
]
# What services.gateways.daraja.security_credential seals, and what M-PESA's key makes of it: 344
# characters, or more should the key ever be longer (facts: Daraja 4).
InitiatorPassword = Annotated[
    SecretStr,
    AfterValidator(_word(r"[A-Za-z0-9#&%$]{1,100}", "1-100 of A-Z, a-z, 0-9, #, &, % and $")),
]
SecurityCredential = Annotated[
    SecretStr,
    AfterValidator(
        _word(
            r"(?=.{344,1368}\Z)([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
            "is base64 of 344 characters or more",
        )
    ),
]
