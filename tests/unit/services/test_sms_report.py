"""Delivery reports as Africa's Talking posts them (facts: channels, Africa's Talking SMS)."""

from __future__ import annotations

import pytest

from services.domain.message import DeliveryReport
from services.gateways.sms.delivery_report import read_report

MESSAGE_ID = "ATXid_8f3a2c"
PHONE = "+254712345678"


def form(status: str, **fields: str) -> dict[str, str]:
    return {
        "id": MESSAGE_ID,
        "status": status,
        "phoneNumber": PHONE,
        "networkCode": "63902",
        "retryCount": "0",
    } | fields


@pytest.mark.parametrize(
    ("status", "delivered"),
    [
        ("Success", True),
        ("SuccessDelivered", True),
        ("Failed", False),
        ("FailedDelivery", False),
        ("Rejected", False),
        ("RejectedByNetwork", False),
        ("Sent", None),
        ("Submitted", None),
        ("Buffered", None),
        ("NotSuccess", None),
        ("Queued", None),
        ("Accepted", None),
        ("Expired", False),
        ("EXPIRED", False),
        ("AbsentSubscriber", False),
        ("Absent Subscriber", False),
        ("absent_subscriber", False),
        ("Undeliverable", False),
        ("UnDelivered", False),
        ("Blacklisted", False),
        ("UserInBlackList", False),
        ("DeliveryFailure", False),
        ("InvalidPhoneNumber", False),
        ("NotNetworkSubcriber", False),
        ("failed", False),
        ("success", None),
    ],
)
def test_only_what_surely_ends_a_message_is_final(status: str, delivered: bool | None) -> None:
    assert read_report(form(status)) == DeliveryReport(MESSAGE_ID, delivered, status)


def test_the_reason_of_a_failure_is_kept() -> None:
    report = read_report(form("Failed", failureReason="UserInBlackList"))
    assert report == DeliveryReport(MESSAGE_ID, False, "Failed: UserInBlackList")


@pytest.mark.parametrize("reason", ["", PHONE, "x" * 61, "line\nbreak", "<b>", "Ünknown"])
def test_a_reason_that_is_no_words_is_left_out(reason: str) -> None:
    report = read_report(form("Failed", failureReason=reason))
    assert report == DeliveryReport(MESSAGE_ID, False, "Failed")


@pytest.mark.parametrize("message_id", ["", " ", "two words", "line\nbreak", "é", "x" * 129])
def test_a_report_about_no_readable_message_is_none(message_id: str) -> None:
    assert read_report(form("Success", id=message_id)) is None


@pytest.mark.parametrize("status", ["", "1", "Success\n", "x" * 61, "Success!", "Süccess"])
def test_a_report_without_a_readable_status_is_none(status: str) -> None:
    assert read_report(form(status)) is None


@pytest.mark.parametrize("missing", ["id", "status"])
def test_a_report_without_id_or_status_is_none(missing: str) -> None:
    fields = form("Success")
    del fields[missing]
    assert read_report(fields) is None


def test_id_and_status_are_enough() -> None:
    report = read_report({"id": "x" * 128, "status": "Success"})
    assert report == DeliveryReport("x" * 128, True, "Success")
