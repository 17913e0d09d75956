"""Secrets that nobody guesses, kept only as digests: invitations and API keys."""

from __future__ import annotations

import base64
import hashlib

from services.domain.ids import RandomSource

TOKEN_BYTES = 32  # as 43 of A-Z a-z 0-9 _ -: fits a start payload (facts: channels, Telegram)


def draw_token(random: RandomSource) -> str:
    """43 characters that nobody guesses."""
    raw = random.randrange(256**TOKEN_BYTES).to_bytes(TOKEN_BYTES, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token_digest(token: str) -> str:
    """SHA-256, which is enough: what it digests is drawn, and not chosen by anybody."""
    return hashlib.sha256(token.encode()).hexdigest()
