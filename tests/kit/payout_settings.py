"""The environment of a desk that pays customers. All of it is invented."""

from __future__ import annotations

SECRET = "only-for-this-test_0123456789abcdef"
PASSWORD = "Simulated#2026$"
SEALED = "Ab+/" * 86
FLOAT = {
    "OPENBANKING_BASE_URL": "http://127.0.0.1:1",
    "OPENBANKING_SUBSCRIPTION_KEY": SECRET,
    "OPENBANKING_USER_ID": "hazina",
    "OPENBANKING_PASSWORD": SECRET,
    "B2C_SHORT_CODE": "400187",
    "AFRICAS_TALKING_USERNAME": "hazina",
    "AFRICAS_TALKING_API_KEY": SECRET,
}
DARAJA = {
    "DARAJA_BASE_URL": "http://127.0.0.1:1",
    "DARAJA_CONSUMER_KEY": SECRET,
    "DARAJA_CONSUMER_SECRET": SECRET,
    "DARAJA_INITIATOR_NAME": "hazinaapi",
    "DARAJA_CALLBACK_URL": "https://desk.example",
    "DARAJA_CALLBACK_SECRET": SECRET,
}
WITH_CREDENTIAL = FLOAT | DARAJA | {"DARAJA_SECURITY_CREDENTIAL": SEALED}
DESK = {
    "TELEGRAM_BOT_TOKEN": "123456:only-for-this-test",
    "TELEGRAM_BASE_URL": "http://127.0.0.1:1/bot",
    "NCBA_BASE_URL": "http://127.0.0.1:1",
    "NCBA_USERNAME": "hazina",
    "NCBA_PASSWORD": SECRET,
    "NCBA_ACCOUNT_NUMBER": "774451",
}
WITH_PASSWORD = {
    **DESK,
    **FLOAT,
    **DARAJA,
    "DARAJA_INITIATOR_PASSWORD": PASSWORD,
    "DARAJA_CERTIFICATE": "mpesa.cer",
}
