"""Unguessable secrets, stored only as digests: for invitations and API keys."""

from __future__ import annotations

import base64
import hashlib

from services.domain.ids import RandomSource

# As 43 characters of A-Z a-z 0-9 _ -: fits a start payload (facts: channels, Telegram)
TOKEN_BYTES = 32


def draw_token(random: RandomSource) -> str:
    """43 random characters."""
    raw = random.randrange(256**TOKEN_BYTES).to_bytes(TOKEN_BYTES, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token_digest(token: str) -> str:
    """Plain SHA-256 suffices, since the token is random and not chosen by anybody."""
    return hashlib.sha256(token.encode()).hexdigest()
