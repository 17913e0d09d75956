"""Input and output of the simulator's chat: a terminal, or pipes."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from bot.simulation.console.screen import Line, TextRenderer

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import FormattedText

LINE_MAX = 65_536  # bytes kept of one piped line
READ_BYTES = 65_536


class Console(Protocol):
    @property
    def echoes(self) -> bool:
        """Whether typed text is already on the screen."""
        ...

    async def read(self) -> str | None:
        """The next line without its end; ``None`` at the end of input."""
        ...

    async def show(self, lines: Sequence[Line]) -> None:
        """Print lines above the input line."""
        ...


class PipedConsole:
    """Reads the file descriptor ``source`` (``None``: no input) without a thread."""

    echoes = False

    def __init__(self, source: int | None, output: TextIO) -> None:
        self._source = source
        self._output = output
        self._paper = TextRenderer()
        self._lines: deque[bytes] = deque()
        self._rest = b""

    async def read(self) -> str | None:
        while not self._lines and self._source is not None:
            chunk = await _chunk(self._source)
            if not chunk:
                self._source = None
                if self._rest:
                    self._lines.append(self._rest)
                break
            *whole, rest = chunk.split(b"\n")
            if whole:
                whole[0] = self._rest + whole[0]
                self._lines.extend(line[:LINE_MAX] for line in whole)
                self._rest = rest
            else:
                self._rest = (self._rest + rest)[:LINE_MAX]
        if not self._lines:
            return None
        return self._lines.popleft().decode(errors="replace").removesuffix("\r")

    async def show(self, lines: Sequence[Line]) -> None:
        self._output.write(self._paper.render(lines))
        self._output.flush()


async def _chunk(source: int) -> bytes:
    """Whatever is available, or the first bytes to arrive; empty at the end."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(source, _resolve, ready)
    except PermissionError:  # a regular file, which never blocks
        return os.read(source, READ_BYTES)
    try:
        await ready
    finally:
        loop.remove_reader(source)
    return os.read(source, READ_BYTES)


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class TerminalConsole:
    """A prompt that stays below the output. ``words`` are completed with Tab."""

    echoes = True

    def __init__(self, output: TextIO, words: Sequence[str], *, colour: bool) -> None:
        self._output = output
        self._paper = TextRenderer(colour=colour)
        self._prompt = _prompt(words)
        self._pasted: deque[str] = deque()

    async def read(self) -> str | None:
        while not self._pasted:
            try:
                typed = await self._prompt.prompt_async(
                    self._mark(), set_exception_handler=False, handle_sigint=False
                )
            except EOFError:
                return None
            except KeyboardInterrupt:
                if not self._prompt.default_buffer.text:
                    return None
                continue
            self._pasted.extend(typed.splitlines() or [""])
        return self._pasted.popleft().encode(errors="replace").decode()

    async def show(self, lines: Sequence[Line]) -> None:
        from prompt_toolkit.application import run_in_terminal

        self._paper.width = max(20, self._prompt.output.get_size().columns - 1)
        text = self._paper.render(lines)
        if self._prompt.app.is_running:
            await run_in_terminal(lambda: self._write(text))
        else:
            self._write(text)

    def _mark(self) -> FormattedText:
        from prompt_toolkit.formatted_text import FormattedText

        return FormattedText([("bold" if self._paper.colour else "", "> ")])

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()


def _prompt(words: Sequence[str]) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.shortcuts import CompleteStyle

    return PromptSession(
        completer=WordCompleter(words, sentence=True),
        complete_while_typing=False,
        complete_style=CompleteStyle.READLINE_LIKE,
    )
