"""Which proxy applies to an address, and which values cannot be a proxy."""

from __future__ import annotations

import pytest

from bot.environment.proxies import Proxies, ProxyFault

BANK = "https://c2bapis.ncbagroup.com"
PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("environ", "url", "name"),
    [
        ({}, BANK, None),
        ({"HTTPS_PROXY": PROXY}, BANK, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "", "ALL_PROXY": PROXY}, BANK, "ALL_PROXY"),
        ({"HTTPS_PROXY": " ", "https_proxy": PROXY}, BANK, "https_proxy"),
        ({"HTTPS_PROXY": PROXY, "https_proxy": PROXY}, BANK, "https_proxy"),
        ({"HTTP_PROXY": PROXY}, BANK, None),
        ({"HTTP_PROXY": PROXY}, "http://bank.test:8080", "HTTP_PROXY"),
        ({"ALL_PROXY": "socks://x:1", "HTTPS_PROXY": PROXY}, BANK, "HTTPS_PROXY"),
        ({"ALL_PROXY": PROXY}, "http://localhost:8081/bot", None),
        ({"ALL_PROXY": PROXY}, "http://127.3.2.1:8081/bot", None),
        ({"ALL_PROXY": PROXY}, "http://[::1]:8081/bot", None),
    ],
)
def test_the_variable_that_counts_is_known(
    environ: dict[str, str], url: str, name: str | None
) -> None:
    assert Proxies(environ).variable_for(url) == name


@pytest.mark.parametrize(
    ("entries", "url", "direct"),
    [
        ("*", BANK, True),
        ("ncbagroup.com", BANK, True),
        (".ncbagroup.com", BANK, True),
        ("*.ncbagroup.com", BANK, True),
        ("NCBAGROUP.COM.", BANK, True),
        ("cbagroup.com", BANK, False),
        ("other.test  ncbagroup.com", BANK, True),
        ("c2bapis.ncbagroup.com:443", BANK, True),
        ("c2bapis.ncbagroup.com:443", f"{BANK}:443", True),
        ("c2bapis.ncbagroup.com:80", BANK, False),
        ("c2bapis.ncbagroup.com:8443", f"{BANK}:443", False),
        ("https://c2bapis.ncbagroup.com", BANK, True),
        ("localhost,[::1]", BANK, False),
        ("localhost,fd00::/8", BANK, False),
        ("fd00::/8", "https://[fd12::7]", True),
        ("[fd00::]/8", "https://[fd12::7]", True),
        ("fd12::7", "https://[fd12::7]:8443", True),
        ("[fd12:0::7]", "https://[fd12::7]:8443", True),
        ("[fd12::7]:443", "https://[fd12::7]:8443", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.1.2.3/8", "https://10.9.9.9", True),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("1.2.3", "https://10.1.2.3", False),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]", True),
        ("fd00::/200,[[,:,://,", BANK, False),
    ],
)
def test_what_no_proxy_lists_is_reached_directly(entries: str, url: str, direct: bool) -> None:
    proxies = Proxies({"ALL_PROXY": PROXY, "NO_PROXY": entries})
    assert (proxies.variable_for(url) is None) == direct


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("proxy.example.com:3128", PROXY),
        (f" {PROXY}/ ", f"{PROXY}/"),
        ("HTTP://proxy.example.com:3128", PROXY),
        ("https://proxy.example.com", "https://proxy.example.com"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
    ],
)
def test_a_proxy_is_read_as_curl_reads_it(value: str, url: str) -> None:
    proxy = Proxies({"HTTPS_PROXY": value}).of(BANK)
    assert proxy is not None
    assert str(proxy.url) == url


def test_a_login_at_the_proxy_is_taken() -> None:
    proxy = Proxies({"HTTPS_PROXY": "http://desk:p%40ss@proxy.example.com:3128"}).of(BANK)
    assert proxy is not None
    assert proxy.auth == ("desk", "p@ss")


@pytest.mark.parametrize(
    "value",
    [
        "socks://127.0.0.1:1080",
        "socks5h://desk:word@127.0.0.1:1080",
        "ftp://proxy.example.com",
        "http://desk:wo@rd@proxy.example.com:3128",
        "http://desk:wo/rd@proxy.example.com:3128",
        "http://proxy.example.com:99999",
        "http://proxy.example.com:0",
        "http://proxy.example.com:port",
        "http://proxy example.com:3128",
        "http://pröxy.example.com:3128",
        "http://",
        "http://[fd00::1:3128",
        "http://desk:12/rd@proxy.example.com:3128",
        "http://proxy.example.com:3128?x#y",
        "http://.:3128",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "all_proxy"])
def test_what_is_no_proxy_is_one_line_that_names_the_variable(name: str, value: str) -> None:
    proxies = Proxies({name: value})
    with pytest.raises(ProxyFault) as caught:
        proxies.of(BANK)
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    assert "rd@" not in line
    assert list(proxies.warnings()) == [line]


def test_a_variable_that_counts_nowhere_does_no_harm_and_is_doubtful() -> None:
    proxies = Proxies({"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks://x:1", "NO_PROXY": "fd00::/200"})
    assert proxies.of(BANK) is not None
    assert [line.partition(":")[0] for line in proxies.warnings()] == ["ALL_PROXY", "NO_PROXY"]
