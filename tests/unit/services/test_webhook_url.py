"""No spelling of an address leads events into our own network."""

from __future__ import annotations

import ipaddress

import pytest

from services.domain.refusal import Refusal
from services.domain.webhook_url import check_url, is_public, shown_url, split_checked

LONG = "https://duka.co.ke/" + "x" * 2_048


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://hooks.duka.co.ke/in", "https://hooks.duka.co.ke/in"),
        ("HTTPS://Hooks.Duka.co.ke", "https://hooks.duka.co.ke/"),
        ("https://duka.co.ke:443/a?b=c", "https://duka.co.ke/a?b=c"),
        ("https://duka.co.ke:8443?b=c", "https://duka.co.ke:8443/?b=c"),
        ("https://bücher.de/", "https://xn--bcher-kva.de/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700:0::1111]:8443/", "https://[2606:4700::1111]:8443/"),
        ("https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::808:808]/"),
        ("https://duka.co.ke/a@b:80/", "https://duka.co.ke/a@b:80/"),
    ],
)
def test_a_public_address_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert check_url(typed) == stored
    assert check_url(stored) == stored


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "a.localhost", "printer.local", "db.internal", "wallet"),
        *("10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1"),
        *("0.0.0.0", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("168.63.129.16", "192.0.2.1"),
        *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0", "8.8.8.08"),
        *("1.2.3.4.5", "256.1.1.1", "duka.0x1", "duka.1", "%31%32%37.0.0.1"),
        *("[::1]", "[::]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25eth0]"),
        *("[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[2002:7f00:1::]"),
        *("[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[2001::1]", "[2001:db8::1]", "[ff02::1]"),
        *("1.0.0.127.in-addr.arpa", "router.home.arpa"),
    ],
)
def test_what_is_not_public_is_refused(host: str) -> None:
    assert check_url(f"https://{host}/") == Refusal.of("webhook_url", why="private")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("http://duka.co.ke/", "https"),
        ("duka.co.ke", "https"),
        ("ftp://duka.co.ke/", "https"),
        (" https://duka.co.ke/", "https"),
        ("ｈttps://duka.co.ke/", "https"),
        ("https://duka.co.ke:80/", "port"),
        ("https://duka.co.ke:22/", "port"),
        ("https://duka.co.ke:65536/", "port"),
        (LONG, "long"),
        ("https://", "form"),
        ("https:///path", "form"),
        ("https://user@duka.co.ke/", "form"),
        ("https://duka.co.ke:443@10.0.0.1/", "form"),
        ("https://duka.co.ke\\@10.0.0.1/", "form"),
        ("https://duka.co.ke/#part", "form"),
        ("https://duka.co.ke#@10.0.0.1/", "form"),
        ("https://duka.co.ke:/", "form"),
        ("https://duka.co.ke:443:443/", "form"),
        ("https://duka.co.ke./", "form"),
        ("https://127.0.0.1./", "form"),
        ("https://.duka.co.ke/", "form"),
        ("https://duka..co.ke/", "form"),
        ("https://duka.co.ke/\r\nHost: x", "form"),
        ("https://du\tka.co.ke/", "form"),
        ("https://duka.co.ke/\x00", "form"),
        ("https://duka.co.ke/a b", "form"),
        ("https://duka.co.ke/ä", "form"),
        ("https://１２７.0.0.1/", "form"),
        ("https://127。0。0。1/", "form"),
        ("https://ⓛocalhost.ke/", "form"),
        ("https://faß.de/", "form"),  # DNS of one age has fass.de, of another xn--fa-hia.de
        ("https://[::1/", "form"),
        ("https://[1.2.3.4]/", "form"),
        (f"https://{'a' * 64}.ke/", "form"),
        (f"https://{'a.' * 127}ke/", "form"),
    ],
)
def test_what_is_no_plain_https_url_is_refused(typed: str, why: str) -> None:
    assert check_url(typed) == Refusal.of("webhook_url", why=why)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://duka.co.ke/", ("duka.co.ke", 443, "/")),
        ("https://duka.co.ke:8443/a?b=c/d:1", ("duka.co.ke", 8443, "/a?b=c/d:1")),
        ("https://[2606:4700::1]/", ("2606:4700::1", 443, "/")),
        ("https://[2606:4700::1]:8443/a", ("2606:4700::1", 8443, "/a")),
    ],
)
def test_a_checked_url_is_split(url: str, parts: tuple[str, int, str]) -> None:
    assert split_checked(url) == parts


def test_every_address_of_a_range_that_is_not_public_is_known() -> None:
    for network in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "fc00::/7", "fe80::/10"):
        block = ipaddress.ip_network(network)
        assert not is_public(block[0])
        assert not is_public(block[-1])
    assert is_public(ipaddress.ip_address("100.128.0.0"))
    assert is_public(ipaddress.ip_address("172.32.0.0"))


def test_people_are_shown_no_token() -> None:
    assert shown_url("https://duka.co.ke/in?token=x") == "duka.co.ke/in"
