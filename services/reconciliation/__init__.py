"""Reconciliation with the bank: each day is closed against its statement, line by line."""
