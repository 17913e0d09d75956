"""How many files and sockets this process may have open, and who gets how many.

Nobody outside may use up what the desk needs to reach the bank and the chats: callers over HTTP
get what is left beside a reserve, and never more.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

from bot.adapters import BANK_CONNECTIONS
from bot.channels.telegram.client import CONNECTIONS_MAX

OWN = 64  # database, its log and readers, backups, documents, standard streams, the event loop
INBOUND_MAX = 512  # more callers at once than a desk has
RESERVED = OWN + CONNECTIONS_MAX + 1 + BANK_CONNECTIONS
WANTED = RESERVED + INBOUND_MAX
LEAST = 128  # under which one busy minute would use them up
SHARE = 8  # where the limit is under the reserve, callers get one of so many


class TooFewDescriptors(Exception):
    """``str()`` is a line for whoever starts the program."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """``limit`` is in force, ``found`` was there at the start, ``inbound`` is for callers."""

    limit: int
    found: int
    inbound: int


def reserve_descriptors() -> Descriptors:
    """Raise the soft limit to ``WANTED`` as far as the hard one lets, and share it out.

    Raises ``TooFewDescriptors`` under ``LEAST``.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = soft
    if soft != resource.RLIM_INFINITY and soft < WANTED:
        limit = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (ValueError, OSError):  # some systems have a lower bound of their own
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
