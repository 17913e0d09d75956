"""``hazina storm``: seeded worlds with people, faults and crashes, and what must hold in them."""

from bot.storm.command import storm

__all__ = ["storm"]
