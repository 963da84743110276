"""The only edits procctl makes to a user's branch in this release: a new repository and its first commit (SPEC 13)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.errors import UserError
from reconciler.repo.git import Git, check_version
from reconciler.repo.repository import Repository, open_repository

_IDENTITY = "run `git config --global user.name NAME` and `git config --global user.email ADDRESS`, then this again"


def init(folder: Path, environ: Mapping[str, str]) -> Repository:
    """Make a repository with the branch ``main`` in a folder, which is made where it is missing.

    Where the folder is a repository already, nothing changes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    git = Git.at(folder.resolve(), environ)
    check_version(git)
    if not (folder / ".git").exists():
        git.run("init", "--quiet", "--initial-branch=main")
    return open_repository(folder, environ)


def commit_paths(repo: Repository, changed: Sequence[str], message: str) -> str:
    """Commit some paths of the worktree, and nothing else, on the branch it has checked out; gives the commit's id.

    What else is staged stays staged. Hooks do not run; ``commit.gpgSign`` holds. Raises ``UserError`` in a bare
    repository and where git does not know who commits.
    """
    if repo.here is None:
        raise UserError("a bare repository has no files to commit", where=str(repo.git_dir), todo="clone it")
    git = Git(repo.git.environ, repo.here)
    git.run("add", "--force", "--", *changed)
    answer = git.ask("commit", "--quiet", "--only", f"--message={message}", "--", *changed)
    if answer.status and "tell me who you are" in answer.err:
        raise UserError("git does not know who you are", where=str(repo.here), todo=_IDENTITY)
    if answer.status:
        raise git.error(("commit",), answer.status, answer.err or answer.out.decode(errors="replace"))
    return git.run("rev-parse", "HEAD").decode().strip()
