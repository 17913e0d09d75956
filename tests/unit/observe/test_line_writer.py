"""Nobody waits for the reader of the log, and a line that cannot be written is not a fault."""

from __future__ import annotations

import fcntl
import os
import select
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from bot.observe import line_writer
from bot.observe.line_writer import LineWriter

PATIENCE_S = 5.0


def say_lost(lost: int) -> str:
    return f"{lost} lost"


class Pipe:
    """Both ends of a pipe, with a writer on one of them."""

    def __init__(self) -> None:
        self.reader, handle = os.pipe()
        self.stream = os.fdopen(handle, "w")
        self.writer = LineWriter(self.stream, say_lost)

    def fill(self) -> int:
        """Fill the pipe until nothing more fits; returns how many bytes went in."""
        handle, filled = self.stream.fileno(), 0
        while select.select([], [handle], [], 0)[1]:
            filled += os.write(handle, b"." * select.PIPE_BUF)
        return filled

    def read(self, most: int) -> bytes:
        """Read it all, however many reads that takes."""
        data = b""
        while len(data) < most:
            assert select.select([self.reader], [], [], PATIENCE_S)[0], "nothing comes"
            data += os.read(self.reader, most - len(data))
        return data

    def close(self) -> None:
        self.stream.close()
        os.close(self.reader)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.writer.close(PATIENCE_S)
    pipe.close()


def test_a_line_is_there_when_it_was_written(pipe: Pipe) -> None:
    pipe.writer.write("one")
    assert pipe.read(4) == b"one\n"


def test_nobody_waits_for_a_reader_that_does_not_read_and_lines_stay_in_order(pipe: Pipe) -> None:
    filled = pipe.fill()
    lines = [f"line {n}" for n in range(100)]
    for line in lines:
        pipe.writer.write(line)  # a blocking write would never return
    waiting = "".join(f"{line}\n" for line in lines).encode()
    assert pipe.read(filled + len(waiting))[filled:] == waiting
    pipe.writer.close(PATIENCE_S)
    pipe.writer.write("at once again")
    assert pipe.read(14) == b"at once again\n"
    assert pipe.writer.lost == 0


def test_a_line_that_is_longer_than_the_pipe_comes_whole(pipe: Pipe) -> None:
    long = "x" * 300_000
    pipe.writer.write(long)
    pipe.writer.write("after")
    assert pipe.read(len(long) + 7) == f"{long}\nafter\n".encode()


def test_what_waits_has_an_end_and_what_was_lost_is_said(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "WAITING_MAX", 10)
    filled = pipe.fill()
    for line in ("first", "no room", "none", "x"):
        pipe.writer.write(line)
    assert pipe.writer.lost == 2
    pipe.read(filled)
    pipe.writer.close(PATIENCE_S)
    rest = pipe.read(8)
    assert rest == b"first\nx\n"
    pipe.writer.write("now")
    assert pipe.read(len(b"now\n2 lost\n")) == b"now\n2 lost\n"


def test_a_reader_that_has_gone_costs_lines_and_nothing_else() -> None:
    pipe = Pipe()
    os.close(pipe.reader)
    for n in range(3):
        pipe.writer.write(f"line {n}")
    assert pipe.writer.lost == 3
    pipe.stream.close()


def test_a_reader_that_goes_while_lines_wait_leaves_no_thread_behind(pipe: Pipe) -> None:
    pipe.fill()
    pipe.writer.write("waits")
    os.close(pipe.reader)
    pipe.reader = os.open(os.devnull, os.O_RDONLY)
    pipe.writer.close(PATIENCE_S)
    assert pipe.writer.lost == 1
    assert "log" not in [thread.name for thread in threading.enumerate()]


def test_the_end_does_not_wait_for_ever(pipe: Pipe) -> None:
    filled = pipe.fill()
    pipe.writer.write("waits")
    pipe.writer.close(0.01)
    pipe.read(filled + 6)


def test_a_pipe_that_never_blocks_loses_nothing(pipe: Pipe) -> None:
    """A shell may share the pipe with a program that has made it non-blocking."""
    flags = fcntl.fcntl(pipe.stream, fcntl.F_GETFL)
    fcntl.fcntl(pipe.stream, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    filled = pipe.fill()
    pipe.writer.write("waits")
    assert pipe.read(filled + 6)[filled:] == b"waits\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    with open("/dev/full", "w") as full:
        writer = LineWriter(full, say_lost)
        writer.write("no room")
        assert writer.lost == 1


def test_after_a_line_that_broke_off_the_next_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up may take only the beginning of a line."""
    real, room = os.write, [3]

    def write(handle: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        written = real(handle, data[: room[0]])
        room[0] -= written
        return written

    with (tmp_path / "log").open("w") as stream:
        writer = LineWriter(stream, say_lost)
        monkeypatch.setattr(os, "write", write)
        writer.write("broken off")
        writer.write("dropped")
        room[0] = 1_000
        writer.write("whole")
    assert (tmp_path / "log").read_text() == "bro\nwhole\n2 lost\n"


def _closed() -> StringIO:
    stream = StringIO()
    stream.close()
    return stream


class Failing(StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("make", [_closed, Failing])
def test_a_stream_that_is_closed_or_fails_costs_lines(make: Callable[[], StringIO]) -> None:
    writer = LineWriter(make(), say_lost)
    writer.write("into the void")
    assert writer.lost == 1


def test_a_descriptor_that_was_closed_costs_lines(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    writer = LineWriter(stream, say_lost)
    stream.close()
    writer.write("into the void")
    assert writer.lost == 1


def test_letters_that_are_none_are_shown_escaped(pipe: Pipe) -> None:
    pipe.writer.write("half \ud83d")
    assert pipe.read(12) == b"half \\ud83d\n"
