"""Events go to the address that was checked, and never into a private network."""

from __future__ import annotations

import pytest

from services.domain.webhook import NotTaken, Taken
from tests.integration.services.webhooks.conftest import Desk
from tests.kit.receiver import NAME, OTHER_PUBLIC, PUBLIC, Network, response

NOT_PUBLIC = NotTaken(None, "the name leads to an address that is not public")
NOT_CALLED = NotTaken(None, "the address may not be called")
PRIVATE = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"]


@pytest.mark.parametrize("address", [*PRIVATE, "fe80::1%eth0", "64:ff9b::a00:1", "no address"])
async def test_a_name_with_a_private_address_is_not_called(desk: Desk, address: str) -> None:
    desk.resolves([address])
    assert await desk.post() == NOT_PUBLIC
    assert desk.network.connects == []


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("private_first", [True, False])
async def test_one_private_address_among_public_ones_is_enough(
    desk: Desk, address: str, private_first: bool
) -> None:
    desk.resolves([address, PUBLIC] if private_first else [PUBLIC, OTHER_PUBLIC, address])
    assert await desk.post() == NOT_PUBLIC
    assert desk.network.connects == []


async def test_an_answer_that_changes_after_the_check_does_not_matter(desk: Desk) -> None:
    desk.resolves([PUBLIC], ["127.0.0.1"])
    assert await desk.post() == Taken(200)
    assert desk.names.asked == [NAME]  # once, and the connection goes to what was answered then
    assert desk.network.connects == [(PUBLIC, 443)]


async def test_it_is_checked_again_at_each_delivery(desk: Desk) -> None:
    desk.resolves([PUBLIC], ["10.0.0.1"])
    assert await desk.post() == Taken(200)
    assert await desk.post() == NOT_PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.duka.co.ke/in",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://hooks.duka.co.ke:8080/",
        "https://hooks.duka.co.ke",  # not in the form that is stored
    ],
)
async def test_a_url_that_would_not_be_stored_is_not_called(desk: Desk, url: str) -> None:
    assert await desk.post(url) == NOT_CALLED
    assert desk.names.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(desk: Desk, status: int) -> None:
    desk.receiver.answers = [response(status, "location: https://169.254.169.254/latest")]
    assert await desk.post() == NotTaken(status, f"HTTP {status}")
    assert len(desk.receiver.requests) == 1


async def test_a_public_address_needs_no_name(desk: Desk) -> None:
    # It is reached, and refused for its certificate, which is for a name.
    answer = await desk.post(f"https://{PUBLIC}:8443/in")
    assert answer == NotTaken(None, "its certificate is not valid")
    assert desk.network.connects == [(PUBLIC, 8443)]


async def test_the_next_address_is_tried_when_nothing_listens_at_the_first(desk: Desk) -> None:
    desk.resolves([OTHER_PUBLIC, PUBLIC])
    desk.network = Network(desk.receiver, broken=[OTHER_PUBLIC])
    assert await desk.post() == Taken(200)
    assert desk.network.connects == [(OTHER_PUBLIC, 443), (PUBLIC, 443)]
