"""Seals the password of Daraja's API user at the start, so that the running desk need not hold it.

Whoever has the password can order payments from anywhere; sealed, it can be used but not read
(facts: Daraja 4).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

CERTIFICATE_MAX = 64 * 1024  # bytes; one has some 2,000


class CertificateFault(Exception):
    """M-PESA's certificate cannot be used; ``str()`` is a line for the operator."""


def with_sealed_password(settings: Settings) -> Settings:
    """The settings with the sealed password in place of the password; as they are without one.

    Once the caller lets go of the settings it had, nothing in the process refers to the password.
    Python neither overwrites the memory it was in nor forgets an environment variable: a desk that
    must never have held it is given DARAJA_SECURITY_CREDENTIAL.

    Raises ``CertificateFault``.
    """
    password = settings.daraja_initiator_password
    if password is None:
        return settings
    assert settings.daraja_certificate is not None
    key = certificate_key(settings.daraja_certificate)
    from services.gateways.daraja.security_credential import seal_with

    sealed = seal_with(key, password.get_secret_value())
    return settings.model_copy(
        update={
            "daraja_security_credential": SecretStr(sealed),
            "daraja_initiator_password": None,
        }
    )


def certificate_key(path: Path) -> RSAPublicKey:
    """The key with which M-PESA's certificate seals. Raises ``CertificateFault``."""
    # Most programs seal nothing, and each would load the library that reads certificates.
    from services.gateways.daraja.security_credential import read_key

    try:
        return read_key(_content(path))
    except ValueError as error:
        raise CertificateFault(f"DARAJA_CERTIFICATE: {path} {error}") from None


def _content(path: Path) -> bytes:
    """At most 64 KB of a plain file: a pipe or a device might never end. Raises
    ``CertificateFault``."""
    try:
        if not path.is_file():
            raise CertificateFault(f"DARAJA_CERTIFICATE: {path} is no file that is there")
        with path.open("rb") as file:
            content = file.read(CERTIFICATE_MAX + 1)
    except OSError as error:
        raise CertificateFault(
            f"DARAJA_CERTIFICATE: {path} cannot be read: {error.strerror}"
        ) from None
    if len(content) > CERTIFICATE_MAX:
        raise CertificateFault(f"DARAJA_CERTIFICATE: {path} has more than 64 KB")
    return content
