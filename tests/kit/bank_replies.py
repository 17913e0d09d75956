"""A bank's answers as its gateway reads them, and the codes that decide how they are read."""

from __future__ import annotations

import json

from services.gateways.http_exchange import Reply
from services.gateways.openbanking.credentials import OpenBankingCredentials

CREDENTIALS = OpenBankingCredentials(
    base_url="http://bank.test",
    subscription_key="invented",
    user_id="hazina",
    password="invented",
    debit_account="1007745101",
    agent_name="Hazina",
    refusal_codes=frozenset({"051"}),
    failed_codes=frozenset({"404"}),
)


def reply(http: int, /, **fields: object) -> Reply:
    return Reply(http, json.dumps(fields).encode())


def refused(words: str, **more: object) -> Reply:
    fields = {"TransactionID": None, "StatusCode": "1", "ReferenceID": None}
    return reply(200, StatusDescription=words, **fields, **more)
