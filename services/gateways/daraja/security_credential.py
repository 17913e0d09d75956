"""How an initiator's password travels to M-PESA (facts: Daraja 4)."""

from __future__ import annotations

import base64
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PEM = b"-----BEGIN"
KEY_BITS_MIN = 2_048
_PASSWORD = re.compile(r"[A-Za-z0-9#&%$]{1,100}")  # other special characters do not work


def seal_password(certificate: bytes, password: str) -> str:
    """The password, encrypted with the key of the environment's ``certificate`` (PEM or DER), as
    base64. Each call returns another text, and all of them are valid. Raises ``ValueError``, as
    ``read_key`` and ``seal_with`` do."""
    return seal_with(read_key(certificate), password)


def seal_with(key: rsa.RSAPublicKey, password: str) -> str:
    """Raises ``ValueError`` on a password with characters that M-PESA does not take."""
    if not _PASSWORD.fullmatch(password):
        raise ValueError("the password has characters other than letters, digits and # & % $")
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


def read_key(certificate: bytes) -> rsa.RSAPublicKey:
    """The certificate's dates are ignored: those of Safaricom ended years ago. Raises
    ``ValueError`` if it cannot be read, or has no RSA key of 2,048 bits or more."""
    load = x509.load_pem_x509_certificate if PEM in certificate else x509.load_der_x509_certificate
    try:
        key = load(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):  # in OpenSSL's words
        raise ValueError("is no certificate in PEM or DER form") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise ValueError(f"has no RSA key of {KEY_BITS_MIN:,} bits or more")
    return key
