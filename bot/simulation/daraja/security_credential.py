"""The simulated environment's key, under which an initiator's password travels.

A SecurityCredential is the password encrypted with the key of the environment's certificate (RSA,
PKCS#1 v1.5 padding) as base64: 344 characters (facts: Daraja 4). The key is drawn once a process;
nothing depends on which it is.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 2048
CREDENTIAL_LENGTH = 344
# Those of Safaricom have expired long before their keys, so nobody may go by the dates.
_VALID_FROM = datetime(2014, 1, 1, tzinfo=UTC)
_VALID_UNTIL = datetime(2016, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _environment_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)


@lru_cache(maxsize=1)
def certificate_pem() -> bytes:
    """The environment's certificate, with which clients encrypt. It has expired."""
    from cryptography import x509  # few worlds pay anybody, and each would load it

    key = _environment_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "daraja.simulated")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


@lru_cache(maxsize=4)
def seal(password: str) -> str:
    """As the certificate's holder would, but without loading what reads certificates: every world
    has such a credential. The same text for the same password, so that it can be searched for."""
    key = _environment_key().public_key()
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


@lru_cache(maxsize=64)  # one may be used for many calls
def password_in(credential: str) -> str | None:
    """The password, or ``None`` if it was not encrypted for this environment."""
    if len(credential) != CREDENTIAL_LENGTH:
        return None
    try:
        sealed = base64.b64decode(credential, validate=True)
        return _environment_key().decrypt(sealed, padding.PKCS1v15()).decode()
    except (binascii.Error, ValueError):  # also: not UTF-8, as what another key decrypts to
        return None
