"""Use cases, their ports and the domain they speak in."""
