"""Two commits compared: what the index adds to it, and that the index stays as it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.execution import Outcome
from reconciler.marks import rename
from reconciler.sync import comparison, versions
from reconciler.sync.comparison import Comparison, Span

SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
NOW = SLOT + timedelta(hours=12)
SCRIPT = {"processes/scripts/a.sh": "#!/bin/sh\n"}
EVERY = "script: a.sh\nevery: 1m\n"


def compared(
    archive: Any, base: str, head: str, environment: str = "production", *, indexed: bool = True
) -> Comparison:
    span = Span(base, head, "base", "head")
    return comparison.compare(archive.repo, archive.index if indexed else None, span, NOW, environment)


def overruns(found: Comparison) -> list[Any]:
    return [one.timing.overrun for one in found.preview.processes if one.timing is not None]


def numbers(found: Comparison) -> dict[str, int | None]:
    return {one.name: one.version for one in found.preview.processes}


@pytest.mark.parametrize(
    ("environment", "count", "expected"), [("production", 9, 80), ("production", 4, None), ("test", 9, None)]
)
def test_nine_of_ten_past_runs_decide_what_overlaps(
    archive: Any, workshop: Any, environment: str, count: int, expected: int | None
) -> None:
    base = workshop.commit({**SCRIPT, "processes/A.yaml": "script: a.sh\n"})
    for number in range(count):
        run = archive.make(name="A", trigger_time=SLOT + number * timedelta(hours=1))
        archive.write(archive.ran(run, Outcome.SUCCESS, 10 * (number + 1)))
    head = workshop.commit({"processes/A.yaml": EVERY})
    (overrun,) = overruns(compared(archive, base, head, environment))
    assert (overrun and overrun.duration) == (expected and timedelta(seconds=expected))
    assert overruns(compared(archive, base, head, environment, indexed=False)) == [None]


def test_the_index_is_read_and_never_written(archive: Any, workshop: Any) -> None:
    base = workshop.commit({**SCRIPT, "processes/A.yaml": EVERY})
    versions.extend(archive.repo, archive.index, base)
    head = workshop.commit({"processes/A.yaml": EVERY + "retries: 1\n", "processes/B.yaml": EVERY})
    changes = archive.index._connection.total_changes
    with_index, without = compared(archive, base, head), compared(archive, base, head, indexed=False)
    assert archive.index._connection.total_changes == changes
    assert numbers(with_index) == numbers(without) == {"A": 2, "B": 1}


@pytest.mark.parametrize("counted", ["nothing", "before", "base", "further", "head"])
def test_numbers_do_not_depend_on_what_the_index_has_counted(archive: Any, workshop: Any, counted: str) -> None:
    tips = {"before": workshop.commit({**SCRIPT, "processes/A.yaml": EVERY})}
    tips["base"] = workshop.commit({"processes/A.yaml": EVERY + "# two\n"})
    workshop.git("checkout", "-q", "-b", "feature")
    tips["head"] = workshop.commit({"processes/A.yaml": EVERY + "# three\n"})
    workshop.git("checkout", "-q", "main")
    tips["further"] = workshop.commit({"processes/C.yaml": EVERY})
    if counted in tips:
        versions.extend(archive.repo, archive.index, tips[counted])
    assert numbers(compared(archive, tips["base"], tips["head"])) == {"A": 3}


def test_a_mark_of_a_rename_counts_where_it_holds(archive: Any, workshop: Any) -> None:
    base = workshop.commit({**SCRIPT, "processes/A.yaml": EVERY, "processes/X.yaml": "script: a.sh\n"})
    workshop.commit({"processes/A.yaml": None, "processes/B.yaml": EVERY + "retries: 1\n"}, rename("A", "B"))
    head = workshop.commit({"processes/B.yaml": None, "processes/C.yaml": EVERY + "retries: 2\n"}, rename("B", "C"))
    found = compared(archive, base, head)
    ((one),) = found.preview.processes
    assert (one.name, one.former, one.version) == ("C", "A", 2)
    assert found.warnings == ()
    taken = workshop.commit({"processes/C.yaml": None, "processes/X.yaml": "script: a.sh\n# x\n"}, rename("C", "X"))
    (warning,) = compared(archive, head, taken).warnings
    assert "Procctl-Rename: C X does not hold" in warning


def test_a_commit_compared_with_itself_costs_no_counting(archive: Any, workshop: Any) -> None:
    base = workshop.commit({**SCRIPT, "processes/A.yaml": EVERY})
    found = compared(archive, base, base)
    assert found.preview.processes == ()
    assert found.warnings == ()
