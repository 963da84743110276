"""What all commands that write have in common: what they are asked, and where they commit (SPEC 9)."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from reconciler import marks, names
from reconciler.cli import commands, failures, workspace
from reconciler.cli.workspace import Workspace
from reconciler.errors import LaterError, UsageError, UserError
from reconciler.problem import Problem, Severity, errors
from reconciler.repo import edit, refs, standing
from reconciler.repo.edit import Committed, Edit
from reconciler.repo.refs import Followed
from reconciler.repo.repository import open_repository
from reconciler.repo.standing import Standing
from reconciler.store.index import Index

_RECORDS = "executions"
_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of every write: why, where, whether to push it, and in which form to answer."""

    reason: str | None
    branch: str | None
    ref: str | None
    remote: str | None
    form: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a write goes: the branch by its full name, and the commit at which it begins if it is new."""

    place: Workspace
    asked: Asked
    ref: str
    start: str

    @property
    def counts(self) -> bool:
        """Whether the commit is in the history that versions are counted from."""
        return self.ref == self.place.followed.ref

    @contextmanager
    def index(self, commit: str | None = None) -> Iterator[Index]:
        """Open the index, with the versions up to a commit of the followed branch (default: its newest)."""
        ref = self.place.followed.ref
        tip = commit or refs.read(self.place.repo, ref) or self.start
        place = replace(self.place, followed=Followed(ref, tip))
        with place.index() as index:
            counted = index.place(tip) is not None
        if not counted:
            what = f"{tip[:12]} is not applied, so versions cannot be told"
            raise LaterError(what, where=ref, todo="see `procctl status`, and try again")
        # A reconciler's own is opened for reading only, and here files are parsed.
        with place.as_it_is() as index:
            yield index

    @contextmanager
    def reading(self) -> Iterator[Index]:
        """Open the index for what it knows of files, whatever versions it has."""
        with self.place.as_it_is() as index:
            yield index

    def commit(self, make: Callable[[str], Edit | None]) -> Committed | None:
        """Commit what is made up from the branch's newest commit; ``None`` where nothing is to do."""
        done = edit.commit(self.place.repo, self.ref, make, start=self.start)
        if done is not None and done.hooks:
            failures.note(f"hooks did not run: {', '.join(done.hooks)}")
        return done


def options(*, branch: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of every command that writes; without ``branch``, of those that make no commit."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        """Add them from the last to the first, as decorators do."""
        function = commands.output_option()(function)
        function = commands.ref_option(function)
        text = "The remote to push to."
        function = click.option("--remote", metavar="NAME", default="origin", show_default=True, help=text)(function)
        function = click.option("--push", is_flag=True, default=False, help="Push it as well.")(function)
        if branch:
            text = "Commit there instead, for a pull request; made where it is not there yet."
            function = click.option("--branch", metavar="NAME", default=None, help=text)(function)
        text = "Why: the message. [default: what is done]"
        return click.option("-m", "--reason", metavar="TEXT", default=None, help=text)(function)

    return decorate


def asked(given: Mapping[str, Any]) -> Asked:
    """Take the common options out of what click gives; ``UsageError`` for a reason that could be read as a mark."""
    reason = given["reason"]
    if reason is not None:
        _check_reason(reason)
    remote = given["remote"] if given["push"] else None
    return Asked(reason, given.get("branch"), given["ref"], remote, given["form"])


def desk(wanted: Asked) -> Desk:
    """Find out where a write goes, and refuse where it must not go.

    It goes to the followed branch. A worktree that stands on another branch, or on none, could mean either, so one of
    them has to be named then.
    """
    here = standing.here(open_repository(commands.chosen_repo() or Path(), os.environ))
    if here is not None and wanted.branch is None:
        _check_standing(here)
    place = workspace.open_workspace(wanted.ref)
    workspace.announce(place)
    followed = place.followed
    branch = wanted.branch.removeprefix(refs.HEADS) if wanted.branch is not None else followed.branch
    if not refs.is_branch(branch) or branch == _RECORDS:
        raise UsageError(f"{branch!r} cannot take edits", where="--branch", todo="name another branch")
    if here is not None and wanted.branch is None and wanted.ref is None and here.ref != followed.ref:
        mine = (here.ref or "").removeprefix(refs.HEADS)
        what = f"this worktree stands on {mine}, and {branch} is followed"
        todo = f"commit on {mine}, for a pull request, with --branch {mine}\nor on {branch} with --ref {branch}"
        raise UserError(what, where=str(here.folder), todo=todo)
    return Desk(place, wanted, refs.HEADS + branch, followed.commit)


def desk_of_tags(wanted: Asked) -> Desk:
    """Where a tag goes: beside all branches, and no worktree is touched."""
    place = workspace.open_workspace(wanted.ref)
    workspace.announce(place)
    return Desk(place, wanted, place.followed.ref, place.followed.commit)


def _check_standing(here: Standing) -> None:
    if busy := here.busy:
        elsewhere = "--branch NAME" if here.ref else "--ref FOLLOWED --branch WHERE-TO-COMMIT"
        todo = f"finish it, or take it back; or commit elsewhere with {elsewhere}"
        raise UserError(f"a {busy} is not finished here", where=str(here.folder), todo=todo)
    if here.ref is None:
        todo = "switch to a branch with `git switch NAME`, or name two: --ref FOLLOWED --branch WHERE-TO-COMMIT"
        raise UserError("HEAD is detached here", where=str(here.folder), todo=todo)


def check_name(text: str, where: str) -> None:
    """Raise ``UsageError`` where a text cannot name a process."""
    if names.is_process(text):
        return
    if text.lower() in names.RESERVED:
        raise UsageError(f"{text!r} is reserved, and no name of a process", where=where, todo="choose another name")
    raise UsageError(f"{text!r} is no name of a process", where=where, todo="use letters, digits, and _ . -")


def message(wanted: Asked, default: str, *lines: str) -> str:
    """The message of a commit: the reason, else what is done; then marks, which only commands write."""
    text = (wanted.reason or default).strip()
    return "\n\n".join([text, "\n".join(lines)]) if lines else text


def refuse(problems: Iterable[Problem], name: str) -> None:
    """Warn of warnings; raise ``UserError`` with all errors, if there are any."""
    found = tuple(problems)
    if wrong := errors(found):
        lines = "\n".join(str(problem) for problem in wrong)
        raise UserError(f"{name} would have errors, so nothing was changed\n{lines}", todo="mend what was given")
    for problem in found:
        if problem.severity is Severity.WARNING:
            failures.warn(
                f"{problem.path}:{problem.line}: {problem.message}" if problem.line else problem.message, problem.hint
            )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise UsageError("the reason is empty", where="-m", todo="say why, or leave -m out")
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise UsageError("the reason is not UTF-8", where="-m", todo="write it as UTF-8") from error
    if len(reason) > _LONGEST:
        raise UsageError("the reason is longer than 64 KiB", where="-m", todo="say it in fewer words")
    if any(marks.parse(line) for line in (reason, *reason.splitlines())):
        what = f"a line of the reason begins with {marks.PREFIX}, which would be read as a mark"
        raise UsageError(what, where="-m", todo="write the line otherwise")
