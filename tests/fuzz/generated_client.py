"""A top-up, float and the feed, by a client that was generated from the API's document.

Run with the generated package's folder, the address and a key; the packages are .venv-fuzz's.
The world around the product (handset, SMS, clock) is told by plain requests.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from typing import Any

sys.path.insert(0, sys.argv[1])
URL, KEY = sys.argv[2:4]

from hazina_client import AuthenticatedClient  # noqa: E402
from hazina_client.api.float_ import buy_float  # noqa: E402
from hazina_client.api.one_time_codes import generate_code  # noqa: E402
from hazina_client.api.operations import get_operation, list_transactions  # noqa: E402
from hazina_client.api.top_ups import start_topup  # noqa: E402
from hazina_client.api.webhooks import list_events  # noqa: E402
from hazina_client.models import CodeRequest, FloatRequest, TopUpRequest  # noqa: E402

PHONE = "254712345678"


def world(path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main() -> None:
    client = AuthenticatedClient(base_url=URL, token=KEY, raise_on_unexpected_status=True)

    world("/sim/handset", {"phone": PHONE, "does": "pays"})
    begun = start_topup.sync(
        client=client,
        body=TopUpRequest.from_dict({"amount": "1500.00", "phone_number": "0712345678"}),
        idempotency_key="generated-client-topup-1",
    )
    world("/sim/advance", {"seconds": 10})
    paid = get_operation.sync(begun.reference, client=client, wait=5, version=1)
    assert (paid.status, paid.wallet_change) == ("paid", "1500.00"), paid

    asked = generate_code.sync(
        client=client,
        body=CodeRequest.from_dict({"purpose": "float_purchase", "amount": 5000}),
    )
    texts = world(f"/sim/sms?phone={PHONE}")["unread"]
    code = re.search(r"Code (\d{6})", texts[-1])
    assert code is not None, texts
    bought = buy_float.sync(
        client=client,
        body=FloatRequest.from_dict(
            {"amount": 5000, "otp_reference": asked.reference, "otp_code": code[1]}
        ),
        idempotency_key="generated-client-float-1",
    )
    done = get_operation.sync(bought.reference, client=client, wait=20)
    assert done.status == "succeeded", done

    told = [(event.type_, event.data.reference) for event in list_events.sync(client=client).data]
    assert told[:2] == [("topup.pending", begun.reference), ("topup.paid", begun.reference)], told
    assert told[-1] == ("float.succeeded", bought.reference), told
    page = list_transactions.sync(client=client, limit=1)
    assert page.data[0].reference == bought.reference
    assert page.next_cursor
    print("a generated client works")


main()
