"""``hazina sim`` at a terminal: how it reads the keyboard and how its lines look."""

from __future__ import annotations

import io

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.simulation.console.console import Console, TerminalConsole
from bot.simulation.console.screen import Content, Ink, Line, TextRenderer, changes
from flows.engine.event import Button


async def test_keyboard_reads_lines_and_ends_at_control_d() -> None:
    output = io.StringIO()
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keyboard: Console = TerminalConsole(output, [":help"], colour=True)
        keys.send_text("/topup\r\x1b[200~one\ntwo\x1b[201~\rabc\x03again\r\x04")
        lines = [await keyboard.read() for _ in range(5)]
    assert lines == ["/topup", "one", "two", "again", None]


async def test_keyboard_ends_at_control_c_on_an_empty_line() -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keyboard = TerminalConsole(io.StringIO(), [], colour=False)
        keys.send_text("\x03")
        assert await keyboard.read() is None


def test_paper_colours_and_wraps_only_when_told() -> None:
    line = Line("one two three four five six seven", Ink.ALERT)
    assert TextRenderer().render([line]) == f"{line.text}\n"
    rows = TextRenderer(colour=True, width=20).render([line]).splitlines()
    assert len(rows) == 2
    assert all(row.startswith("\x1b[") and row.endswith("\x1b[0m") for row in rows)


def test_edit_that_changes_nothing_visible_is_not_shown() -> None:
    rows = ((Button("check", "Check now"),),)
    old = Content("Top-up TU-1\nSending.", rows)
    assert changes(old, old, "TU-1") == []
    assert [line.text for line in changes(old, Content("Top-up TU-1\nWaiting.", rows), "TU-1")] == [
        "~ TU-1: Waiting."
    ]
