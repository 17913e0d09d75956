"""Access tokens of the simulated Daraja (facts: Daraja 1)."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from bot.simulation.daraja.gateway_errors import WRONG_CREDENTIALS, WRONG_GRANT_TYPE, GatewayError
from bot.simulation.daraja.wire_ids import WireIds
from bot.simulation.simulated_api import CallReply, CallRequest
from services.ports import Clock

TOKEN_LIFE_S = 3_599
BEARER = "Bearer "


class Tokens:
    """One is valid at a time: a new one ends the one before."""

    def __init__(self, clock: Clock, ids: WireIds, key: str, secret: str) -> None:
        self._clock = clock
        self._ids = ids
        self._basic = b"Basic " + base64.b64encode(f"{key}:{secret}".encode())
        self._valid: tuple[str, datetime] | None = None  # and until when
        self.issued: list[str] = []

    def give(self, request: CallRequest) -> CallReply | GatewayError:
        if request.headers.get(b"authorization") != self._basic:
            return WRONG_CREDENTIALS
        grant = parse_qs(request.query.decode("latin-1")).get("grant_type")
        if grant != ["client_credentials"]:
            return WRONG_GRANT_TYPE
        token = self._ids.token()
        self.issued.append(token)
        self._valid = token, self._clock.now() + timedelta(seconds=TOKEN_LIFE_S)
        body = {"access_token": token, "expires_in": str(TOKEN_LIFE_S)}
        return CallReply(200, json.dumps(body).encode())

    def admit(self, token: str) -> bool:
        if self._valid is None:
            return False
        valid, until = self._valid
        return token == valid and self._clock.now() < until

    def revoke(self) -> None:
        """Daraja forgets the token, as when another process has asked for one."""
        self._valid = None


def bearer_of(request: CallRequest) -> str | None:
    """The token sent along; ``None`` without such a header."""
    header = request.headers.get(b"authorization", b"").decode("latin-1")
    return header.removeprefix(BEARER) if header.startswith(BEARER) else None
