"""Credentials are really decrypted, and wrong ones lock the initiator (facts: Daraja 4 and 6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509

from bot.simulation.daraja.credentials import CREDENTIALS
from bot.simulation.daraja.security_credential import certificate_pem
from tests.kit.daraja_caller import DarajaCaller, security_credential


def test_a_credential_has_344_characters_and_differs_each_time() -> None:
    one, other = security_credential(), security_credential()
    assert (len(one), len(other)) == (344, 344)
    assert one != other


def test_the_certificate_has_expired_as_safaricoms_have() -> None:
    certificate = x509.load_pem_x509_certificate(certificate_pem())
    assert certificate.not_valid_after_utc < datetime.now(UTC)


async def test_one_credential_may_be_used_for_many_calls(caller: DarajaCaller) -> None:
    credential = security_credential()
    for n in range(2):
        result = await caller.paid(OriginatorConversationID=f"HZ{n}", SecurityCredential=credential)
        assert result["ResultCode"] == 0


@pytest.mark.parametrize(
    "credential",
    [
        CREDENTIALS.initiator_password,
        security_credential("another"),
        security_credential(CREDENTIALS.initiator_password + "20260302090000"),
        "A" * 344,
        "!" * 344,
    ],
    ids=["in clear", "another", "with a timestamp", "of no key", "no base64"],
)
async def test_the_acknowledgement_says_nothing_of_a_wrong_credential(
    caller: DarajaCaller, credential: str
) -> None:
    assert (await caller.paid(SecurityCredential=credential))["ResultCode"] == 2001
    assert caller.daraja.paid() == ()


async def test_three_wrong_credentials_lock_the_initiator_for_every_call(
    caller: DarajaCaller,
) -> None:
    codes = []
    for n in range(4):
        wrong = security_credential("wrong" if n < 3 else CREDENTIALS.initiator_password)
        result = await caller.paid(OriginatorConversationID=f"HZ{n}", SecurityCredential=wrong)
        codes.append(result["ResultCode"])
    assert codes == [2001, 2001, 2001, 8006]
    assert (await caller.status(OriginalConversationID="HZ0"))["ResultCode"] == 8006
    caller.daraja.initiator.unlock()
    assert (await caller.paid(OriginatorConversationID="HZ4"))["ResultCode"] == 0


async def test_a_right_credential_forgives_wrong_ones(caller: DarajaCaller) -> None:
    for n in range(6):
        wrong = security_credential("wrong" if n % 3 < 2 else CREDENTIALS.initiator_password)
        result = await caller.paid(OriginatorConversationID=f"HZ{n}", SecurityCredential=wrong)
    assert result["ResultCode"] == 0


async def test_a_name_that_nobody_has_is_invalid_and_locks_nobody(caller: DarajaCaller) -> None:
    for n in range(4):
        result = await caller.paid(OriginatorConversationID=f"HZ{n}", InitiatorName="nobody")
        assert result["ResultCode"] == 2001
    assert not caller.daraja.initiator.is_locked


async def test_another_short_code_may_not_pay(caller: DarajaCaller) -> None:
    assert (await caller.paid(PartyA="600997"))["ResultCode"] == 2028
