"""A third-party client of Daraja, daraja-v3. Run by tests/foreign/test_foreign_daraja_client.py:

python daraja_client.py BASE_URL KEY SECRET SHORT_CODE INITIATOR CREDENTIAL RESULT_URL

It prints one line of JSON for each thing that it was told.
"""

from __future__ import annotations

import json
import sys

from mpesa import MpesaClient
from mpesa.client import B2CResult
from mpesa.exceptions import AuthenticationError, MpesaError

PHONE = "0712345678"
TRIES = 5  # two payments in one second have the same id; a second may end between them


def say(what: str, **facts: object) -> None:
    print(json.dumps({"what": what} | facts), flush=True)


def main() -> None:
    base_url, key, secret, short_code, initiator, credential, result_url = sys.argv[1:]
    try:
        stranger = MpesaClient(key, "wrong", short_code, base_url=base_url)
        stranger.account_balance(result_url, result_url, initiator, credential)
    except AuthenticationError as refusal:
        say("no token", text=str(refusal))
    client = MpesaClient(key, secret, short_code, base_url=base_url)

    def pay(amount: int) -> B2CResult:
        return client.b2c(
            PHONE,
            amount,
            remarks="Refund",
            occasion="Order 1",
            callback_url=result_url,
            queue_timeout_url=result_url,
            initiator_name=initiator,
            security_credential=credential,
        )

    for n in range(TRIES):
        try:
            taken = pay(100 + n)
            say("taken", id=taken.originator_conversation_id, text=taken.response_description)
        except MpesaError as refusal:
            say("refused", code=refusal.code, text=str(refusal))
            break
    balance = client.account_balance(result_url, result_url, initiator, credential)
    say("asked", text=balance["ResponseDescription"])


main()
