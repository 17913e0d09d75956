"""Fixtures for the tests in this folder."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from cryptography import x509

from tests.kit.smtp_loopback import (
    HOST,
    Certificates,
    Inbox,
    MailSetup,
    certify,
    running,
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certify(tmp_path_factory.mktemp("tls"), x509.IPAddress(ipaddress.ip_address(HOST)))


@pytest.fixture
def mail_setup(certificates: Certificates) -> Iterator[MailSetup]:
    with ExitStack() as servers:
        yield MailSetup(
            Inbox(),
            certificates,
            lambda inbox, options: servers.enter_context(running(inbox, options)),
        )
