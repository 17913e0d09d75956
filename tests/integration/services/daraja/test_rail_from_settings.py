"""The rail that the settings describe pays through Daraja, and holds no password."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.adapters import BANK_CONNECTIONS, NoPayoutRail, payout_rail
from bot.security.initiator_password import (
    CERTIFICATE_MAX,
    CertificateFault,
    with_sealed_password,
)
from bot.security.stored_secrets import secret_values
from bot.settings import Settings
from bot.simulation.credentials import settings_with_credentials
from bot.simulation.daraja.credentials import CREDENTIALS
from bot.simulation.daraja.security_credential import certificate_pem, password_in
from bot.workers import float_purchases, payouts, topups
from services.domain.bank import NoAnswer, NotSent, Ready
from services.domain.payout_answers import Acknowledged, Asked
from tests.kit.daraja_caller import BASE, ID, DarajaCaller
from tests.kit.daraja_gateway import ORDER
from tests.kit.virtual_time import run

PASSWORD = CREDENTIALS.initiator_password


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "mpesa.cer"
    path.write_bytes(certificate_pem())
    return path


def with_password(certificate: Path) -> Settings:
    settings = settings_with_credentials(certificate.with_name("hazina.db"))
    return settings.model_copy(
        update={
            "daraja_base_url": BASE,
            "daraja_callback_url": "https://desk.example",
            "daraja_callback_secret": SecretStr("secret"),
            "daraja_security_credential": None,
            "daraja_initiator_password": SecretStr(PASSWORD),
            "daraja_certificate": certificate,
        }
    )


async def test_it_pays_and_names_where_results_come(certificate: Path) -> None:
    outside = DarajaCaller()
    rail = payout_rail(with_password(certificate), outside.client, outside.clock)
    ready = await run(outside.clock, rail.prepare())
    assert isinstance(ready, Ready)
    assert isinstance(await run(outside.clock, rail.pay(ready, ORDER)), Acknowledged)
    assert isinstance(await run(outside.clock, rail.ask_balance()), Asked)
    await outside.wait(3)
    assert [str(body["ResultCode"]) for body in outside.results()] == ["0", "0"]
    assert [paid.amount_kes * 100 for paid in outside.daraja.paid()] == [ORDER.amount.cents]


async def test_time_outs_have_an_address_of_their_own(certificate: Path) -> None:
    outside = DarajaCaller()
    outside.arm("queue-timeout")
    rail = payout_rail(with_password(certificate), outside.client, outside.clock)
    ready = await run(outside.clock, rail.prepare())
    assert isinstance(ready, Ready)
    await run(outside.clock, rail.pay(ready, ORDER))
    await outside.wait(60)
    assert outside.posted[0][0] == "https://desk.example/daraja/timeout/secret"


def test_the_password_is_sealed_and_let_go_of(certificate: Path) -> None:
    given = with_password(certificate)
    sealed = with_sealed_password(given)
    assert sealed.daraja_security_credential is not None
    assert password_in(sealed.daraja_security_credential.get_secret_value()) == PASSWORD
    assert PASSWORD in secret_values(given)
    assert PASSWORD not in secret_values(sealed)
    assert sealed.pays_customers
    certificate.unlink()
    assert with_sealed_password(sealed) is sealed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is no file that is there"),
        (b"", "is no certificate"),
        (b"\x00" * (CERTIFICATE_MAX + 1), "has more than 64 KB"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named(
    certificate: Path, content: bytes | None, words: str
) -> None:
    certificate.unlink()
    if content is not None:
        certificate.write_bytes(content)
    outside = DarajaCaller()
    with pytest.raises(CertificateFault) as caught:
        payout_rail(with_password(certificate), outside.client, outside.clock)
    assert str(caught.value).startswith(f"DARAJA_CERTIFICATE: {certificate} {words}")
    assert PASSWORD not in str(caught.value)


def test_a_folder_is_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(CertificateFault, match="is no file"):
        with_sealed_password(with_password(tmp_path))


async def test_without_settings_nothing_is_sent() -> None:
    outside = DarajaCaller()
    rail = payout_rail(Settings(), outside.client, outside.clock)
    assert isinstance(rail, NoPayoutRail)
    assert isinstance(await rail.prepare(), NotSent)
    assert isinstance(await rail.ask_status(ID), NoAnswer)
    assert isinstance(await rail.ask_balance(), NoAnswer)
    with pytest.raises(AssertionError):
        await rail.pay(Ready("token"), ORDER)
    assert outside.daraja.calls("payout") == 0


def test_every_call_has_a_connection() -> None:
    kinds = (topups, float_purchases, payouts)
    calls = sum(kind.LIMITS.calls_max for kind in kinds)
    assert calls + len(kinds) <= BANK_CONNECTIONS
