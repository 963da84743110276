"""Git's tags as names of versions: ``KEY/TAG`` of one process, and ``TAG`` of the whole repository (SPEC 9).

They are listed in one call, and written annotated, by compare and swap: what somebody else moved meanwhile is never
overwritten. Only full ref names reach git, so no branch can stand in for a tag (attack class 19).
"""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler import names
from reconciler.errors import LaterError, NotFoundError, UserError
from reconciler.repo.git import Answer
from reconciler.repo.repository import Repository
from reconciler.repo.stamps import Memo, Seen, seen

TAGS = "refs/tags/"
_FORMAT = (
    "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)%00"
    "%(taggername)%00%(taggerdate:unix)%00%(contents:subject)%00%(contents:body)%00"
)
_FIELDS = 9
_MANY = 200
"""Names that one call asks for; for more, all tags are listed and the others left out."""

_PACKED = ("packed-refs", "reftable/tables.list")
"""Where tags are that have no file of their own; below git's common directory."""
_READ: "Memo[dict[str, Tag]]" = Memo()

_BLOCKED = re.compile(r"'refs/tags/([^']+)' exists; cannot create")
_SHA1 = 40


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag by its full name without ``refs/tags/``, and the commit it names, through other tags if need be.

    ``commit`` is ``None`` where it names a tree or a blob, or where this clone lacks the commit. ``object`` is what the
    ref itself stands at: what ``put`` and ``remove`` take as ``old``. ``tagger``, ``time`` and ``message`` are empty
    where the tag is not annotated.
    """

    name: str
    commit: str | None
    tagger: str
    time: datetime | None
    message: str
    object: str


def all(repo: Repository) -> dict[str, Tag]:  # noqa: A001 - read as tags.all
    """Every tag of a repository, by its full name."""
    return _listed(repo)


def some(repo: Repository, wanted: Sequence[str]) -> dict[str, Tag]:
    """The tags of these full names, as far as there are any; it costs those, not all that there are."""
    if not wanted:
        return {}
    found = _listed(repo) if len(wanted) > _MANY else _listed(repo, *(TAGS + name for name in wanted))
    return {name: found[name] for name in wanted if name in found}


def of(repo: Repository, *keys: str) -> dict[str, Tag]:
    """The tags ``KEY/…`` of some processes, and those of the whole repository.

    What did not move since it was read is not read again: asking for each of many processes costs a look at a folder.
    """
    packed = tuple(seen(repo.common_dir / file) for file in _PACKED)
    parts = {f"{TAGS}*": (seen(repo.common_dir / TAGS), *packed)}
    parts |= {f"{TAGS}{key}/": (seen(repo.common_dir / TAGS / key), *packed) for key in keys}
    known = {part: _READ.get((repo.common_dir, part), stamp) for part, stamp in parts.items() if any(stamp)}
    unknown, begun = [part for part, found in known.items() if found is None], _READ.clock()
    read = _read(repo, unknown, packed=any(packed))
    for part in unknown:
        prefix = part.removeprefix(TAGS).removesuffix("*")
        found = {name: tag for name, tag in read.items() if (name.startswith(prefix) if prefix else "/" not in name)}
        _READ.put((repo.common_dir, part), parts[part], found, begun)
        known[part] = found
    return {name: tag for found in known.values() if found for name, tag in found.items()}


def stamp(repo: Repository) -> tuple[Seen | None, ...]:
    """What moves whenever a tag ``TAG`` or ``KEY/TAG`` does: a look at each folder of tags."""
    top = os.fspath(repo.common_dir / TAGS)
    try:
        with os.scandir(top) as entries:
            folders = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        folders = []
    packed = (os.fspath(repo.common_dir / file) for file in _PACKED)
    return tuple(seen(path) for path in (*packed, top, *folders))


def _read(repo: Repository, parts: Sequence[str], *, packed: bool) -> dict[str, Tag]:
    """List parts of all tags. Where each tag is a file, git need not look through those of all processes."""
    whole = f"{TAGS}*"
    if packed or whole not in parts:
        return _listed(repo, *parts) if parts else {}
    try:
        with os.scandir(repo.common_dir / TAGS) as entries:
            files = [TAGS + entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:  # git removes folders that it emptied
        files = []
    patterns = [*(files if len(files) <= _MANY else [whole]), *(part for part in parts if part != whole)]
    return _listed(repo, *patterns) if patterns else {}


def called(repo: Repository, text: str) -> dict[str, Tag]:
    """The tags ``KEY/TEXT`` of all processes, and the repository's ``TEXT``, by full name."""
    found = _listed(repo, f"{TAGS}{text}", f"{TAGS}*/{text}")
    return {name: tag for name, tag in found.items() if name == text or name.count("/") == 1}


