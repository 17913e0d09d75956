"""A receiver that follows Standard Webhooks accepts what we sign, and nothing else."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.domain.partner_event import PartnerEvent
from services.domain.webhook_signature import draw_secret, signature, signed_headers

SECRET = draw_secret(random.Random(1))
EVENT = PartnerEvent(
    "DUKA",
    7,
    "topup.paid",
    "TU-222222",
    2,
    '{"note":"Kahawa \\u2615"}',
    None,
    None,
    datetime.now(UTC),
)


def headers(at: datetime, body: bytes) -> dict[str, str]:
    return dict(signed_headers(SECRET, EVENT.id, at, body))


def test_the_standards_own_verifier_takes_it() -> None:
    body = EVENT.body()
    read = Webhook(SECRET).verify(body, headers(datetime.now(UTC), body))
    assert read["id"] == "ev_DUKA_7"
    assert read["data"] == {"note": "Kahawa ☕"}


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_no_signed_part_can_be_changed(changed: str) -> None:
    body = EVENT.body()
    signed = headers(datetime.now(UTC), body)
    signed[changed] = {
        "webhook-id": "ev_DUKA_8",
        "webhook-timestamp": str(int(signed["webhook-timestamp"]) + 1),
        "webhook-signature": signature(draw_secret(random.Random(2)), EVENT.id, 0, body),
    }[changed]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, signed)


def test_an_old_one_cannot_be_sent_again_by_others() -> None:
    body = EVENT.body()
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers(datetime.now(UTC) - timedelta(minutes=6), body))


def test_a_secret_is_32_random_bytes() -> None:
    one, other = draw_secret(random.Random(3)), draw_secret(random.Random(4))
    assert one != other
    assert one.startswith("whsec_")
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize("secret", ["", "whsec_not base64!", "sk_1234"])
def test_a_broken_secret_is_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^not a webhook secret$"):
        signature(secret, "ev_DUKA_1", 0, b"{}")
