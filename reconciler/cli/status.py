"""``procctl status``: what is in force, what runs, and what is wrong (SPEC 10)."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reconciler.cli import commands, failures, output, workspace
from reconciler.cli.terminal import Column
from reconciler.cli.workspace import Workspace
from reconciler.repo import worktree
from reconciler.web import overview, wording

_SLOTS = 5
_ROWS = 20
_REFUSED = (
    "the newest commit is refused: the applied one is not in its history; bring that back, or accept it with "
    "`procctl daemon --allow-rewind`"
)

Document = dict[str, Any]


@commands.command("status")
@commands.ref_option
@commands.environment_option
@commands.output_option()
def status_command(ref: str | None, environment: str | None, form: str) -> int:
    """Show the followed and the applied commit, problems, what is held, what runs, and the next slots.

    Where the reconciler follows a tag: at which version each process is, and which have no tag.

    Exits 1 when degraded: an error, a held process, or an enabled process whose last execution failed.
    """
    place = workspace.open_workspace(ref, environment)
    now = datetime.now(UTC)
    with place.index() as index:
        document = overview.status(index, place.repo, place.followed.ref, now)
        overview.add_next_runs(index, document["processes"], now)
        document["reconciler"] = place.health.to_document()
        if place.health.refused == document["commit"]:
            document["reasons"] = [_REFUSED if one == overview.NOT_YET else one for one in document["reasons"]]
        document["uncommitted"] = list(worktree.uncommitted(place.repo))
    output.show(form, document, names=[document["state"]], table=lambda: "\n".join(_lines(place, document)))
    return failures.FAILED if document["state"] == "Degraded" else 0


def _lines(place: Workspace, document: Document) -> Iterator[str]:
    yield document["state"]
    yield from (f"  {reason}" for reason in document["reasons"])
    yield from ("", *_facts(place, document))
    wrong = [one for one in document["processes"] if one["why"]]
    if wrong:
        rows = [[one["name"], str(one["state"]), one["why"]] for one in wrong]
        yield from _section(
            "Processes to look at", [Column("NAME"), Column("STATE"), Column("WHY", shrinks=True)], rows
        )
    tagged = [[one["name"], str(one["version"] or "-"), one["tag"]] for one in document["processes"] if one["tag"]]
    if tagged:
        yield from _section("At their tags", [Column("NAME"), Column("VERSION", right=True), Column("TAG")], tagged)
    if document["problems"]:
        found = [_problem(problem) for problem in document["problems"]]
        yield from _section(
            "Problems of what is followed" if document["follow"] else "Problems of the applied commit",
            [Column("WHERE"), Column("WHAT", shrinks=True)],
            found,
        )
    if document["ignoredMarks"]:
        ignored = [[one["commit"][:12], one["mark"], one["why"]] for one in document["ignoredMarks"]]
        columns = [Column("COMMIT"), Column("MARK", shrinks=True), Column("WHY", shrinks=True)]
        yield from _section("Marks that do not hold, and changed nothing", columns, ignored, _SLOTS)
    running = [one["last"] | one for one in document["processes"] if one["state"] == "running"]
    if running:
        rows = [[one["name"], one["_id"][:8], output.brief(one["triggerTime"]), one["took"]] for one in running]
        yield from _section("Running", [Column("NAME"), Column("ID"), Column("DUE"), Column("SO FAR")], rows)
    due = sorted((one["nextRun"], one["name"]) for one in document["processes"] if one["nextRun"])[:_SLOTS]
    if due:
        yield from _section("Next", [Column("DUE"), Column("NAME")], [[output.brief(at), name] for at, name in due])


def _section(title: str, columns: list[Column], rows: list[list[str]], most: int = _ROWS) -> Iterator[str]:
    yield f"\n{title}:"
    yield output.table(columns, rows[:most], "")
    if len(rows) > most:
        yield f"… and {len(rows) - most} more"


def _problem(problem: dict[str, Any]) -> list[str]:
    where = f"{problem['path']}:{problem['line']}" if problem["line"] else problem["path"]
    return [where, f"{problem['severity']}: {problem['message']}"]


def _facts(place: Workspace, document: Document) -> Iterator[str]:
    counted = Counter(str(one["state"]) for one in document["processes"])
    states = ", ".join(f"{number} {state}" for state, number in counted.items())
    facts = {
        "environment": document["environment"],
        "following": f"{place.followed.branch} at {place.followed.commit[:12]}"
        + (f", each process at its tag {document['follow']}" if document["follow"] else ""),
        "applied": (document["applied"] or "-")[:12],
        "reconciler": "at work" if place.health.ready else f"none: {place.health.reason}",
        "processes": f"{len(document['processes'])}" + (f" ({states})" if states else ""),
        "unpublished": wording.count(document["unpublished"], "record"),
    }
    edited = document["uncommitted"]
    if edited:
        facts["uncommitted"] = ", ".join(edited[:_SLOTS]) + (" …" if len(edited) > _SLOTS else "")
    width = max(map(len, facts))
    yield from (f"{key:{width}}  {value}" for key, value in facts.items())
