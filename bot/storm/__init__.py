"""``hazina storm``: seeded worlds with people, faults and crashes, and the invariants they must
keep.
"""
