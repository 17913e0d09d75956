"""Reads the settings for a command, or ends it with a line that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.cli.faults import exit_with, faults_as_lines

if TYPE_CHECKING:
    from bot.settings import Settings


def command_settings() -> Settings:
    from bot.settings import SettingsFault, read_settings

    try:
        return read_settings()
    except SettingsFault as fault:
        exit_with(str(fault))


@contextmanager
def settings_for_writing() -> Iterator[Settings]:
    """Settings for a command that writes to the database, with ``faults_as_lines``.

    Also ends the command if the database is lost, instead of creating a new one.
    """
    from bot.security import lost_database

    settings = command_settings()
    with faults_as_lines():
        lost_database.check_not_lost(settings)
        yield settings
