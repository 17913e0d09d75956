"""Whoever waits too long for a server sees a connection that was lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.failover.socket_watch import SocketWatch

LIMIT_S = 0.2
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def watch() -> Iterator[SocketWatch]:
    watching = SocketWatch(LIMIT_S)
    yield watching
    watching.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def test_who_waits_too_long_reads_the_end(watch: SocketWatch, pair: Pair) -> None:
    ours, theirs = pair
    began = time.monotonic()
    with watch.over(ours.fileno()):
        assert ours.recv(1) == b""
    assert LIMIT_S <= time.monotonic() - began < 3
    assert theirs.recv(1) == b""  # the other side is told, as when a process ends
    with pytest.raises(OSError, match="Broken pipe"):
        ours.sendall(b"more")
    assert ours.fileno() >= 0  # still its owner's to close


def test_an_answer_in_time_changes_nothing(watch: SocketWatch, pair: Pair) -> None:
    ours, theirs = pair
    for _ in range(3):
        with watch.over(ours.fileno()):
            theirs.sendall(b"1")
            assert ours.recv(1) == b"1"
    time.sleep(2 * LIMIT_S)
    theirs.sendall(b"2")
    assert ours.recv(1) == b"2"


def test_one_that_failed_is_no_longer_watched(watch: SocketWatch, pair: Pair) -> None:
    ours, theirs = pair
    with pytest.raises(ZeroDivisionError), watch.over(ours.fileno()):
        raise ZeroDivisionError
    time.sleep(2 * LIMIT_S)
    theirs.sendall(b"1")
    assert ours.recv(1) == b"1"


def test_each_has_a_limit_of_its_own(watch: SocketWatch, pair: Pair) -> None:
    """One that began later is not shut with the first."""
    first, second = socket.socketpair()
    first.settimeout(5)
    with first, second, watch.over(first.fileno()):
        time.sleep(LIMIT_S / 2)
        ours, theirs = pair
        with watch.over(ours.fileno()):
            assert first.recv(1) == b""
            theirs.sendall(b"1")
            assert ours.recv(1) == b"1"


def test_a_socket_that_was_closed_ends_no_watch(watch: SocketWatch, pair: Pair) -> None:
    """It goes on watching others."""
    closed, theirs = socket.socketpair()
    theirs.close()
    with watch.over(closed.fileno()):
        closed.close()
        time.sleep(2 * LIMIT_S)
    ours, _ = pair
    with watch.over(ours.fileno()):
        assert ours.recv(1) == b""
