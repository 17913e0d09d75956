"""Where a partner's events are sent: owners add endpoints, test them and remove them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Option
from flows.parsers.webhooks import WebhookUrl
from services.domain.ids import Reference
from services.domain.partner import Right


class WebhooksData(BaseModel):
    """``kinds`` says in a word which events a new endpoint gets; ``endpoint`` is an id, and the
    secret is never here."""

    model_config = ConfigDict(frozen=True)

    url: str | None = None
    kinds: str | None = None
    endpoint: Reference | None = None


WEBHOOKS = Flow(
    "webhooks",
    version=1,
    data=WebhooksData,
    start="list",
    needs=Right.SET_RULES,
    in_menu=False,
    command="webhook",
    takes_values=False,
    nodes=(
        Choose(
            "list",
            view="webhooks",
            is_menu=True,
            options=(Option("new", to="url"),),
            suggest="own_webhooks",
            into="endpoint",
            to="one",
        ),
        Ask("url", into="url", parse=WebhookUrl(), to="check", free_text=True),
        Do(
            "check",
            use_case="check_webhook_url",
            args=("url",),
            on={"good": "kinds", "again": "url", "refused": "refused"},
            gives={"good": ("url",)},
        ),
        Choose(
            "kinds",
            options=tuple(
                Option(kinds, to="confirm", puts={"kinds": kinds})
                for kinds in ("all", "topup", "float")
            ),
        ),
        Confirm(
            "confirm",
            shows=("url", "kinds"),
            yes="make",
            edit={"url": "url", "kinds": "kinds"},
        ),
        Do(
            "make",
            use_case="make_webhook",
            args=("url", "kinds"),
            on={"made": "made", "refused": "refused"},
            gives={"made": ("endpoint",)},
        ),
        Choose(
            "one",
            view="webhook",
            args=("endpoint",),
            is_menu=True,
            options=(
                Option("test", to="test"),
                Option("on", to="switch_on"),
                Option("remove", to="sure"),
            ),
        ),
        Do(
            "test",
            use_case="test_webhook",
            args=("endpoint",),
            on={"sent": "one", "refused": "refused"},
        ),
        Do(
            "switch_on",
            use_case="switch_on_webhook",
            args=("endpoint",),
            on={"done": "one", "refused": "refused"},
        ),
        Confirm("sure", shows=("endpoint",), yes="remove", view="webhook", args=("endpoint",)),
        Do(
            "remove",
            use_case="remove_webhook",
            args=("endpoint",),
            on={"done": "removed", "refused": "refused"},
        ),
        End("made", opens=("webhooks",)),
        End("removed", opens=("webhooks",)),
        End("refused", opens=("webhooks",)),
    ),
)
