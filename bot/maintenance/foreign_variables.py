"""Doctor checks for the rest of the environment: other programs' variables that change what the
desk does, and misspelt names of our settings."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from bot.environment.network import Network, NetworkFault
from bot.maintenance.check_result import CheckResult, failed, passed, warned
from bot.settings import Settings

# difflib's ratio: NCBA_USRNAME to NCBA_USERNAME has 0.96, HTTP_PROXY to HTTP_PORT 0.74.
LIKENESS = 0.82
# Prefixes that only our settings have, so any other name with one is a mistake.
FAMILIES = ("TELEGRAM_", "NCBA_", "OPENBANKING_", "DARAJA_", "AFRICAS_TALKING_", "HAZINA_")
NOT_READ = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SLOW = ("PYTHONDEVMODE", "PYTHONASYNCIODEBUG")
IN_ENV = "correct it in the environment"


def check_network(
    settings: Settings, network: Network, environ: Mapping[str, str]
) -> Iterator[CheckResult]:
    """How each address in use is reached, and which other programs' variables affect that."""
    counted: set[str] = set()
    for name, url in settings.addresses.items():
        host = urlsplit(url).hostname or ""
        variable = network.proxies.variable_for(url)
        try:
            network.proxy_for(url)
        except NetworkFault as fault:
            counted.add(str(fault))
            yield failed("proxy", f"{fault} ({name} is reached through it)", IN_ENV)
            continue
        if url.startswith("http://") and not _is_loopback(host):
            says = f"{name} is plain http to {host}: whoever is between reads what is sent"
            yield warned("network", says, f"write {name} with https://")
        else:
            way = "directly" if variable is None else f"through {variable}"
            yield passed("network", f"{host} is called {way}")
    for line in network.proxies.warnings():
        if line not in counted:
            yield warned("proxy", line, IN_ENV)
    for name in NOT_READ:
        if environ.get(name) and not environ.get("SSL_CERT_FILE"):
            says = f"{name} is not read: the desk's certificates are those of SSL_CERT_FILE"
            yield warned("certificates", says, f"set SSL_CERT_FILE to what {name} names")
    for name in SLOW:
        if environ.get(name):
            says = f"{name} makes Python check itself all the time: the desk is slow"
            yield warned("python", says, f"unset {name}")
    if any(allowed.prefixlen == 0 for allowed in settings.forwarded_allow_ips):
        says = "FORWARDED_ALLOW_IPS is everywhere: any caller may say that it is the bank's address"
        yield warned("network", says, "set it to the address of your proxy")


def check_variable_names(
    environ: Mapping[str, str], in_file: Mapping[str, str]
) -> Iterator[CheckResult]:
    """Names that resemble our settings, and values that a shell would have read differently."""
    ours = {name.upper() for name in Settings.model_fields}
    for name in sorted({name.upper() for name in (*environ, *in_file)} - ours):
        near = difflib.get_close_matches(name, ours, n=1, cutoff=LIKENESS)
        if near or name.startswith(FAMILIES):
            meant = near or difflib.get_close_matches(name, ours, n=1, cutoff=0)
            yield warned(name, "is no setting, and does nothing", f"is {meant[0]} meant?")
    for name, value in {**in_file, **environ}.items():
        if name.upper() not in ours:
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            says = "begins and ends with a quote, which is taken as part of it"
            yield warned(name, says, "leave the quotes out, as in a file that Docker reads")
        elif value != value.strip():
            says = "begins or ends with a blank, which of a secret is taken as part of it"
            yield warned(name, says, "leave the blank out, unless it is meant")


def check_admins(settings: Settings) -> CheckResult:
    if settings.admin_ids:
        return passed("ADMIN_IDS", f"{len(settings.admin_ids)} run the desk")
    says = (
        "is empty: nobody can run the desk's commands, and nobody is told of money whose fate is"
        " unknown"
    )
    return warned("ADMIN_IDS", says, "the bot tells each account its number: set it to yours")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
