"""Use cases, their ports, and the domain."""
