"""The options below the end of a conversation, which go back to an operation or open a flow.

They name the operation and belong to no turn, so they stay good however old the message is. They
decide nothing: each opens a question, a Confirm at most.
"""

from __future__ import annotations

from flows.engine.event import Button, Rows
from flows.engine.frames import entry_refusal
from flows.engine.host import Host
from flows.engine.nodes import End, Flow
from flows.engine.session import Ended, FlowRegistry
from flows.engine.texts import Texts

IN_A_ROW = 3
_ABOUT = ":"  # between an option and the operation, or the flow, that it is about
AGAIN = "again"  # without an operation it begins the flow from its first question


def option_about(option: str, about: str) -> str:
    return f"{option}{_ABOUT}{about.lower()}"


def split_option(option: str) -> tuple[str, str]:
    """The option's own id, and what it is about, if anything."""
    name, _, about = option.partition(_ABOUT)
    return name, about


class NextSteps:
    def __init__(self, flows: FlowRegistry, texts: Texts) -> None:
        self._flows = flows
        self._texts = texts

    def rows(self, ended: Ended, host: Host) -> Rows:
        """Those of an End that this person may use, and the menu; none where the End has none."""
        flow = self._flows.newest.get(ended.flow)
        node = None if flow is None else flow.find(ended.node)
        if flow is None or not isinstance(node, End) or not (node.repeats or node.opens):
            return ()
        first: Rows = ()
        if ended.resumes is not None:
            first = ((Button(ended.resumes, self._say(host, f"menu.{ended.resumes}")),),)
        buttons = []
        for option in node.repeats:
            about = ended.operation or (flow.name if option == AGAIN else None)
            if about is not None and self._may_repeat(flow, option, host):
                label = self._say(host, f"{flow.name}.{node.id}.{option}")
                buttons.append(Button(option_about(option, about), label))
        for name in node.opens:
            if entry_refusal(self._flows.newest[name], host) is None:
                buttons.append(Button(name, self._say(host, f"menu.{name}")))
        buttons.append(Button("menu", self._say(host, "button.menu")))
        starts = range(0, len(buttons), IN_A_ROW)
        return (*first, *(tuple(buttons[at : at + IN_A_ROW]) for at in starts))

    def _may_repeat(self, flow: Flow, option: str, host: Host) -> bool:
        """Whether this person may use what the option opens, which may be another flow."""
        names = {repeat.flow or flow.name for repeat in flow.repeats[option]}
        return all(entry_refusal(self._flows.newest[name], host) is None for name in names)

    def _say(self, host: Host, key: str) -> str:
        return self._texts.say(host.language, key, short=host.channel.phone_menu)
