"""A process repository: where its parts lie (SPEC 2), found once and passed as a value."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import UserError
from reconciler.repo.git import Answer, Git, check_version

_QUESTIONS = (
    "--git-dir",
    "--git-common-dir",
    "--is-bare-repository",
    "--is-shallow-repository",
    "--is-inside-work-tree",
    "--show-cdup",
)
_NEW = "--path-format=absolute"
"""What a git that is too old does not know, and gives back as it is: its version need not be asked for."""


@dataclass(frozen=True, slots=True)
class Repository:
    """One process repository.

    ``git_dir`` is that of the worktree that was opened, ``common_dir`` the one all worktrees share. ``worktree`` is the
    main worktree, where records lie (``None``: bare); ``here`` the one that was opened, where edits are made.
    ``shallow`` marks a clone that lacks the older history. ``git`` runs git on it.
    """

    git_dir: Path
    common_dir: Path
    worktree: Path | None
    here: Path | None
    shallow: bool
    git: Git


def open_repository(path: Path, environ: Mapping[str, str]) -> Repository:
    """Open the repository that a folder belongs to, as git finds it; ``environ`` is the process's environment.

    Raises ``UserError`` where there is none, where git does not trust its owner, or where git is missing or too old.
    """
    folder = path.resolve()
    if not folder.is_dir():
        raise UserError("there is no such folder", where=str(path), todo="name a repository with --repo")
    finder = Git.at(folder, environ)
    answer = finder.ask("rev-parse", _NEW, *_QUESTIONS)
    if answer.status or answer.out.startswith(_NEW.encode()):
        check_version(finder)
        raise _refusal(folder, finder, answer)
    lines = os.fsdecode(answer.out).removesuffix("\n").split("\n")
    bare, shallow, inside = (line == "true" for line in lines[2:5])
    # outside of its worktree a repository may have no way up to it
    if len(lines) not in {len(_QUESTIONS) - (not inside), len(_QUESTIONS)} or not set(lines[2:5]) <= {"true", "false"}:
        raise UserError("a path with a line break in it cannot be read", where=repr(str(folder)), todo="move it")
    git_dir, common_dir = Path(lines[0]).resolve(), Path(lines[1]).resolve()
    here = (folder / lines[5]).resolve() if inside else None
    git = Git(finder.environ, folder, git_dir)
    main = None if bare else _main_worktree(git, git_dir, common_dir, here)
    return Repository(git_dir, common_dir, main, here, shallow, git)


def _main_worktree(git: Git, git_dir: Path, common_dir: Path, here: Path | None) -> Path | None:
    """Find the main worktree, which git names only to those who stand in it."""
    if git_dir == common_dir and here:
        return here
    settings = replace(git, git_dir=common_dir).ask("config", "-z", "--get-regexp", r"^core\.(bare|worktree)$")
    found = dict(line.split("\n", 1) for line in os.fsdecode(settings.out).split("\0") if "\n" in line)
    if found.get("core.bare") == "true":
        return None
    if "core.worktree" in found:
        return (common_dir / found["core.worktree"]).resolve()
    if common_dir.name == ".git":
        return common_dir.parent
    todo = f"tell git with `git --git-dir={common_dir} config core.worktree FOLDER`, or name the main worktree"
    raise UserError("git does not say where the main worktree is", where=str(common_dir), todo=todo)


def _refusal(folder: Path, git: Git, answer: Answer) -> UserError:
    where = str(folder)
    if "dubious ownership" in answer.err or "unsafe repository" in answer.err:
        todo = f"if you trust them, run `git config --global --add safe.directory {folder}`"
        return UserError("this repository belongs to another user, so git does not read it", where=where, todo=todo)
    if "not a git repository" in answer.err:
        todo = "go into one, name one with --repo, or make one with `procctl init`"
        return UserError("this is no git repository", where=where, todo=todo)
    return git.error(("rev-parse",), answer.status, answer.err)
