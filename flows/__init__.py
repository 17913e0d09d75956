"""Conversations as data, and the engine that steps them."""
