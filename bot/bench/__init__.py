"""``hazina bench``: how fast the whole program is on this machine, one JSON line a case."""

from bot.bench.command import bench

__all__ = ["bench"]
