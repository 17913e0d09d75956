"""Turns pydantic's validation errors into lines for the person who wrote the settings."""

from __future__ import annotations

from pydantic import ValidationError


def describe_errors(error: ValidationError) -> list[str]:
    """One line per error, without the value, which may be a secret."""
    return [
        ": ".join(
            [
                *(str(part).upper() for part in fault["loc"][:1]),  # deeper parts index the value
                fault["msg"].removeprefix("Value error, "),
            ]
        )
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]
