"""Pushing what a command has just written, where the user asks for it (SPEC 9): the only way to the network from here.

Git's own transports only: a remote helper, or a path on this machine, could run what nobody reviewed (attack classes 3
and 5). Nothing is forced but tags, and those only from where this clone knows them to be.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import LaterError, UserError
from reconciler.repo.git import Answer
from reconciler.repo.repository import Repository

PROTOCOLS = "https:ssh:http:git"
HOOKS = ("pre-push",)
PATIENCE = 600.0
"""Seconds for one call of a remote: a first push of a large repository may take minutes, silence must not for ever."""

_NETWORK = frozenset(
    {
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("SSH_AGENT_PID", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "KRB5CCNAME"),
        *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"),
    }
)
"""What a push inherits beyond other calls: proxies, certificates, and what credential helpers ask for keys."""

_UNASKED = {"GIT_ASKPASS": "false", "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
"""Nobody may be there to answer, so nothing asks; helpers, agents and files of keys do their work."""

_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Ref:
    """One ref to push by its full name. ``old`` is the object that the remote must have there: ``""`` for none.

    Without ``old`` it is only moved forward, as branches are. ``gone`` deletes it.
    """

    name: str
    old: str | None = None
    gone: bool = False


def push(repo: Repository, environ: Mapping[str, str], remote: str, wanted: Sequence[Ref]) -> None:
    """Push some refs, all of them or none. ``environ`` is the process's environment, of which a part is inherited.

    ``LaterError`` where the remote has moved on or cannot be reached, ``UserError`` where it takes no pushes at all.
    """
    if _REMOTE.fullmatch(remote) is None or not repo.git.ask("config", "--get", f"remote.{remote}.url").out.strip():
        todo = (
            f"add it with `git remote add {remote} URL`" if _REMOTE.fullmatch(remote) else "name one `git remote` shows"
        )
        raise UserError(f"there is no remote {remote!r}", where="--push", todo=todo)
    inherited = {name: value for name, value in environ.items() if name in _NETWORK}
    git = replace(repo.git, environ={**repo.git.environ, **inherited, **_UNASKED}, protocols=PROTOCOLS)

    def reach(*args: str) -> Answer:
        """Ask the remote, or give up on it."""
        return git.ask_remote(*args, outside=environ, patience=PATIENCE)

    wanted = _there(reach, remote, wanted)
    if not wanted:
        return
    leases = [f"--force-with-lease={ref.name}:{ref.old}" for ref in wanted if ref.old is not None]
    atomic = ["--atomic"] if len(wanted) > 1 else []
    # A leading + would silently take the lease away.
    specs = [f":{ref.name}" if ref.gone else f"{ref.name}:{ref.name}" for ref in wanted]
    options = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", *atomic, *leases)
    answer = reach("push", *options, "--end-of-options", remote, *specs)
    if answer.status:
        raise _refusal(remote, wanted, answer)


def _there(reach: Callable[..., Answer], remote: str, wanted: Sequence[Ref]) -> list[Ref]:
    """Leave out what is to be deleted and is not there: one such ref would hold all others back."""
    gone = [ref.name for ref in wanted if ref.gone]
    if not gone:
        return list(wanted)
    answer = reach("ls-remote", "--refs", "--end-of-options", remote, *gone)
    if answer.status:
        raise _refusal(remote, wanted, answer)
    there = {line.partition("\t")[2] for line in answer.out.decode(errors="replace").splitlines()}
    return [ref for ref in wanted if not ref.gone or ref.name in there]


def _refusal(remote: str, wanted: Sequence[Ref], answer: Answer) -> UserError | LaterError:
    said = _SECRET.sub("***@", answer.err)
    rows = [line.split("\t") for line in answer.out.decode(errors="replace").splitlines() if line.startswith("!")]
    reasons = [row[-1] for row in rows if len(row) > 1 and "atomic" not in row[-1]]
    branch = next((ref.name.rpartition("refs/heads/")[2] for ref in wanted if ref.name.startswith("refs/heads/")), None)
    if "not allowed" in said and "transport" in said:
        todo = "push it yourself with `git push`; --push uses https, ssh, http and git only"
        what = "the remote is a path on this machine or a helper program, which could run anything"
        return UserError(what, where=remote, todo=todo)
    if any("[rejected]" in reason for reason in reasons):
        if branch is None:
            todo = (
                f"look at it with `git ls-remote {remote}`, fetch it with `git fetch {remote} tag TAG`, and try again"
            )
            return LaterError("the tag is not there as this clone knows it", where=remote, todo=todo)
        todo = f"bring it in with `git pull {remote} {branch}`, then `git push {remote} {branch}`"
        return LaterError("somebody else was first there, so it was not pushed", where=remote, todo=todo)
    if any("[remote rejected]" in reason for reason in reasons):
        why = reasons[0].replace("[remote rejected]", "").strip(" ()")
        todo = (
            "write with --branch NAME instead, and open a pull request" if branch else "ask who looks after the remote"
        )
        return UserError(f"the remote refused it: {why}", where=remote, todo=todo)
    lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:", "remote:", "ssh:"))]
    what = "; ".join(line.partition(":")[2].strip() for line in lines) or said.strip() or "git said nothing"
    return LaterError(
        f"it was not pushed: {what}", where=remote, todo="see whether `git push` works here, and try again"
    )
