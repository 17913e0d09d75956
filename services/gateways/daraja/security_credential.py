"""How an initiator's password travels to M-PESA (facts: Daraja 4)."""

from __future__ import annotations

import base64
import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PEM = b"-----BEGIN"
_PASSWORD = re.compile(r"[A-Za-z0-9#&%$]{1,100}")  # other special characters do not work


def seal_password(certificate: bytes, password: str) -> str:
    """The password, encrypted with the key of the environment's ``certificate`` (PEM or DER), as
    base64. Each call returns another text, and all of them are valid.

    The certificate's dates are ignored: those of Safaricom ended years ago. Raises ``ValueError``
    if it cannot be read or has no RSA key, and on a password with characters that M-PESA does not
    take.
    """
    if not _PASSWORD.fullmatch(password):
        raise ValueError("the password has characters other than letters, digits and # & % $")
    load = x509.load_pem_x509_certificate if PEM in certificate else x509.load_der_x509_certificate
    key = load(certificate).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the certificate has no RSA key")
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()
