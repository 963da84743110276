"""One way to commit to a user's branch (SPEC 9), and a new repository with its first commit (SPEC 13).

A commit is made beside all worktrees, on an index of its own, and the branch moves by compare and swap: what somebody
else committed meanwhile is never lost. Hooks do not run; ``commit.gpgSign`` and ``user.*`` hold.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import LaterError, UserError
from reconciler.repo import objects, paths, refs, standing
from reconciler.repo.git import Git, check_version
from reconciler.repo.repository import Repository, open_repository
from reconciler.repo.standing import Entry, Held, Target

_IDENTITY = "run `git config --global user.name NAME` and `git config --global user.email ADDRESS`, then this again"
_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit")
_ATTEMPTS = 100
_PATIENCE = 30.0
"""Seconds to wait for another command that writes; one takes a fraction of a second."""
_PAUSE = 0.02
_LOCKED = 3000
"""Milliseconds to wait for another git that holds the branch."""
_FILE = "100644"


@dataclass(frozen=True, slots=True)
class Edit:
    """What one commit is to do: new bytes by path (``None`` removes), and its message. No changes: an empty commit.

    ``rests_on`` are the paths that it was made up from. Where one of them is another by the time it is committed,
    making it up again would do something else than what was asked for.
    """

    message: str
    changes: Mapping[str, bytes | None]
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made: its id, the branch by its full name, and the hooks that git would have run."""

    commit: str
    ref: str
    hooks: tuple[str, ...]

    @property
    def branch(self) -> str:
        """The branch's short name."""
        return self.ref.removeprefix(refs.HEADS)


def commit(
    repo: Repository, ref: str, make: Callable[[str], Edit | None], *, start: str | None = None
) -> Committed | None:
    """Commit what ``make`` says of the branch's newest commit, and bring every worktree that stands on it up to date.

    ``make`` is asked again where another commit came first; it gives ``None`` where nothing is to do. A branch that is
    not there yet begins at ``start``. ``UserError`` where a worktree has uncommitted changes of an edited file or is in
    the middle of something, and where git does not know who commits; ``LaterError`` where what it rests on changed.
    """
    rested: dict[str, Entry | None] = {}
    with _alone(repo):
        for attempt in range(_ATTEMPTS):
            old = refs.read(repo, ref)
            tip = old or start
            if tip is None:
                raise UserError(f"there is no branch {ref.removeprefix(refs.HEADS)!r}", where=str(repo.git_dir))
            edit = make(tip)
            if edit is None:
                return None
            seen = entries(repo, tip, edit.rests_on)
            if attempt and (changed := [path for path, entry in rested.items() if seen.get(path) != entry]):
                what = "was changed by another commit in the same moment, so nothing was done"
                raise LaterError(what, where=changed[0], todo="look at `git log -1 -p`, and try again")
            rested = seen
            targets = _targets(repo, tip, edit.changes)
            made = _made(repo, tip, targets, edit.message)
            if _moved(repo, ref, old, made, targets):
                return Committed(made, ref, hooks(repo, _HOOKS))
    raise LaterError(f"others commit to {ref} all the time", where=str(repo.git_dir), todo="try again")


def permit(repo: Repository, ref: str) -> None:
    """Raise ``UserError`` where a worktree that stands on a branch is in the middle of a merge, a rebase and so on."""
    for place in standing.worktrees(repo):
        if place.ref == ref and (busy := place.busy):
            todo = (
                f"finish it, or end it with `git {busy.split()[0]} --abort`" if busy != "bisect" else "git bisect reset"
            )
            raise UserError(f"a {busy} is not finished here", where=str(place.folder), todo=todo)


def entries(repo: Repository, tip: str, wanted: Sequence[str]) -> dict[str, Entry | None]:
    """The mode and the blob of some paths at a commit; ``None`` for those that are no files there."""
    if not wanted:
        return {}
    out = repo.git.run("ls-tree", "-z", "--full-tree", "--end-of-options", tip, *wanted)
    found: dict[str, Entry | None] = dict.fromkeys(wanted)
    for row in out.split(b"\0"):
        facts, _, path = row.partition(b"\t")
        if path and (words := facts.decode().split())[1] == "blob":
            found[paths.text(path)] = (words[0], words[2])
    return found


