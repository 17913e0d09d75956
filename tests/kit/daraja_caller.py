"""Calls the simulated Daraja as a gateway would, and keeps what it posts."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bot.simulation.clock import VirtualClock
from bot.simulation.daraja.credentials import CREDENTIALS
from bot.simulation.daraja.daraja import SimulatedDaraja
from bot.simulation.daraja.payees import parse_payee
from bot.simulation.daraja.result_sender import ResultSender
from bot.simulation.daraja.security_credential import certificate_pem
from bot.simulation.faults import parse_fault
from tests.kit.virtual_time import advance

PHONE = "254712345678"
ID = "HZ7K3QF9ABCDEFGH"
BASE = "http://daraja.test"
RESULT_URL = "https://desk.example/daraja/result/secret"
TIMEOUT_URL = "https://desk.example/daraja/timeout/secret"


def security_credential(password: str = CREDENTIALS.initiator_password) -> str:
    """Encrypted with the certificate, as its page says."""
    key = x509.load_pem_x509_certificate(certificate_pem()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


def payout(**changes: object) -> dict[str, object]:
    return {
        "OriginatorConversationID": ID,
        "InitiatorName": CREDENTIALS.initiator_name,
        "SecurityCredential": security_credential(),
        "CommandID": "BusinessPayment",
        "Amount": 1500,
        "PartyA": CREDENTIALS.short_code,
        "PartyB": PHONE,
        "Remarks": "Payout HZ7K3QF9",
        "QueueTimeOutURL": TIMEOUT_URL,
        "ResultURL": RESULT_URL,
        "Occassion": "HZ7K3QF9",
    } | changes


@dataclass
class DarajaCaller:
    """``posted`` is every message that came, with its address; ``answers`` are the statuses of the
    answers to the next ones, 200 when there are none left.
    """

    clock: VirtualClock = field(default_factory=VirtualClock)
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    token: str = ""

    def __post_init__(self) -> None:
        self._tasks: list[object] = []
        sender = ResultSender(
            lambda after, leave: self.clock.call_at(self.clock.true_now() + after, leave),
            self._start,
        )
        sender.open(httpx.MockTransport(self._take))
        self.daraja = SimulatedDaraja(self.clock, random.Random(1), sender)
        self.daraja.opening(1_000_000_00)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.daraja))

    def _start(self, work: Any) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.posted.append((str(request.url), json.loads(request.content)))
        return httpx.Response(self.answers.pop(0) if self.answers else 200)

    def results(self) -> list[dict[str, Any]]:
        return [body["Result"] for url, body in self.posted if url == RESULT_URL]

    def payee(self, does: str, phone: str = PHONE) -> None:
        self.daraja.set_payee(phone, parse_payee(does))

    def arm(self, fault: str, call: str = "payout", times: int = 1) -> None:
        self.daraja.arm(parse_fault(fault), call, times)

    async def ask_token(self, **options: Any) -> httpx.Response:
        options.setdefault("auth", (CREDENTIALS.consumer_key, CREDENTIALS.consumer_secret))
        options.setdefault("params", {"grant_type": "client_credentials"})
        return await self.client.get(f"{BASE}/oauth/v1/generate", **options)

    async def log_in(self) -> None:
        self.token = (await self.ask_token()).json()["access_token"]

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return await self.client.post(
            f"{BASE}{path}", json=body, headers={"Authorization": f"Bearer {self.token}"} | headers
        )

    async def pay(self, **changes: object) -> httpx.Response:
        return await self.post("/mpesa/b2c/v3/paymentrequest", payout(**changes))

    async def paid(self, **changes: object) -> dict[str, Any]:
        """Order it, wait for the Result and return that."""
        answer = await self.pay(**changes)
        assert answer.status_code == 200, answer.text
        await self.wait(3)
        return self.results()[-1]

    async def ask_status(self, **changes: object) -> httpx.Response:
        body = {
            "Initiator": CREDENTIALS.initiator_name,
            "SecurityCredential": security_credential(),
            "CommandID": "TransactionStatusQuery",
            "OriginalConversationID": ID,
            "PartyA": CREDENTIALS.short_code,
            "IdentifierType": "4",
            "ResultURL": RESULT_URL,
            "QueueTimeOutURL": TIMEOUT_URL,
            "Remarks": "Status",
        }
        return await self.post("/mpesa/transactionstatus/v1/query", body | changes)

    async def status(self, **changes: object) -> dict[str, Any]:
        """Ask, wait for the Result and return that."""
        answer = await self.ask_status(**changes)
        assert answer.status_code == 200, answer.text
        await self.wait(3)
        return self.results()[-1]

    async def ask_balance(self, **changes: object) -> httpx.Response:
        body = {
            "Initiator": CREDENTIALS.initiator_name,
            "SecurityCredential": security_credential(),
            "CommandID": "AccountBalance",
            "PartyA": CREDENTIALS.short_code,
            "IdentifierType": "4",
            "Remarks": "Balance",
            "QueueTimeOutURL": TIMEOUT_URL,
            "ResultURL": RESULT_URL,
        }
        return await self.post("/mpesa/accountbalance/v1/query", body | changes)

    async def wait(self, seconds: float) -> None:
        await advance(self.clock, seconds)


def values(result: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a Result by key; of a key that comes twice, the last."""
    listed = result["ResultParameters"]["ResultParameter"]
    return {one["Key"]: one.get("Value") for one in listed}
