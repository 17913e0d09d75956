"""``hazina bench``: measures the whole program on this machine, one line of JSON per case."""
