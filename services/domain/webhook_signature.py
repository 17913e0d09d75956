"""Signs what is sent to partners, by Standard Webhooks 1.0 (facts: HTTP API 7)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from services.domain.ids import RandomSource

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32  # the standard takes 24 to 64
USER_AGENT = "Hazina-Webhooks/1"


def draw_secret(random: RandomSource) -> str:
    """``whsec_`` and 32 random bytes in base64."""
    raw = random.randrange(256**SECRET_BYTES).to_bytes(SECRET_BYTES, "big")
    return SECRET_PREFIX + base64.b64encode(raw).decode()


def signature(secret: str, webhook_id: str, at: int, body: bytes) -> str:
    """``at`` is the moment of the try in seconds since 1970. Raises ``ValueError`` for what is no
    secret; its message does not repeat it."""
    try:
        if not secret.startswith(SECRET_PREFIX):
            raise ValueError
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("not a webhook secret") from None
    signed = b".".join((webhook_id.encode(), str(at).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def signed_headers(
    secret: str, webhook_id: str, moment: datetime, body: bytes
) -> Mapping[str, str]:
    """All headers of one try, but for what HTTP itself adds. Raises as ``signature`` does."""
    at = int(moment.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secret, webhook_id, at, body),
    }
