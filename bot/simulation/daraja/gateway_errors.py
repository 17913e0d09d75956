"""Refusals of the gateway in front of M-PESA: codes, texts and statuses (facts: Daraja 1 and 2)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.simulation.simulated_api import CallReply


@dataclass(frozen=True, slots=True)
class GatewayError:
    status: int
    code: str
    message: str

    def reply(self, request_id: str) -> CallReply:
        body = {"requestId": request_id, "errorCode": self.code, "errorMessage": self.message}
        return CallReply(self.status, json.dumps(body).encode())


WRONG_CREDENTIALS = GatewayError(400, "400.008.01", "Invalid Authentication passed")
WRONG_GRANT_TYPE = GatewayError(400, "400.008.02", "Invalid grant type passed")
WRONG_HEADER = GatewayError(404, "404.001.04", "Invalid Authentication Header")
WRONG_METHOD = GatewayError(405, "405.001", "Method Not Allowed")
NOT_FOUND = GatewayError(404, "404.002.01", "Resource not found")
WRONG_BODY = GatewayError(400, "400.002.05", "Invalid Request Payload")
INTERNAL = GatewayError(500, "500.003.1001", "Internal Server Error")
UNREACHABLE = GatewayError(
    503, "500.003.1001", "Service is currently unreachable. Please try again later."
)
SPIKE_ARREST = GatewayError(500, "500.003.02", "Error Occurred: Spike Arrest Violation")
QUOTA = GatewayError(500, "500.003.03", "Quota Violation")
# One code with two meanings: only the text tells them apart.
DUPLICATE = GatewayError(500, "500.002.1001", "Duplicate OriginatorConversationID.")
SYSTEM_ERROR = GatewayError(500, "500.002.1001", "System internal error.")

_BY_STATUS = {error.status: error for error in (WRONG_METHOD, NOT_FOUND, INTERNAL, UNREACHABLE)}


def wrong_field(name: str) -> GatewayError:
    return GatewayError(400, "400.002.02", f"Bad Request - Invalid {name}")


def wrong_token(call: str, token: str) -> GatewayError:
    """Each API has its own words for it, and one of them repeats the token."""
    if call == "payout":
        return GatewayError(404, "404.001.03", "Invalid Access Token")
    if call == "payout-status":
        return GatewayError(400, "400.003.01", "Invalid Access Token")
    return unauthorised(token)


def unauthorised(token: str) -> GatewayError:
    return GatewayError(401, "401.002.01", f"Error Occurred - Invalid Access Token - {token}")


def refused(call: str, reason: str) -> GatewayError:
    """A refusal in any words."""
    if call == "payout-token":
        return GatewayError(400, "400.008.01", reason)
    return GatewayError(400, "400.002.02", reason)


def with_status(status: int, token: str) -> GatewayError:
    """What usually comes with an HTTP status; invented for one that the facts do not have."""
    if status == 401:
        return unauthorised(token)
    if status == 429:
        return GatewayError(429, SPIKE_ARREST.code, SPIKE_ARREST.message)
    if status == 400:
        return refused("", "Bad Request")
    return _BY_STATUS.get(status) or GatewayError(status, f"{status}.003.01", "Error Occurred")
