"""A partner's server over TLS on loopback, which the tests reach as if it were public."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "hooks.duka.co.ke"
PUBLIC, OTHER_PUBLIC = "198.41.0.4", "2001:503:ba3e::2:30"


def certificate(folder: Path, name: str) -> Path:
    """Certificate and key of one server, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


class Receiver:
    """Answers every request with the next of ``answers``, whole as written, then with 200."""

    def __init__(self, file: Path) -> None:
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(file)
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Receiver]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        self.requests.append(head + await reader.readexactly(length))
        answer = self.answers.pop(0) if self.answers else response(200)
        writer.write(answer)
        try:
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass  # the sender has read enough


def response(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = (f"HTTP/1.1 {status} Word", f"content-length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


class Network(httpcore.AsyncNetworkBackend):
    """Every public address of the tests is the receiver's; ``connects`` are those that were asked
    for, and ``broken`` those that nothing listens at."""

    def __init__(self, receiver: Receiver, broken: Sequence[str] = ()) -> None:
        self._receiver = receiver
        self._broken = broken
        self.connects: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connects.append((host, port))
        ipaddress.ip_address(host)  # never a name
        if host in self._broken:
            raise httpcore.ConnectError("nothing listens")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._receiver.port, timeout)


class Names:
    """A resolver that gives the next of its answers at each look-up, and then the last again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not answer:
            raise OSError("not known")
        return answer
