"""``hazina bench``: how fast the whole program is on this machine, one JSON line a case."""
