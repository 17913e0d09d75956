"""Phone numbers that get no prompts: owners block for their partner, admins for all."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Node, Option
from flows.parsers.values import KenyanMobile
from services.domain.partner import Right
from services.domain.phone import Phone


class BlockData(BaseModel):
    """``whose`` says in words which partners' prompts are already blocked."""

    model_config = ConfigDict(frozen=True)

    phone: Phone | None = None
    whose: str | None = None


def _nodes(
    flow: str, scope: str, found: dict[str, str], more: tuple[Node, ...] = ()
) -> tuple[Node, ...]:
    """``scope`` selects the use cases: the partner's own, or all partners'."""
    return (
        Choose(
            "list",
            view=f"{scope}_blocks",
            is_menu=True,
            options=(Option("add", to="phone"),),
            suggest=f"{scope}_blocked",
            into="phone",
            to="seek",
            typed="phone",
        ),
        Ask("phone", into="phone", parse=KenyanMobile(), to="seek"),
        Do(
            "seek",
            use_case=f"find_{scope}_block",
            args=("phone",),
            on={**found, "refused": "refused"},
            gives={name: ("whose",) for name in found if name != "free"},
        ),
        *more,
        Confirm("block", shows=("phone",), yes="do_block"),
        Do(
            "do_block",
            use_case=f"block_{scope}",
            args=("phone",),
            on={"done": "blocked", "refused": "refused"},
        ),
        Confirm("unblock", shows=("phone", "whose"), yes="do_unblock"),
        Do(
            "do_unblock",
            use_case=f"unblock_{scope}",
            args=("phone",),
            on={"done": "unblocked", "refused": "refused"},
        ),
        End("blocked", opens=(flow,)),
        End("unblocked", opens=(flow,)),
        End("refused", opens=(flow,)),
    )


BLOCK = Flow(
    "block",
    version=1,
    data=BlockData,
    start="list",
    needs=Right.SET_RULES,
    in_menu=False,
    takes_argument=True,
    nodes=_nodes("block", "own", {"free": "block", "blocked": "unblock"}),
)

# An admin may unblock what an owner has blocked, or block it for all.
BLOCKING = Flow(
    "blocking",
    version=1,
    data=BlockData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    command="block",
    takes_argument=True,
    nodes=_nodes(
        "blocking",
        "desk",
        {"free": "block", "blocked": "unblock", "partly": "partly"},
        (
            Choose(
                "partly",
                view="desk_block",
                args=("phone",),
                options=(Option("all", to="block"), Option("lift", to="unblock")),
            ),
        ),
    ),
)