def hooks(repo: Repository, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those of some hooks that git would run here, if the user had called it."""
    # The last value is our own: no hook ever runs by this door.
    answer = repo.git.ask("config", "--type=path", "--get-all", "core.hooksPath").out.decode(errors="replace")
    configured = answer.splitlines()[:-1]
    folder = (repo.here or repo.git_dir) / configured[-1] if configured else repo.common_dir / "hooks"
    return tuple(name for name in wanted if os.access(folder / name, os.X_OK))


@contextmanager
def _alone(repo: Repository) -> Iterator[None]:
    """Let one command at a time write here; the kernel lets go of the lock with the process, however it dies.

    Compare and swap would do for the branch, but between its steps another command would take the files in the
    worktrees for uncommitted changes.
    """
    folder = repo.common_dir / "procctl"
    folder.mkdir(exist_ok=True)
    with (folder / "writes.lock").open("ab") as file:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    what = "another command of procctl has been writing here for long"
                    raise LaterError(what, where=file.name, todo="see whether it waits for a passphrase") from None
                time.sleep(_PAUSE)
        yield


def _targets(repo: Repository, tip: str, changes: Mapping[str, bytes | None]) -> list[Target]:
    """Write the new blobs, and say what each changed file is and was."""
    found = entries(repo, tip, tuple(changes))
    targets = []
    for path, new in changes.items():
        if not paths.is_safe(path):
            raise UserError(
                f"{path!r} cannot be the path of a file", todo="use letters, digits, and _ . - between them"
            )
        entry = found[path]
        if entry is not None and not entry[0].startswith("100"):
            raise UserError("is no plain file in git", where=path, todo="replace it with one, and commit")
        blob = (
            repo.git.run("hash-object", "-w", "--stdin", "--no-filters", given=new).decode().strip()
            if new is not None
            else ""
        )
        new_entry = (entry[0] if entry else _FILE, blob) if new is not None else None
        data = next(data for _, data in objects.read_blobs(repo, (entry[1],), 1 << 24)) if entry else None
        targets.append(Target(path, entry, data, new_entry, new))
    return targets


def _made(repo: Repository, tip: str, targets: Sequence[Target], message: str) -> str:
    """Make the commit; no branch has it yet."""
    with tempfile.TemporaryDirectory(prefix="edit-", dir=repo.common_dir / "procctl") as folder:
        git = _configured(repo.git, "i18n.commitEncoding", "UTF-8")
        git = replace(git, environ={**git.environ, "GIT_INDEX_FILE": str(Path(folder, "index"))})
        tree = f"{tip}^{{tree}}"
        if targets:
            git.run("read-tree", "--end-of-options", tip)
            none = ("0", "0" * len(tip))
            rows = "".join(f"{' '.join(each.new_entry or none)}\t{each.path}\0" for each in targets)
            git.run("update-index", "-z", "--index-info", given=rows.encode())
            tree = git.run("write-tree", "--missing-ok").decode().strip()
        sign = ["-S"] if git.ask("config", "--type=bool", "--get", "commit.gpgSign").out.strip() == b"true" else []
        answer = git.ask("commit-tree", *sign, "-p", tip, "-F", "-", tree, given=f"{message.strip()}\n".encode())
    if not answer.status:
        return answer.out.decode().strip()
    where = str(repo.here or repo.git_dir)
    if "tell me who you are" in answer.err or "identity unknown" in answer.err:
        raise UserError("git does not know who you are", where=where, todo=_IDENTITY)
    if sign:
        said = " ".join(answer.err.split())
        todo = "mend user.signingKey and gpg.format, or unset commit.gpgSign"
        raise UserError(f"git could not sign the commit: {said}", where=where, todo=todo)
    raise repo.git.error(("commit-tree",), answer.status, answer.err)


def _moved(repo: Repository, ref: str, old: str | None, made: str, targets: Sequence[Target]) -> bool:
    """Move the branch, and with it the worktrees that stand on it; ``False`` where another commit came first.

    Files and index entries come before the branch. Killed in between, a worktree shows the change that was asked for,
    uncommitted, and nothing is in force. The other way round it would show the opposite of a change that is in force,
    and the next `git commit` there would take it back without a word.
    """
    permit(repo, ref)
    places = [place for place in standing.worktrees(repo) if place.ref == ref]
    try:
        held = [standing.look(place, target) for place in places for target in targets]
    except UserError:
        if refs.read(repo, ref) != old:  # then the files have moved on with the branch
            return False
        raise
    brought: list[Held] = []
    try:
        for each in held:
            brought.append(each)
            standing.bring(each)
        git = _configured(repo.git, "core.filesRefLockTimeout", str(_LOCKED))
        answer = git.ask("update-ref", "-m", "commit (procctl)", ref, made, old or "0" * len(made))
    except BaseException:  # whatever it was, a user's files must not stay ahead of the branch
        if refs.read(repo, ref) != made:
            _undo(brought)
        raise
    if not answer.status:
        return True
    now = refs.read(repo, ref)
    after = entries(repo, now, [each.path for each in targets]) if now else {}
    _undo([each for each in brought if after.get(each.target.path) != each.target.new_entry])
    if now != old:
        return False
    if "Unable to create" in answer.err:
        what = "another git holds the branch, or left its lock behind"
        raise LaterError(
            what, where=str(repo.common_dir / f"{ref}.lock"), todo="try again; if no git runs, remove that file"
        )
    raise repo.git.error(("update-ref",), answer.status, answer.err)


def _configured(git: Git, key: str, value: str) -> Git:
    """Git with one more setting for one call."""
    setting = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": value}
    return replace(git, environ={**git.environ, **setting})


def _undo(brought: Sequence[Held]) -> None:
    for each in reversed(brought):
        standing.undo(each)


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
    """Commit some paths of the worktree as they lie there, on the branch it has checked out; gives the commit's id.

    For a first commit, which has no branch yet. What else is staged stays staged. Raises ``UserError`` in a bare
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
