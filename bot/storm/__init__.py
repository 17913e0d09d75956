"""``hazina storm``: seeded worlds with people, faults and crashes, and what must hold in them."""
