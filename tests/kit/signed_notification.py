"""NCBA's notifications as the bank signs them, and how our code reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from services.domain.payment import BankNotification
from services.gateways.ncba.notification_body import (
    REQUEST,
    NotifyCredentials,
)
from services.gateways.ncba.payment_notification import notification_hash, read_notification

CREDENTIALS = NotifyCredentials(
    username="invented-user",
    password="invented-password",
    secret_key="invented-key",
    paybill_no="880100",
    account_number="774451",
)
PHONE = "254712345678"

SAID = {
    "TransType": "Pay Bill",
    "TransID": "UF4OR6RP9Q",
    "FTRef": "FT1",
    "TransTime": "20260302090000",
    "TransAmount": "1500.0",
    "BusinessShortCode": "880100",
    "BillRefNumber": "774451#TU7K3QF9",
    "Narrative": "Paybill payment",
    "Mobile": PHONE,
    "name": "Asha Example",
}
OTHER_LAYOUT = {
    "BillRefNumber": "AccountNr",
    "Mobile": "PhoneNr",
    "name": "CustomerName",
    "Username": "User",
    "Hash": "HashVal",
}


def signed(fields: Mapping[str, str], credit: str = "880100") -> dict[str, str]:
    account = fields.get("BillRefNumber", fields.get("AccountNr", ""))
    hashed = notification_hash(CREDENTIALS.secret_key, fields, credit, account)
    return {
        **fields,
        "Username": CREDENTIALS.username,
        "Password": CREDENTIALS.password,
        "Hash": hashed,
    }


def read(fields: object) -> BankNotification:
    body = json.dumps(fields).encode()
    return read_notification(body, xml=False, credentials=CREDENTIALS)


def read_xml(fields: Mapping[str, str], before: str = "") -> BankNotification:
    inner = "".join(f"<n:{name}>{value}</n:{name}>" for name, value in fields.items())
    body = (
        f'{before}<e:Envelope xmlns:e="urn:e" xmlns:n="urn:n"><e:Body><n:{REQUEST}>{inner}'
        f"</n:{REQUEST}></e:Body></e:Envelope>"
    )
    return read_notification(body.encode(), xml=True, credentials=CREDENTIALS)
