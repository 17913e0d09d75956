"""How an initiator's password is sealed for M-PESA."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bot.simulation.daraja.security_credential import certificate_pem, password_in
from services.gateways.daraja.security_credential import seal_password

PASSWORD = "Simulated#2026$"


def der() -> bytes:
    certificate = x509.load_pem_x509_certificate(certificate_pem())
    return certificate.public_bytes(serialization.Encoding.DER)


def certified(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other.simulated")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("certificate", [certificate_pem(), der()], ids=["pem", "der"])
def test_mpesa_reads_it_though_the_certificate_has_ended(certificate: bytes) -> None:
    sealed = seal_password(certificate, PASSWORD)
    assert len(sealed) == 344
    assert password_in(sealed) == PASSWORD
    assert seal_password(certificate, PASSWORD) != sealed


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (b"", "is no certificate"),
        (b"-----BEGIN CERTIFICATE-----", "is no certificate"),
        (b"\x30\x03ab", "is no certificate"),
        (b"\x00" * 70_000, "is no certificate"),
        (certified(ec.generate_private_key(ec.SECP256R1())), "has no RSA key"),
        (certified(rsa.generate_private_key(65_537, 1_024)), "has no RSA key of 2,048 bits"),
    ],
    ids=["empty", "cut off", "no certificate", "zeros", "elliptic", "short"],
)
def test_a_certificate_that_cannot_be_used(certificate: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        seal_password(certificate, PASSWORD)


@pytest.mark.parametrize("password", ["", "a(b", "a)b", "a@b", "a.b", "a b", "péss", "x" * 101])
def test_a_password_that_mpesa_does_not_take(password: str) -> None:
    with pytest.raises(ValueError, match="password"):
        seal_password(certificate_pem(), password)
