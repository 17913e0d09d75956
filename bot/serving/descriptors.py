"""Divides the process's limit on open files and sockets.

Outsiders must not exhaust what we need to reach the bank and the chats: HTTP callers get only what
is left after a reserve.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

from bot.adapters import BANK_CONNECTIONS
from bot.channels.telegram.client import CONNECTIONS_MAX

OWN = 64  # database, its log and readers, backups, documents, standard streams, the event loop
INBOUND_MAX = 512  # more simultaneous callers than we ever have
RESERVED = OWN + CONNECTIONS_MAX + 1 + BANK_CONNECTIONS
WANTED = RESERVED + INBOUND_MAX
LEAST = 128  # with fewer, one busy minute would exhaust them
SHARE = 8  # if the limit is below the reserve, callers get one in this many


class TooFewDescriptors(Exception):
    """``str()`` is a line for the person who starts the program."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """``limit`` is in force, ``found`` was the limit at start, ``inbound`` is for HTTP callers."""

    limit: int
    found: int
    inbound: int

    @property
    def waiting(self) -> int:
        """HTTP callers that may do nothing but wait: the others are for those who bring money."""
        return self.inbound // 2


def reserve_descriptors() -> Descriptors:
    """Raise the soft limit to ``WANTED``, as far as the hard limit allows, and divide it.

    Raises ``TooFewDescriptors`` below ``LEAST``.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = soft
    if soft != resource.RLIM_INFINITY and soft < WANTED:
        limit = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (ValueError, OSError):  # some systems have a lower maximum of their own
            limit = soft
    if limit == resource.RLIM_INFINITY:
        limit = WANTED
    return shared_out(limit, found=soft)


def shared_out(limit: int, *, found: int) -> Descriptors:
    """Raises ``TooFewDescriptors``."""
    if limit < LEAST:
        raise TooFewDescriptors(
            f"only {limit} files and connections may be open: {LEAST} are needed and {WANTED}"
            " are good; raise `ulimit -n`, or LimitNOFILE= of the service"
        )
    return Descriptors(limit, found, min(INBOUND_MAX, max(limit - RESERVED, limit // SHARE)))
