"""Reads the fields of a form, as gateways and carriers post them."""

from __future__ import annotations

from urllib.parse import parse_qsl

MEDIA_TYPE = "application/x-www-form-urlencoded"


def read_form(body: bytes, fields_max: int) -> list[tuple[str, str]] | None:
    """Names and values in their order, decoded once: ``%2B`` is a plus, and a plus is a blank.

    ``None`` if it is not UTF-8, or has more than ``fields_max`` fields.
    """
    try:
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=fields_max,
        )
    except ValueError:
        return None
