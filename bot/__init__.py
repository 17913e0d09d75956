"""Edges and composition root."""