def put(repo: Repository, name: str, commit: str, message: str, old: str | None) -> str:
    """Let an annotated tag name a commit; gives the tag's own object.

    ``old`` is the object that the tag stands at, ``None`` where there is none yet: where it is another one by now, that
    is a ``LaterError``. ``tag.gpgSign`` holds; hooks do not run. Raises ``UserError`` where git does not know who tags,
    and where another tag is in the way.
    """
    _check(name)
    made = _made(repo, name, commit, message)
    answer = repo.git.ask("update-ref", "--no-deref", "-m", "procctl tag", TAGS + name, made, old or "0" * len(made))
    if answer.status:
        raise _refusal(repo, name, answer)
    return made


def remove(repo: Repository, name: str, old: str) -> None:
    """Remove a tag that stands at the object ``old``; ``LaterError`` where it stands elsewhere by now."""
    _check(name)
    answer = repo.git.ask("update-ref", "--no-deref", "-m", "procctl untag", "-d", TAGS + name, old)
    if answer.status:
        raise _refusal(repo, name, answer)


def commit_of(tag: Tag) -> str:
    """The commit that a tag names; ``NotFoundError`` where it names none."""
    if tag.commit is None:
        what = f"the tag {tag.name} names no commit that is here, so it picks no version"
        raise NotFoundError(what, where=TAGS + tag.name, todo=f"see `git show {TAGS}{tag.name}`, and tag a commit")
    return tag.commit


def _check(name: str) -> None:
    key, slash, tag = name.rpartition("/")
    if not names.is_tag(tag) or (slash and not names.is_process(key)):
        raise UserError(f"{name!r} cannot be the name of a tag", todo="use letters, digits, and _ . - between them")


def _listed(repo: Repository, *patterns: str) -> dict[str, Tag]:
    answer = repo.git.ask("for-each-ref", _FORMAT, *(patterns or (TAGS,)))
    if answer.status:
        if "missing object" not in answer.err and "bad object" not in answer.err:
            raise repo.git.error(("for-each-ref",), answer.status, answer.err)
        return _bare(repo, *patterns)
    parts = answer.out.decode(errors="replace").split("\0")
    rows = [parts[start : start + _FIELDS] for start in range(0, len(parts) - _FIELDS, _FIELDS)]
    nested = {row[1]: None for row in rows if row[4] == "tag"}
    peeled = _peeled(repo, list(nested)) if nested else {}
    return {tag.name: tag for row in rows for tag in (_tag(row, peeled),)}


def _bare(repo: Repository, *patterns: str) -> dict[str, Tag]:
    """The tags of a repository in which objects are missing: one broken tag must not hide the others."""
    listed = repo.git.run("for-each-ref", "--format=%(objectname) %(refname)", *(patterns or (TAGS,)))
    rows = [line.split(" ", 1) for line in listed.decode(errors="replace").splitlines()]
    peeled = _peeled(repo, [id_ for id_, _ in rows])
    found = ((ref.removeprefix(TAGS), id_) for id_, ref in rows)
    return {name: Tag(name, peeled.get(id_), "", None, "", id_) for name, id_ in found}


