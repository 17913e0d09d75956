"""Configuration and environment faults end a command with one line, not a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click


@contextmanager
def faults_as_lines() -> Iterator[None]:
    """End the command with status 2 and one line for any fault the operator can correct."""
    from bot.environment.network import NetworkFault
    from bot.maintenance.audit import HeadFault
    from bot.security.backup_file import BackupFault
    from bot.security.initiator_password import CertificateFault
    from bot.security.keyring import KeysFault
    from bot.security.lost_database import DatabaseLost
    from bot.security.stored_secrets import SecretsFault
    from flows.engine.check import InvalidFlow
    from services.domain.database import DatabaseFailed, DatabaseFault

    try:
        yield
    except DatabaseFailed as error:
        exit_with(f"the database cannot be used: {error}; `hazina doctor` tells more")
    except (
        BackupFault,
        CertificateFault,
        DatabaseFault,
        DatabaseLost,
        InvalidFlow,
        HeadFault,
        KeysFault,
        NetworkFault,
        SecretsFault,
    ) as error:
        exit_with(str(error))
    except BrokenPipeError:  # the reader of our output is gone: click ends quietly
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        exit_with(f"{where}{error.strerror or error}; `hazina doctor` tells more")


def exit_with(*lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(2)
