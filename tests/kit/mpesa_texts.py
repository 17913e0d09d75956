"""M-PESA's and gateways' messages about a payment, word for word, with their public sources.

None of these are derived from the tables that read them; they test those tables and the simulated
bank.
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
    # an integrator's callback handler, as quoted in the facts (NCBA 6)
    ("Error Occurred while sending push request", "1025", Reason.NOT_SHOWN, False),
    # osenco/osen-wc-mpesa, issue 48
    ("The operator does not exist.", "SFC_IC0003", Reason.NOT_SET_UP, False),
]

# From gateways, proxies and banks: none says that the payment will not be made.
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
    # Apigee's and AWS' gateways, as quoted in their documentation
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
    # Invented: what other gateways and core banking systems might say.
    # Duplicates.
    "Transaction reference has been used",
    "Reference number already used",
    "reqTransactionReferenceNo must be unique",
    "A transaction with this reference exists",
    "Rejected. Transaction exists",
    "Repeated transaction reference",
    "Dup. reference",
    "Transaction already posted",
    "Transaction already in the system",
    "Rejected as the request was already handled",
    # No answer, or an unknown outcome.
    "Failed to get response from core banking",
    "Could not get a response from T24",
    "Declined: response not received",
    "No confirmation from M-PESA",
    "Status undetermined",
    "Cancelled, unknown status",
    "Rejected: outcome unknown",
    "Declined by core, status undetermined",
    "Could not confirm cancelled",
    "Rejected: to be confirmed",
    "Rejected: HTTP 504",
    "Rejected, error 502",
    "An error has occurred.",
    "NullPointerException",
    "T24 is down",
    "Reference is taken",
    "Request id was seen before",
    "Response lost",
    "Network unreachable",
    "Broken pipe",
    "No route to host",
    "Core did not reply",
    "Could not determine outcome",
    "Status cannot be determined",
    "Not sure whether the payment was made",
    "May have been debited",
    "Possibly debited",
    "Probably cancelled",
    "Unclear if cancelled",
    "Cancellation failed",
    "Gateway returned 504",
    # Rate and time limits.
    "TPS exceeded",
    "Rejected: time limit exceeded",
    "Throughput limit exceeded",
    "Daily limit of API reached",
    "Limit of transactions per second exceeded",
    # A refusal that is negated.
    "Not cancelled",
    "Payment was not declined",
    "Token not invalid; payment accepted",
    # Accepted by someone, without the outcome.
    "Request accepted",
    "Success. Request accepted for processing",
    "The service request has been accepted successfully",
    "Float purchase accepted for processing",
    "Account not found, request accepted",
    "Request forwarded to MPESA",
    "Request sent to M-PESA",
    "STK push sent to customer",
    "Prompt sent to customer",
    "Waiting for customer PIN",
    "Transaction sent for authorization",
    "Transaction is processing",
    "Processing",
    "Still being posted",
    "Initiated",
    "Scheduled",
    "On hold",
    "Request acknowledged",
    "Will be credited shortly",
    "Placed in queue",
    "Posting underway",
    "Please wait",
    "Handed over to B2C",
    "Push notification sent",
]

# Invented: refusals which mean that a success beside them is not one.
DENIED = [
    "Limit exceeded",
    "Account is dormant",
    "Amount below minimum",
    "No transaction found",
    "No records found",
    "Transaction failed",
    "REVERSED",
]

# Invented: successes which mean that a refusal beside them is not one.
CLAIMED = [
    "Transaction posted successfully",
    "Transaction posted, callback failed",
    "Float credited",
    "Name not found, transaction posted",
    "Transaction successful",
    "Failed, amount debited",
]

# Refusals that were seen in public, and those of Azure's gateway as its pages quote them; the
# rest are invented. None of them says that the request may have been carried out.
CLEAR = [
    "Invalid TelephoneNo: use 254XXXXXXXXX",
    "Invalid API credentials",
    "wrong format",
    "Bad Request - Invalid PhoneNumber",
    "Access denied due to missing subscription key. Make sure to include subscription key when"
    " making requests to an API.",
    "Access denied due to invalid subscription key. Make sure to provide a valid key for an"
    " active subscription.",
    "Unauthorized. Access token is missing or invalid.",
    "The request is not permitted",
    "Insufficient funds in debit account",
    "Payment could not be processed: insufficient funds",
    "Debit account is already closed",
    "Debit account blocked",
    "Account does not exist",
    "No such transaction exists",
    "Till number not found",
    "Currency not accepted",
    "No payment was completed",
    "Transaction has not yet been fully approved",
    "Unable to get approved",
    "Your request was not accepted: invalid till",
    "Request could not be submitted",
    "The amount to be debited must be whole",
    "Amount must be between 10 and 250000",
    "Transaction limit exceeded",
    "Received an invalid value",
    "Payment processing failed: invalid till",
    "You are not logged in",
    "PayBillNo is required",
    "Forbidden",
]