def _peeled(repo: Repository, ids: Sequence[str]) -> dict[str, str]:
    """The commits that objects are or name, of those which do."""
    asked = "".join(f"{id_}^{{commit}}\n" for id_ in ids).encode()
    lines = repo.git.run("cat-file", "--batch-check", given=asked).decode(errors="replace").splitlines()
    answers = (line.split() for line in lines)
    return {
        id_: words[0]
        for id_, words in zip(ids, answers, strict=True)
        if len(words) == 3 and words[1] == "commit"  # noqa: PLR2004 - the id, the kind and the size
    }


def _tag(row: Sequence[str], peeled: Mapping[str, str]) -> Tag:
    ref, id_, kind, inner, inner_kind, tagger, seconds, subject, body = row
    name = ref.lstrip("\n").removeprefix(TAGS)
    if kind != "tag":
        return Tag(name, id_ if kind == "commit" else None, "", None, "", id_)
    commit = inner if inner_kind == "commit" else peeled.get(id_)
    message = "\n\n".join(part for part in (subject, body.strip("\n")) if part)
    return Tag(name, commit, tagger, _instant(seconds), message, id_)


def _instant(seconds: str) -> datetime | None:
    """When a tag was made; nobody checks what a tag says of it, so it may be no instant at all."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _made(repo: Repository, name: str, commit: str, message: str) -> str:
    """Make the object of an annotated tag, by the only command of git that signs one: it wants to write a ref as well.

    So it gets a repository of its own that shares objects and settings with this one, and is gone thereafter.
    """
    with tempfile.TemporaryDirectory(prefix="procctl-tag-", dir=repo.common_dir) as folder:
        aside = Path(folder)
        (aside / "refs").mkdir()
        (aside / "objects").mkdir()
        (aside / "HEAD").write_text("ref: refs/heads/main\n")
        form = "" if len(commit) == _SHA1 else "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n"
        (aside / "config").write_text(f"[core]\n\tbare = true\n{form}")
        settings = (repo.common_dir / "config", repo.git_dir / "config.worktree")
        environ = {**repo.git.environ, "GIT_OBJECT_DIRECTORY": str(repo.common_dir / "objects")}
        environ["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, path in enumerate(settings):
            environ |= {f"GIT_CONFIG_KEY_{number}": "include.path", f"GIT_CONFIG_VALUE_{number}": os.fspath(path)}
        git = replace(repo.git, environ=environ, git_dir=aside)
        arguments = ("tag", "--annotate", f"--message={message.rstrip()}\n", "--cleanup=verbatim", "--", name, commit)
        answer = git.ask(*arguments)
        if answer.status and "tell me who you are" in answer.err:
            todo = "run `git config --global user.name NAME` and `git config --global user.email ADDRESS`"
            raise UserError("git does not know who you are", where=str(repo.git_dir), todo=todo)
        if answer.status:
            raise repo.git.error(("tag",), answer.status, answer.err)
        if "error:" in answer.err:  # git 2.39 makes the tag all the same, without the signature
            said = answer.err.partition("error:")[2].splitlines()[0].strip()
            todo = "mend user.signingKey, or unset tag.gpgSign"
            raise UserError(f"git could not sign the tag: {said}", where=str(repo.git_dir), todo=todo)
        return git.run("rev-parse", "--verify", "--end-of-options", TAGS + name).decode().strip()


def _refusal(repo: Repository, name: str, answer: Answer) -> UserError | LaterError:
    blocking = _BLOCKED.search(answer.err)
    if blocking is not None:
        other = blocking[1]
        what = f"the tag {name} cannot be made beside the tag {other}: git keeps one as a file, the other in a folder"
        todo = f"give {other} another name: `git tag NEW {other}`, then `git tag -d {other}`"
        return UserError(what, where=TAGS + other, todo=todo)
    if "but expected" in answer.err or "already exists" in answer.err or "unable to resolve" in answer.err:
        return LaterError(
            f"somebody else moved the tag {name} meanwhile", where=TAGS + name, todo="look, and try again"
        )
    if "Unable to create" in answer.err and "File exists" in answer.err:
        return LaterError(f"somebody else is moving the tag {name}", where=TAGS + name, todo="try again")
    return repo.git.error(("update-ref",), answer.status, answer.err)
