"""What schemathesis must not draw, loaded by it from ``schemathesis.toml``.

JSON Schema takes 250449.0 for an integer. The contract does not: an amount is never a float, so
that no client comes to rely on one. This is the one form of integers that is refused.
"""

from __future__ import annotations

from typing import Any

import schemathesis


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_float, value))
    return isinstance(value, float)


@schemathesis.hook
def filter_body(context: schemathesis.HookContext, body: Any) -> bool:
    return not _has_float(body)
