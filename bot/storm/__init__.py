"""``hazina storm``: seeded worlds with people, faults and crashes, and what must hold in them."""

from bot.cli.storm import storm

__all__ = ["storm"]
