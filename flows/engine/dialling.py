"""What a phone that has dialled sees first: what is under way, what is unfinished, or the menu."""

from __future__ import annotations

from flows.engine.event import StepResult
from flows.engine.frames import fill, park
from flows.engine.host import Begun, Exit, Host
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Do
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import RESUME_NODE, FlowRegistry, Frame, Session


class Dialling:
    def __init__(self, flows: FlowRegistry, renderer: ScreenRenderer, runner: NodeRunner) -> None:
        self._flows = flows
        self._renderer = renderer
        self._runner = runner

    def dial(self, session: Session, host: Host, *, fresh: bool) -> StepResult:
        """``fresh``: at the menu, whatever is open; it stays open."""
        park(session)
        session.ended = None
        open_frames = [] if fresh else list(reversed(session.parked.values()))
        for frame in open_frames:
            if frame.waiting is not None:
                return self._under_way(session, frame, host)
        begun = None if fresh else host.under_way()
        if begun is not None and begun.operation is not None:
            return self._begun(session, begun, host)
        if open_frames:
            newest = open_frames[0].flow
            session.active = Frame(newest, RESUME_NODE, newest.data())
            return StepResult(self._renderer.current_screen(session, host), "resume")
        if begun is not None:
            return self._begun(session, begun, host)
        return StepResult(self._renderer.menu(session, host), "menu")

    def _begun(self, session: Session, begun: Begun, host: Host) -> StepResult:
        """What no conversation waits for any more, because another was begun since or it was long
        ago."""
        session.parked.pop(begun.flow, None)
        frame = session.active = Frame.start(self._flows.newest[begun.flow])
        fill(frame, begun.values)
        frame.node, frame.waiting = begun.node, begun.operation
        screen = self._renderer.current_screen(session, host, above=begun.above)
        return StepResult(screen, "under_way", operation=begun.operation)

    def _under_way(self, session: Session, frame: Frame, host: Host) -> StepResult:
        """How the operation stands, or has ended."""
        session.active = session.parked.pop(frame.flow.name)
        node, operation = frame.flow.node(frame.node), frame.waiting
        assert isinstance(node, Do)
        assert operation is not None
        if node.status_use_case is not None:
            ended = host.act(node.status_use_case, operation)
            if isinstance(ended, Exit):
                to = node.on[ended.name]
                return self._runner.enter(session, frame, to, host, ended.facts, ended.name)
        screen = self._renderer.current_screen(session, host)
        return StepResult(screen, "under_way", operation=operation)
