"""``procctl init``: a process repository that works at once."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli import commands, failures, scaffold, terminal
from reconciler.errors import ProcctlError, UserError
from reconciler.repo import edit
from reconciler.repo.git import Git
from reconciler.repo.repository import Repository, open_repository
from reconciler.store import files

_MESSAGE = "Set up the process repository"
_RECORDS = "executions"
_STAND_IN = {
    "GIT_AUTHOR_NAME": "procctl",
    "GIT_AUTHOR_EMAIL": "procctl@localhost",
    "GIT_COMMITTER_NAME": "procctl",
    "GIT_COMMITTER_EMAIL": "procctl@localhost",
}


@commands.command("init")
@click.argument("directory", required=False, default=None, type=click.Path(file_okay=False, path_type=Path))
def init_command(directory: Path | None) -> int:
    """Make a process repository in DIRECTORY (default: where you stand).

    It gets example processes, schemas for editors and a check of pull requests, and works at once. Where there are
    files already only what is missing is added; nothing is overwritten.
    """
    root = (directory or commands.chosen_repo() or Path()).resolve()
    repo, made = _repository(root)
    parts = scaffold.missing(root)
    scaffold.write(root, parts)
    try:
        if parts:
            _commit(repo, tuple(parts))
    except ProcctlError:
        scaffold.remove(root / target for target in parts)
        raise
    excluded = _exclude_records(repo, root)
    kept = [target for target in scaffold.PARTS if target not in parts and (root / target).exists()]
    _report(root, made=made, added=parts, kept=kept, excluded=excluded)
    return 0


def _repository(root: Path) -> tuple[Repository, bool]:
    """Open the repository whose top is this folder, or make one; ``True`` where it is new."""
    inside = Git.at(next(folder for folder in (root, *root.parents) if folder.is_dir()), os.environ)
    try:
        if inside.ask("rev-parse", "--git-dir").status:
            return edit.init(root, os.environ), True
    except OSError as error:
        raise files.explain(error, Path(error.filename or root)) from error
    repo = open_repository(inside.folder, os.environ)
    if repo.here is None:
        todo = "clone it, run `procctl init` in the clone, and push"
        raise UserError("a bare repository has no files to write", where=str(root), todo=todo)
    if repo.here != root:
        todo = f"run `procctl init {repo.here}`, or choose a folder outside of it"
        raise UserError(f"the folder lies inside the repository {repo.here}", where=str(root), todo=todo)
    return repo, False


def _commit(repo: Repository, paths: tuple[str, ...]) -> None:
    if repo.git.ask("var", "GIT_COMMITTER_IDENT").status:
        failures.note("git does not know who you are, so procctl signs the first commit as itself")
        repo = replace(repo, git=replace(repo.git, environ={**repo.git.environ, **_STAND_IN}))
    edit.commit_paths(repo, paths, _MESSAGE)


def _exclude_records(repo: Repository, root: Path) -> bool:
    """Have git ignore records where no ``.gitignore`` does; ``True`` where that was needed."""
    exclude = repo.common_dir / "info" / "exclude"
    if any(_names_records(path) for path in (root / ".gitignore", exclude)):
        return False
    try:
        exclude.parent.mkdir(exist_ok=True)
        with exclude.open("a", encoding="utf-8") as file:
            file.write(f"/{_RECORDS}/\n")
    except OSError as error:
        raise files.explain(error, exclude) from error
    return True


def _names_records(path: Path) -> bool:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return False
    return any(line.strip().strip(b"/") == _RECORDS.encode() for line in lines)


def _report(root: Path, *, made: bool, added: Mapping[str, object], kept: list[str], excluded: bool) -> None:
    """Say what was done and what comes next."""
    lines = [f"Made a process repository in {root}" if made else f"The process repository in {root}"]
    lines += [f"  added  {target}" for target in added]
    lines += [f"  kept   {target}" for target in kept]
    lines += [f"  added  /{_RECORDS}/ to .git/info/exclude"] if excluded else []
    lines += _next(root, added) if added else ["Nothing was missing."]
    for line in lines:
        click.echo(terminal.plain(line))


def _next(root: Path, added: Mapping[str, object]) -> list[str]:
    here = Path.cwd()
    step = [] if root == here else [f"  cd {root.relative_to(here) if root.is_relative_to(here) else root}"]
    example = "hello" if "processes/hello.yaml" in added else "NAME"
    return ["Next:", *step, f"  procctl run {example}", "  procctl daemon --http 127.0.0.1:7071"]
