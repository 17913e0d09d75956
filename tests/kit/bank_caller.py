"""Calls the simulated bank as a gateway would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank

PHONE = "254712345678"
BASE = "http://bank.test/payments/api/v1"
OPEN_BANKING = "http://bank.test/openbanking/api/v1"
FLOAT = {
    "reqAgentName": "Hazina",
    "reqCreditAmount": "5000",
    "reqCustomerReference": "FL7K3QF9",
    "reqDealReference": "FL7K3QF9",
    "reqDebitAccountNumber": "1007745101",
    "reqDebitAcCurrency": "KES",
    "reqDebitAmount": "5000",
    "reqMobileNumber": PHONE,
    "reqPayBillTillNo": "600100",
    "reqPaymentDescription": "B2C float FL7K3QF9",
    "reqPaymentType": "FloatPurchase",
    "reqToAccountName": "Hazina",
    "reqTransactionReferenceNo": "FL7K3QF9",
    "reqTxnDate": "20260302",
    "senderCountry": "Kenya",
}


@dataclass
class Caller:
    bank: SimulatedBank
    clock: VirtualClock
    client: httpx.AsyncClient
    token: str = ""
    float_token: str = ""

    async def ask_token(self, **options: Any) -> httpx.Response:
        options.setdefault("auth", ("hazina", "simulated"))
        return await self.client.get(f"{BASE}/auth/token", **options)

    async def initiate(self, **changes: object) -> httpx.Response:
        body = {
            "TelephoneNo": PHONE,
            "Amount": "100",
            "PayBillNo": "880100",
            "AccountNo": "774451#TU7K3QF9",
            "Network": "Safaricom",
            "TransactionType": "CustomerPayBillOnline",
        } | changes
        return await self.post("initiate", body)

    async def prompt(self, **changes: object) -> str:
        return str((await self.initiate(**changes)).json()["TransactionID"])

    async def query(self, transaction_id: str) -> dict[str, str]:
        answer = await self.post("query", {"TransactionID": transaction_id})
        assert answer.status_code == 200
        fields: dict[str, str] = answer.json()
        return fields

    async def post(self, call: str, body: object) -> httpx.Response:
        return await self.client.post(
            f"{BASE}/stk-push/{call}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
        )

    async def ask_float_token(self, **changes: str) -> httpx.Response:
        body = {"userID": "hazina-float", "password": "simulated"} | changes
        return await self.open_banking("Auth/generate-token", body)

    async def refresh(self) -> None:
        self.float_token = (await self.ask_float_token()).json()["accessToken"]

    async def buy(self, **changes: object) -> httpx.Response:
        return await self.open_banking("FloatPurchase/floatpurchase", FLOAT | changes)

    async def status(self, reference: str = "FL7K3QF9") -> httpx.Response:
        body = {"country": "Kenya", "transactionId": reference}
        return await self.open_banking("TransactionStatusQuery/transactionstatusquery", body)

    async def open_banking(
        self, path: str, body: object, *, key: str = "simulated-key"
    ) -> httpx.Response:
        return await self.client.post(
            f"{OPEN_BANKING}/{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {self.float_token}",
                "Ocp-Apim-Subscription-Key": key,
            },
        )
