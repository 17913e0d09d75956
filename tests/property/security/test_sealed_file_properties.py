"""A sealed file opens unchanged, and does not open at all once any part of it is altered."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.security.sealed_file import MAGIC, TAG, CannotUnseal, seal, unseal

KEY, OTHER = b"k" * 32, b"o" * 32
CHUNK = 8
contents = st.binary(max_size=40)


def sealed(content: bytes, key_id: str = "main", key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    seal(io.BytesIO(content), target, key_id, key, CHUNK)
    return target.getvalue()


def opened(data: bytes, keys: dict[str, bytes] | None = None) -> bytes:
    target = io.BytesIO()
    unseal(io.BytesIO(data), target, {"main": KEY} if keys is None else keys, CHUNK)
    return target.getvalue()


def body(data: bytes) -> tuple[bytes, list[bytes]]:
    """The header, and the sealed chunks."""
    at = len(MAGIC) + len(b"main\n") + 16
    size = CHUNK + TAG
    return data[:at], [data[i : i + size] for i in range(at, len(data), size)]


@given(contents)
def test_it_opens_as_it_was(content: bytes) -> None:
    assert opened(sealed(content), {"new": OTHER, "main": KEY}) == content


@given(contents, st.data())
def test_a_changed_byte_opens_nothing(content: bytes, data: st.DataObject) -> None:
    whole = bytearray(sealed(content))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotUnseal):
        opened(bytes(whole))


@given(contents, st.data())
def test_what_is_cut_off_opens_nothing(content: bytes, data: st.DataObject) -> None:
    whole = sealed(content)
    with pytest.raises(CannotUnseal):
        opened(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(min_size=9, max_size=40), st.data())
def test_chunks_that_are_missing_doubled_or_moved_open_nothing(
    content: bytes, data: st.DataObject
) -> None:
    header, chunks = body(sealed(content))
    n = data.draw(st.integers(0, len(chunks) - 1))
    without = chunks[:n] + chunks[n + 1 :]
    doubled = chunks[: n + 1] + chunks[n:]
    turned = chunks[::-1]
    for other in (without, doubled, turned):
        if other != chunks:
            with pytest.raises(CannotUnseal):
                opened(header + b"".join(other))


@given(contents)
def test_another_key_opens_nothing(content: bytes) -> None:
    with pytest.raises(CannotUnseal, match="another key has this name"):
        opened(sealed(content), {"main": OTHER})
    with pytest.raises(CannotUnseal, match="sealed with key main"):
        opened(sealed(content), {"other": KEY})


@given(contents)
def test_nothing_of_it_can_be_read_in_the_file(content: bytes) -> None:
    if len(content) >= CHUNK:
        _, chunks = body(sealed(content))
        assert content not in b"".join(chunks)
    assert sealed(content) != sealed(content), "the salt is drawn anew"
