"""``procctl validate``: every problem of the working tree, or of a commit, without running anything."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler import validation
from reconciler.cli import commands, failures, formats, report
from reconciler.cli.report import Problems, Report
from reconciler.entry import File
from reconciler.errors import UsageError, UserError
from reconciler.problem import Problem, Severity
from reconciler.repo import objects, refs, worktree
from reconciler.repo.repository import Repository, open_repository
from reconciler.settings import PATH as SETTINGS
from reconciler.snapshot import Snapshot, assemble
from reconciler.store import files, schemas
from reconciler.validation import Parsed
from reconciler.yamltext import LARGEST

_ROOT = "processes"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: how much was looked at, and the problems, sorted."""

    snapshot: Snapshot
    problems: tuple[Problem, ...]

    def count(self, severity: Severity) -> int:
        """How many problems of a kind there are."""
        return sum(problem.severity is severity for problem in self.problems)

    def summary(self) -> str:
        """What was looked at and found, in one line."""
        looked = f"{_count(len(self.snapshot.processes), 'process', 'processes')}, "
        looked += _count(len(self.snapshot.workflows), "workflow", "workflows")
        found = f"{_count(self.count(Severity.ERROR), 'error', 'errors')}, "
        return f"{looked}: {found}{_count(self.count(Severity.WARNING), 'warning', 'warnings')}"


@commands.command("validate")
@click.argument("paths", nargs=-1, metavar="[FILES]...", type=click.Path(path_type=Path))
@click.option("--rev", metavar="REV", default=None, help="Check this commit. [default: the working tree]")
@click.option("--strict", is_flag=True, default=False, help="Let warnings fail too.")
@formats.option
def validate_command(paths: tuple[Path, ...], rev: str | None, form: str, *, strict: bool) -> int:
    """Check processes, workflows, scripts and settings, in the working tree or at a commit.

    Everything is looked at, because files depend on each other; with FILES (files or folders) only their problems are
    reported. Exits 1 where there is an error.
    """
    repo = open_repository(commands.chosen_repo() or Path(), os.environ)
    if rev is None and repo.here is None:
        todo = "name a commit with --rev"
        raise UserError("a bare repository has no working tree", where=str(repo.git_dir), todo=todo)
    checked = check(repo, rev, datetime.now(UTC))
    if paths:
        wanted = [_in_repository(path, repo, must_exist=rev is None) for path in paths]
        kept = tuple(problem for problem in checked.problems if _concerns(problem.path, wanted))
        checked = Checked(checked.snapshot, kept)
    formats.show(_report(checked), form)
    failed = checked.problems if strict else [one for one in checked.problems if one.severity is Severity.ERROR]
    return failures.FAILED if failed else 0


def check(repo: Repository, rev: str | None, now: datetime) -> Checked:
    """Look at a commit, or at the working tree where none is named; warnings of dates are as of ``now``."""
    if rev is not None:
        commit = refs.resolve_revision(repo, rev)
        found = objects.list_tree(repo, commit).files
        texts = _at_commit(repo, found)
    else:
        commit = "the working tree"
        try:
            there = dict(worktree.files(repo.here or Path()))
        except OSError as error:
            raise files.explain(error, Path(error.filename or "")) from error
        found = tuple(there)
        texts = {file.path: data for file, data in there.items()}
    parsed = _parse(found, texts)
    scripts = any(file.path.startswith(f"{_ROOT}/scripts/") for file in found)
    snapshot = assemble(commit, found, commit if scripts else None, lambda file: parsed[file.path])
    return Checked(snapshot, tuple(sorted({*snapshot.problems, *_dated(snapshot, parsed, now)})))


def _at_commit(repo: Repository, found: Iterable[File]) -> dict[str, bytes]:
    wanted = [file for file in found if validation.kind_of(file.path) and file.mode.startswith("100")]
    data = dict(objects.read_blobs(repo, [file.blob for file in wanted], LARGEST))
    return {file.path: data[file.blob] for file in wanted}


def _parse(found: Iterable[File], texts: Mapping[str, bytes]) -> dict[str, Parsed]:
    validator = validation.Validator(schemas.load())
    return {
        file.path: validator.check(kind, file.path, texts.get(file.path, b""))
        for file in found
        if (kind := validation.kind_of(file.path)) is not None
    }


def _dated(snapshot: Snapshot, parsed: Mapping[str, Parsed], now: datetime) -> Iterable[Problem]:
    for declared in snapshot.processes.values():
        if declared.process is not None:
            path = declared.file.path
            yield from validation.dated(declared.process, now, path, parsed[path].places)


def _in_repository(path: Path, repo: Repository, *, must_exist: bool) -> str:
    """Spell a path as problems do; a usage error where it is nothing that is checked."""
    top = repo.here or Path.cwd()
    # the parent only: a file that is itself a symlink is a problem of its own name
    whole = path.absolute().parent.resolve() / path.name
    if must_exist and not os.path.lexists(whole):
        raise UsageError("there is no such file", where=str(path), todo="name files that exist")
    relative = os.path.relpath(whole, top)
    if relative in {".", SETTINGS} or relative.split("/")[0] == _ROOT:
        return relative
    raise UsageError(f"is not below {_ROOT}/, nor {SETTINGS}", where=str(path), todo="leave it out")


def _concerns(path: str, wanted: Sequence[str]) -> bool:
    return any(one in {".", path} or path.startswith(f"{one}/") for one in wanted)


def _report(checked: Checked) -> Report:
    document = {
        "errors": checked.count(Severity.ERROR),
        "warnings": checked.count(Severity.WARNING),
        "problems": [problem.to_document() for problem in checked.problems],
    }
    blocks = (Problems(checked.problems),) if checked.problems else ()
    return Report("validate", checked.summary(), report.findings(checked.problems), document, blocks)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
