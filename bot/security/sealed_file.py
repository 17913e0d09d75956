"""Encrypts files of any size with a key, chunk by chunk.

AES-256-GCM in the STREAM construction: a chunk's nonce is its number and whether it is the last, so
files with missing, repeated, reordered or truncated chunks do not open. The header, which holds key
id and salt, is authenticated with every chunk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"hazina sealed file 1\n"
CHUNK = 1 << 20  # bytes of content per chunk
TAG = 16  # bytes added by sealing
SALT = 16
CHUNKS_MAX = 1 << 32
_HEADER = re.compile(re.escape(MAGIC) + rb"(?P<id>[a-z0-9-]{1,16})\n(?P<salt>.{16})", re.DOTALL)


class CannotUnseal(Exception):
    """The file cannot be opened; says why."""


def is_sealed(file: BinaryIO) -> bool:
    """Reads the start of ``file``, and rewinds it."""
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


def seal(source: BinaryIO, target: BinaryIO, key_id: str, key: bytes, chunk: int = CHUNK) -> None:
    salt = os.urandom(SALT)
    header = MAGIC + key_id.encode() + b"\n" + salt
    target.write(header)
    cipher = _cipher(key, salt)
    for n, (content, is_last) in enumerate(_chunks(source, chunk)):
        target.write(cipher.encrypt(_nonce(n, is_last=is_last), content, header))


def unseal(
    source: BinaryIO, target: BinaryIO, keys: Mapping[str, bytes], chunk: int = CHUNK
) -> None:
    """Raises ``CannotUnseal`` if the key is missing, or anything was changed or cut off; discard
    what was written until then."""
    header = source.read(len(MAGIC) + 16 + 1 + SALT)
    match = _HEADER.match(header)
    if match is None:
        raise CannotUnseal("it is not a sealed file of Hazina")
    source.seek(match.end())
    key_id = match["id"].decode()
    if key_id not in keys:
        raise CannotUnseal(f"it is sealed with key {key_id}, which is not among BACKUP_KEYS")
    cipher = _cipher(keys[key_id], match["salt"])
    for n, (content, is_last) in enumerate(_chunks(source, chunk + TAG)):
        try:
            opened = cipher.decrypt(_nonce(n, is_last=is_last), content, match[0])
        except InvalidTag:
            raise CannotUnseal("it was changed or cut off, or another key has this name") from None
        target.write(opened)


def _chunks(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks, each with whether it is the last; an empty file is one empty chunk."""
    here = source.read(size)
    while True:
        ahead = source.read(size)
        yield here, not ahead
        if not ahead:
            return
        here = ahead


def _nonce(n: int, *, is_last: bool) -> bytes:
    assert n < CHUNKS_MAX
    return n.to_bytes(11, "big") + bytes([is_last])


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"hazina backup").derive(key))
