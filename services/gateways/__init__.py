"""Adapters for outside providers, one module each."""
