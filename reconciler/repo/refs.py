"""Which commit is followed (SPEC 2), and what a commit id means.

Only full ref names and ids reach git, so no tag can stand in for a branch (attack class 19).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler import names
from reconciler.errors import NotFoundError, UserError
from reconciler.repo.repository import Repository

HEADS = "refs/heads/"
_COMPONENT = re.compile(r"(?!\.)(?!.*\.\.)(?!.*@\{)(?!.*\.lock\Z)[^\x00-\x20\x7f~^:?*\[\\/]+")


@dataclass(frozen=True, slots=True)
class Followed:
    """The branch that is followed, by its full name (``refs/heads/main``), and its newest commit.

    ``tag`` is the tag at which each process is followed, ``None`` where they are as on the branch. ``moved`` are the
    tags, by full name, that may be others than when they were followed last; ``None`` says nothing about them.
    """

    ref: str
    commit: str
    tag: str | None = None
    moved: frozenset[str] | None = None

    @property
    def branch(self) -> str:
        """The branch's short name."""
        return self.ref.removeprefix(HEADS)


def is_branch(name: str) -> bool:
    """Whether a text can name a branch: git's rules, without asking git."""
    parts = name.split("/")
    # of all its parts only the last must not end with a dot
    return (
        not name.startswith("-")
        and not name.endswith(".")
        and name != "HEAD"
        and all(_COMPONENT.fullmatch(part) for part in parts)
    )


def followed(repo: Repository, ref: str | None, configured: Callable[[str], str | None]) -> Followed:
    """Find the branch to follow: ``ref``, else the one that is configured at HEAD's commit, else the one HEAD names.

    ``configured`` gives the setting ``branch`` at a commit. Raises ``UserError`` for an empty repository, a branch that
    does not exist, and a detached HEAD where nothing else names a branch.
    """
    if ref is not None:
        return _branch(repo, ref.removeprefix(HEADS), "--ref")
    head, named = _head(repo)
    chosen = configured(head) if head else None
    if chosen is not None:
        return _branch(repo, chosen.removeprefix(HEADS), "the setting branch in procctl.yaml")
    if named is None or not named.startswith(HEADS):
        todo = "name a branch with --ref, or set `branch` in procctl.yaml"
        raise UserError("HEAD is detached, so it names no branch to follow", where=str(repo.git_dir), todo=todo)
    if head is None:
        todo = f"commit something on {named.removeprefix(HEADS)!r}, or make an example with `procctl init`"
        raise UserError("the repository has no commit yet", where=str(repo.git_dir), todo=todo)
    return Followed(named, head)


def head_ref(repo: Repository) -> str | None:
    """The full name of the ref that HEAD names, which may not exist yet; ``None`` where HEAD is detached."""
    answer = repo.git.ask("symbolic-ref", "-q", "HEAD")
    return answer.out.decode(errors="surrogateescape").strip() or None if answer.status == 0 else None


def _head(repo: Repository) -> tuple[str | None, str | None]:
    """The commit of HEAD and the ref that it names, as far as there are any."""
    answer = repo.git.ask("rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD")
    lines = answer.out.decode(errors="surrogateescape").splitlines()
    if answer.status or len(lines) != 2:  # noqa: PLR2004 - the commit and the name
        return read(repo, "HEAD"), head_ref(repo)
    commit, name = lines
    return commit, name if name != "HEAD" else None


def read(repo: Repository, ref: str) -> str | None:
    """The commit that a full ref name (or ``HEAD``) stands at; ``None`` where there is none of exactly that name."""
    answer = repo.git.ask("show-ref", "--verify", "--hash", "--end-of-options", ref)
    if answer.status and "not a valid ref" not in answer.err:
        raise repo.git.error(("show-ref",), answer.status, answer.err)
    return answer.out.decode().strip() or None


def resolve_commit(repo: Repository, id_: str) -> str:
    """The full id of the commit that 7 or more hex digits begin.

    A branch or tag of that name counts for nothing. Raises ``NotFoundError`` where there is no such commit, and
    ``UserError`` where there are several.
    """
    if names.ABBREVIATED.fullmatch(id_) is None:
        raise UserError(f"{id_!r} is no commit id", todo="give at least 7 hex digits of it")
    candidates = repo.git.run("rev-parse", f"--disambiguate={id_}").decode().split()
    kinds = repo.git.run("cat-file", "--batch-check", given="".join(f"{full}\n" for full in candidates).encode())
    commits = [line.split()[0] for line in kinds.decode().splitlines() if line.split()[1] == "commit"]
    if not commits:
        raise NotFoundError(f"there is no commit {id_}", where=str(repo.git_dir), todo="fetch it, or see `git log`")
    if len(commits) > 1:
        raise UserError(f"{id_} begins {len(commits)} commits", where=str(repo.git_dir), todo="give more digits")
    return commits[0]


def resolve_revision(repo: Repository, revision: str) -> str:
    """The full id of the commit that a revision means to git (``main``, ``HEAD~2``), for a user at the command line."""
    plain = revision.isprintable() and not revision.startswith("-")
    answer = (
        repo.git.ask("rev-parse", "-q", "--verify", "--end-of-options", f"{revision}^{{commit}}") if plain else None
    )
    if answer is None or answer.status:
        raise NotFoundError(f"{revision!r} is no commit here", where=str(repo.git_dir), todo="see `git log --all`")
    return answer.out.decode().strip()


def is_ancestor(repo: Repository, old: str, new: str) -> bool:
    """Whether one commit is the other or lies in its history; no, where the old one is gone."""
    answer = repo.git.ask("merge-base", "--is-ancestor", "--end-of-options", old, new)
    if answer.status > 1 and "Not a valid commit name" not in answer.err:
        raise repo.git.error(("merge-base",), answer.status, answer.err)
    return answer.status == 0


def _branch(repo: Repository, name: str, given_by: str) -> Followed:
    if not is_branch(name):
        raise UserError(f"{name!r} is no name of a branch", where=given_by, todo="name one that `git branch` shows")
    commit = read(repo, HEADS + name)
    if commit is None:
        todo = "name one that `git branch` shows, or commit something on it"
        raise UserError(f"there is no branch {name!r}", where=given_by, todo=todo)
    return Followed(HEADS + name, commit)
