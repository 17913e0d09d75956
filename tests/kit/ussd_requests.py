"""What Africa's Talking posts, with the fields of its captured requests (facts: USSD 1 and 3)."""

from __future__ import annotations

from urllib.parse import urlencode

CODE = "*384*7#"
PHONE = "254700000001"
SESSION = "ATUid_0123456789abcdef0123456789abcdef"
HOP = {
    "sessionId": SESSION,
    "phoneNumber": f"+{PHONE}",
    "networkCode": "63902",
    "serviceCode": CODE,
    "text": "",
}
EVENT = {
    "date": "2026-11-29 09:15:00",
    "sessionId": SESSION,
    "serviceCode": CODE,
    "networkCode": "63902",
    "phoneNumber": f"+{PHONE}",
    "status": "Success",
    "cost": "KES 0.10",
    "durationInMillis": "41250",
    "hopsCount": "4",
    "hopsMetadata": "menu|amount|confirm",
    "input": "2*500*482913",
    "lastAppResponse": "END Bought with 482913",
}


def body(fields: dict[str, str], **changes: str | None) -> bytes:
    """The form; a change to ``None`` leaves a field out."""
    changed = {**fields, **changes}
    return urlencode({name: value for name, value in changed.items() if value is not None}).encode()
