"""The names on ``/metrics`` say what each metric is, and the guide says what it means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kit.measured_desk import metrics_of_everything

GUIDE = Path(__file__).parents[3] / "docs/monitoring/README.md"
# Units that are not the base unit of what they measure.
DERIVED = ("_ms", "_milliseconds", "_minutes", "_hours", "_days", "_kilobytes", "_megabytes")


@pytest.fixture
async def exposition(tmp_path: Path) -> str:
    return await metrics_of_everything(tmp_path)


async def test_a_counter_ends_in_total_and_nothing_else_does(exposition: str) -> None:
    for family in text_string_to_metric_families(exposition):
        assert family.type in ("counter", "gauge", "histogram"), family.name
        for sample in family.samples:
            is_counter = family.type == "counter"
            assert sample.name.endswith("_total") is is_counter, sample.name
            assert "_total" not in sample.name.removesuffix("_total")


async def test_a_name_begins_with_the_program_and_ends_in_a_base_unit(exposition: str) -> None:
    for family in text_string_to_metric_families(exposition):
        assert family.name.startswith("hazina_")
        assert not family.name.endswith(DERIVED)
        assert family.documentation, family.name
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


async def test_no_label_is_one_that_prometheus_gives_to_what_it_scrapes(exposition: str) -> None:
    """It would arrive as ``exported_job``."""
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            assert not {"job", "instance"} & {*sample.labels}, family.name


async def test_every_metric_has_been_used_here(exposition: str) -> None:
    unused = [f.name for f in text_string_to_metric_families(exposition) if not f.samples]
    assert unused == [], "tests/kit/measured_desk.py uses each"


async def test_the_guide_has_every_metric_with_its_type_and_labels(exposition: str) -> None:
    row = re.compile(r"^\| `(hazina_\w+)(?:\{(.*)\})?` \| (\w+) \|", re.MULTILINE)
    told = row.findall(GUIDE.read_text(encoding="utf-8"))
    measured = []
    for family in text_string_to_metric_families(exposition):
        if not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = [label for label in family.samples[0].labels if label != "le"]
            measured.append((name, ",".join(labels), family.type))
    assert sorted(told) == sorted(measured)
