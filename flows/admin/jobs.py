"""Scheduled jobs: when they ran, when they run next, and running one now."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Confirm, Do, End, Flow, Look
from services.domain.partner import Right


class JobsData(BaseModel):
    model_config = ConfigDict(frozen=True)

    job: str | None = None


JOBS = Flow(
    "jobs",
    version=1,
    data=JobsData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    counted_by="stuck_jobs",
    nodes=(
        Look("list", view="jobs", into="job", to="confirm"),
        Confirm("confirm", shows=("job",), yes="run"),
        Do("run", use_case="run_job", args=("job",), on={"done": "done", "refused": "refused"}),
        End("done"),
        End("refused"),
    ),
)


class CleanUpData(BaseModel):
    model_config = ConfigDict(frozen=True)


CLEAN_UP = Flow(
    "cleanup",
    version=1,
    data=CleanUpData,
    start="confirm",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(
        Confirm("confirm", shows=(), yes="run"),
        Do("run", use_case="clean_up", args=(), on={"done": "done", "refused": "refused"}),
        End("done"),
        End("refused"),
    ),
)
