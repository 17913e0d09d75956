"""Which requests come from a page of our own."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from bot.http.web.origin import is_from_own_page, is_loopback_host

OWN = "https://desk.example"


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": named})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": OWN},
        {"origin": "https://DESK.example", "sec_fetch_site": "same-origin"},
        {"origin": "null", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_what_our_own_pages_and_programs_send(headers: dict[str, str]) -> None:
    assert is_from_own_page(request(**headers), OWN)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://desk.example"},
        {"origin": OWN, "sec_fetch_site": "cross-site"},
        {"origin": "null"},  # as a sandboxed frame says
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"origin": "null", "sec_fetch_site": "same-site"},
        {"origin": "null", "sec_fetch_site": "none"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_what_other_sites_make_a_browser_send(headers: dict[str, str]) -> None:
    assert not is_from_own_page(request(**headers), OWN)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:1", "LOCALHOST"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host", ["desk.example", "127.0.0.1.desk.example", "localhost.", "", "[::1"]
)
def test_names_that_may_lead_here_all_the_same(host: str) -> None:
    assert not is_loopback_host(host)
