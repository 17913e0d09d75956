"""An address with several spellings compares as one address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from bot.environment.ip_addresses import (
    parse_ip_address,
    parse_ip_network,
    parse_ip_networks,
    spellings,
)

BANK = "196.201.214.200"


@pytest.mark.parametrize(
    "text",
    [
        BANK,
        f" {BANK} ",
        f"{BANK}:443",
        f"::ffff:{BANK}",
        "::FFFF:c4c9:d6c8",
        "0:0:0:0:0:ffff:c4c9:d6c8",
        f"[::ffff:{BANK}]",
        f"[::ffff:{BANK}]:443",
        f"::ffff:{BANK}%eth0",
    ],
)
def test_an_ipv4_address_is_the_same_however_it_is_written(text: str) -> None:
    assert parse_ip_address(text) == ip_address(BANK)


@pytest.mark.parametrize("text", ["fe80::1", "fe80::1%eth0", "[fe80::1%25eth0]:80", "FE80:0::0:1"])
def test_a_zone_is_no_part_of_an_address(text: str) -> None:
    assert parse_ip_address(text) == ip_address("fe80::1")


@pytest.mark.parametrize(
    "text",
    [
        *("", "a socket", "/run/desk.sock", "localhost", "unknown", "_hidden"),
        *("196.201.214", "196.201.214.0200", "196.201.214.200:https", "[fe80::1", "::1]"),
        "1" * 100_000,
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_ip_address(text) is None


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_network_of_mapped_addresses_is_one_of_ipv4(text: str, network: str) -> None:
    assert parse_ip_network(text) == ip_network(network)


@pytest.mark.parametrize("text", ["192.0.2.7/24", "s3cret", "192.0.2.0/33", "a/b"])
def test_what_is_no_network_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="an address or a network") as refused:
        parse_ip_networks(f"192.0.2.1, {text}")
    assert text not in str(refused.value)


def test_a_star_is_everywhere() -> None:
    assert [str(one) for one in parse_ip_networks("192.0.2.1,*")] == ["0.0.0.0/0", "::/0"]
    assert parse_ip_networks(" ,") == ()


def test_a_network_is_spelled_for_who_knows_no_mapped_addresses() -> None:
    plain, mapped = spellings(ip_network("192.0.2.0/24"))
    assert ip_address("192.0.2.9") in ip_network(plain)
    assert ip_address("::ffff:192.0.2.9") in ip_network(mapped)
    assert ip_address("::ffff:192.0.3.9") not in ip_network(mapped)
    assert spellings(ip_network("2001:db8::/32")) == ("2001:db8::/32",)
