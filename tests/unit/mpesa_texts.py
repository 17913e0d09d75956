"""What M-PESA and gateways say of a payment, word for word, and who quoted it in public.

Nothing here is made from the tables that read it: they and the simulated bank are tried against it.
"""

from __future__ import annotations

from services.domain.mpesa import Reason

# Text, M-PESA's code for it, the reason and whether it is final (facts: M-PESA, Outcomes).
OUTCOMES = [
    # martinmogusu/django-daraja, tests/test_parse_result.py
    ("[MpesaCB - ]The initiator information is invalid.", "2001", Reason.WRONG_PIN, True),
    ("[STK_CB - ]Request cancelled by user", "1032", Reason.CANCELLED, True),
    (
        "[MpesaCB - ]The balance is insufficient for the transaction.",
        "1",
        Reason.INSUFFICIENT,
        True,
    ),
    ("[STK_CB - ]DS timeout.", "1037", Reason.UNREACHABLE, False),
    # safaricom/LNMOnlineAndroidSample, issue 29
    ("[STK_CB - ]SMSC ACK timeout.", "1036", Reason.UNREACHABLE, False),
    # safaricom/mpesa-node-library, issue 13
    ("The initiator information is invalid.", "2001", Reason.WRONG_PIN, True),
    # Deval123/nkap, docs/providers/m-pesa.md
    ("No response from user.", "1037", Reason.UNREACHABLE, False),
    ("DS timeout user cannot be reached.", "1037", Reason.UNREACHABLE, False),
    ("DS timeout user cannot be reached", "1037", Reason.UNREACHABLE, False),
    # daraja-mock 1.0.5
    ("Request cancelled by user.", "1032", Reason.CANCELLED, True),
    ("Request Cancelled by user.", "1032", Reason.CANCELLED, True),
    ("The balance is insufficient for the transaction", "1", Reason.INSUFFICIENT, True),
    ("Transaction has expired", "1019", Reason.EXPIRED, False),
    (
        "Declined due to limit rule: less than the minimum transaction amount.",
        "2",
        Reason.BELOW_MINIMUM,
        True,
    ),
    (
        "Declined due to limit rule: greater than the maximum transaction amount.",
        "3",
        Reason.ABOVE_MAXIMUM,
        True,
    ),
    (
        "Declined due to limit rule: would exceed daily transfer limit.",
        "4",
        Reason.DAILY_LIMIT,
        True,
    ),
    (
        "Declined due to limit rule: would exceed the maximum balance.",
        "8",
        Reason.RECEIVER_LIMIT,
        True,
    ),
    ("The security credential is locked.", "8006", Reason.PIN_LOCKED, True),
    (
        "The request is not permitted according to product assignment.",
        "2028",
        Reason.NOT_SET_UP,
        False,
    ),
    # Flutterwave's page of common mobile money errors
    (
        "[MpesaCB - ]Declined due to limit rule: would exceed the daily transfer limit.",
        "4",
        Reason.DAILY_LIMIT,
        True,
    ),
    ("[Controller - ]Activity timed out", "1019", Reason.EXPIRED, False),
    # api-evangelist/mpesa, errors/mpesa-result-codes.yml
    (
        "Unable to lock subscriber, a transaction is already in process for the current subscriber",
        "1001",
        Reason.OTHER_SESSION,
        False,
    ),
    ("Rule limited.", "17", Reason.SAME_AMOUNT_SOON, True),
    # kenzobe.com and paylod.dev, pages of Daraja's errors
    ("An error occurred while sending a push request", "1025", Reason.NOT_SHOWN, False),
    # an integrator's callback handler, as the facts have it (NCBA 6)
    ("Error Occurred while sending push request", "1025", Reason.NOT_SHOWN, False),
    # osenco/osen-wc-mpesa, issue 48
    ("The operator does not exist.", "SFC_IC0003", Reason.NOT_SET_UP, False),
]

# Of gateways, proxies and banks: none says that the payment will not be made.
DOUBTFUL = [
    # facts: NCBA 1, seen while the payer types
    "The transaction is still under processing",
    "System internal error.",
    "Error occurred while processing query",
    # neshoj/safaricom-daraja-nodejs, issue 5; osenco/osen-wc-mpesa, issue 73
    "Invalid remote response",
    "Transaction unsuccessful",
    # blnkfinance/blnk, issue 374; juspay/hyperswitch, issue 5282
    "Duplicate transaction reference",
    "DUPLICATE | FTC2611290001",
    "Duplicate request",
    "Transaction is being processed",
    # Apigee's and AWS' gateways, as their pages quote themselves
    "Rate limit quota violation. Quota limit exceeded.",
    "API rate limit exceeded",
    "Too Many Requests",
    "Request rejected: too many queries",
    "Limit of concurrent requests reached",
    "Spike arrest violation. Allowed rate : 5ps",
    "Upstream request timeout",
    "No response from core banking",
    "Host did not respond",
    "Endpoint request timed out",
    "GATEWAY_TIMEOUT",
    "504 Gateway Time-out",
    "java.net.SocketTimeoutException: Read timed out",
    "ESOCKETTIMEDOUT",
    "Internal server error",
    "InternalServerError",
    "The record is locked by another transaction",
    "Service temporarily unavailable. Please try again later",
    "An unexpected error occurred, kindly retry",
    "Connection reset by peer",
]
