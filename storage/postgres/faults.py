"""PostgreSQL's errors as callers know them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.pq import DiagnosticField, abc

from services.domain.database import DatabaseFailed, DatabaseRefused, DatabaseUnavailable
from storage.locks import LockNeeded

GUARD = "HZ001"  # raised by the triggers of our migrations
# Of two transactions that were in each other's way this one was given up, or it waited too long.
CONFLICTS = frozenset({"40001", "40P01", "55P03"})
AWAY = ("08", "57P")  # the connection failed; the server stops or starts


class GuardRefused(psycopg.IntegrityError):
    """A trigger of ours refused a change."""

    sqlstate = GUARD


class ConnectionLost(psycopg.OperationalError):
    """The connection ended: what was not committed never happened."""


class NoPrimary(psycopg.OperationalError):
    """Of the nodes' Patroni none says that its node is the primary."""


class CommitUnknown(psycopg.OperationalError):
    """Nobody can say from here whether what was to be committed was."""


def error_of(result: abc.PGresult) -> psycopg.Error:
    """The error that a failed statement gave."""
    state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    words = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    detail = (result.error_field(DiagnosticField.MESSAGE_DETAIL) or b"").decode(errors="replace")
    if detail:
        words = f"{words} ({detail})"
    if not state:
        return ConnectionLost(words or result.error_message.decode(errors="replace").strip())
    if state == GUARD:
        return GuardRefused(words)
    try:
        kind = errors.lookup(state)
    except KeyError:
        return psycopg.DatabaseError(f"{state}: {words}")
    return kind(words)


def is_conflict(error: BaseException) -> bool:
    """Whether running the function again may well succeed."""
    return isinstance(error, psycopg.Error) and error.sqlstate in CONFLICTS


def is_away(error: BaseException) -> bool:
    """Whether the server is gone, or about to go: it, or another, may be there the next time. What
    was to be committed never was."""
    return (
        isinstance(error, psycopg.OperationalError)
        and not isinstance(error, CommitUnknown)
        and (error.sqlstate is None or error.sqlstate.startswith(AWAY))
    )


def is_repeated(error: BaseException) -> bool:
    """Whether a row with the same key is there already."""
    return isinstance(error, errors.UniqueViolation)


def as_future_error(error: BaseException) -> Exception:
    """Wrap the driver's own errors, and what a future cannot carry: ``StopIteration``, and
    exceptions that are not ``Exception``."""
    wrapped: Exception
    if isinstance(error, psycopg.IntegrityError):
        wrapped = DatabaseRefused(str(error))
    elif is_conflict(error) or isinstance(error, LockNeeded):
        wrapped = DatabaseUnavailable(f"others were in the way for too long: {error}")
    elif is_away(error):
        wrapped = DatabaseUnavailable(str(error))
    elif isinstance(error, psycopg.Error):
        wrapped = DatabaseFailed(str(error))
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    else:
        wrapped = RuntimeError(f"a database function raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped


@contextmanager
def as_database_failed() -> Iterator[None]:
    """Raise ``DatabaseFailed`` for an error of the driver. Also a decorator of functions."""
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseFailed(in_one_line(error)) from error


def in_one_line(error: psycopg.Error) -> str:
    """What the driver says of a connection, host by host, in up to six lines."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
