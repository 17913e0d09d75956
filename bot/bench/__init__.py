"""``hazina bench``: how fast the whole program is on this machine, one JSON line a case."""

from bot.cli.bench import bench

__all__ = ["bench"]
