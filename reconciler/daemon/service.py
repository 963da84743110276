"""``procctl daemon``: take the lock, gather the parts, turn the loop until told to stop (SPEC 10)."""

import gc
import logging
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.daemon.activity import Activity
from reconciler.daemon.agenda import Agenda
from reconciler.daemon.handing import Handing
from reconciler.daemon.housekeeping import Housekeeping
from reconciler.daemon.ledger import Ledger
from reconciler.daemon.lock import Lock
from reconciler.daemon.loop import Reconciler
from reconciler.daemon.source import Source
from reconciler.daemon.view import View
from reconciler.daemon.wake import Waker
from reconciler.errors import LaterError, ProcctlError, UserError
from reconciler.executors import EXECUTORS, Executor
from reconciler.repo import refs, tip
from reconciler.repo.repository import Repository
from reconciler.runner import environment
from reconciler.store import schedules
from reconciler.store.database import BrokenIndexError
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.sync import parsing, publishing, records
from reconciler.sync.versions import Progress

LOG = logging.getLogger("procctl")

TAKE_OVER = 1.0
"""Seconds between a standby's looks at the lock; SPEC 10 allows 5."""

PAUSE = 0.02
"""Seconds in which wake-ups are gathered while nothing waits: what has just begun needs the processors more."""

AGAIN = timedelta(seconds=2)
"""How long to wait after a turn that the disk or git made fail."""

RECENT = timedelta(days=2)
"""How far back records are looked for that nobody told the index of, when a reconciler starts."""


@dataclass(frozen=True, slots=True)
class Options:
    """What ``procctl daemon`` was told. ``http`` is an address or ``None``; ``max_running`` ``None``: as configured.

    ``follow`` is the tag at which processes are followed, ``None``: the branch.
    """

    repo: Repository
    layout: Layout
    ref: str
    http: str | None = None
    max_running: int | None = None
    no_wait: bool = False
    allow_rewind: bool = False
    follow: str | None = None


def clock() -> datetime:
    """The time of day; the one place where the daemon reads it."""
    return datetime.now(UTC)


def run(options: Options, environ: Mapping[str, str]) -> None:
    """Reconcile until SIGTERM or SIGINT; ``LaterError`` where another holds the lock and ``no_wait`` is set."""
    with ExitStack() as stack:
        waker = stack.enter_context(Waker())
        waker.stop_on(signal.SIGTERM, signal.SIGINT)
        lock = Lock(options.layout.lock)
        if not _locked(lock, options, waker):
            return
        stack.callback(lock.release)
        waker.listen(options.layout.wake)
        executor = EXECUTORS["local"]()
        executor.prepare()
        stack.callback(executor.close)
        options.layout.requests.mkdir(parents=True, exist_ok=True)
        waker.watch([*tip.folders(options.repo), options.layout.requests])
        view = _view(options, environ)
        if view is not None:
            stack.callback(view.stop)
        while not waker.stopping:
            gc.disable()  # what is read now stays: looking through it for garbage would cost a third of the start
            with _assembled(options, environ, waker, executor) as reconciler:
                gc.freeze()
                gc.enable()
                at = f"{reconciler.source.commit[:12]}{f', the tags {options.follow}' if options.follow else ''}"
                LOG.info("ready: following %s at %s", options.ref, at)
                _reconcile(reconciler, waker, view)


def _reconcile(reconciler: Reconciler, waker: Waker, view: View | None) -> None:
    """Turn the loop until told to stop, or until the index is another one, so that all is to be read again."""
    try:
        while not waker.stopping and not reconciler.ledger.index.replaced:
            sleep = _turn(reconciler)
            if view is not None and (code := view.check(clock())) is not None:
                LOG.error("the HTTP view ended with exit code %s; it is started again", code)
            waker.wait(sleep.total_seconds(), 0 if reconciler.activity.crowded else PAUSE)
        if waker.stopping:
            LOG.info("stopping; what runs goes on: %s", len(reconciler.activity))
            reconciler.stop()
            return
        LOG.warning("the index was replaced; it is read again")
    except BrokenIndexError as error:
        LOG.warning("%s; it is built anew", error)
    reconciler.ledger.save()


def _locked(lock: Lock, options: Options, waker: Waker) -> bool:
    """Take the lock, standing by while another holds it; ``False`` where this one was told to stop meanwhile."""
    me = f"pid {os.getpid()} on {socket.gethostname()}"
    announced = False
    while not lock.take(me):
        what = f"another reconciler ({lock.holder()}) has the lock"
        if options.no_wait:
            todo = "stop it, or leave out --no-wait to stand by"
            raise LaterError(what, where=str(options.layout.lock), todo=todo)
        if not announced:
            LOG.info("%s for %s; this one stands by", what, options.layout.environment)
            announced = True
        waker.wait(TAKE_OVER)
        if waker.stopping:
            return False
    return True


def _turn(reconciler: Reconciler) -> timedelta:
    """Turn the loop once. What the disk or git refuses now is tried again: a turn re-reads what is true."""
    try:
        return reconciler.turn()
    except BrokenIndexError:
        raise
    except (OSError, ProcctlError) as error:
        LOG.error("this turn failed and is tried again: %s", error)  # noqa: TRY400 - the machine's fault, no bug
        return AGAIN


@contextmanager
def _assembled(options: Options, environ: Mapping[str, str], waker: Waker, executor: Executor) -> Iterator[Reconciler]:
    """Put the parts together as disk and git have left them, and take them apart again."""
    layout, repo, now, host = options.layout, options.repo, clock(), socket.gethostname()
    restored = publishing.restore_state(layout, repo)
    if restored.warning and layout.records.exists():
        LOG.warning(restored.warning)
    elif restored.warning:
        LOG.info("the first start here: every schedule counts from now")
    try:
        state = schedules.read(layout) or schedules.State()
    except ValueError as error:
        todo = "put a copy back, or remove it: then the state on the branch executions is taken over"
        raise UserError(str(error), where=str(layout.schedules), todo=todo) from error
    with ExitStack() as stack:
        index = Index.open(layout.index, environment=layout.environment, release=parsing.release())
        stack.callback(index.close)
        _fill(index, options, now)
        source = Source(repo, index, options.ref, layout.environment, host, options.max_running, options.follow)
        source.heard = lambda: waker.heard
        remembered = Progress(state.applied, state.mainline)
        source.begin(remembered, allow_rewind=options.allow_rewind)
        activity = Activity(layout)
        for row in index.active(layout.environment):
            activity.add(row.execution)
        ledger = Ledger(repo, layout, index, options.ref, dict(state.tracks), remembered, options.follow)
        if state.follow != options.follow:
            ledger.save()
        handing = Handing(source, ledger, activity, executor, environment.base(environ), waker.path, host)
        housekeeping = Housekeeping(source, ledger, activity, waker.path, now)
        stack.callback(housekeeping.stop)
        reconciler = Reconciler(source, ledger, activity, Agenda(), handing, housekeeping, clock)
        reconciler.begin()
        yield reconciler


def _fill(index: Index, options: Options, now: datetime) -> None:
    """Bring the table of executions up to date: from branch and files where it is new, else from recent files."""
    found = (
        records.refresh(index, options.layout, now - RECENT)
        if index.filled
        else records.rebuild(index, options.layout, options.repo)
    )
    for path, why in found.faults.items():
        LOG.warning("%s: %s", path, why)


def _view(options: Options, environ: Mapping[str, str]) -> View | None:
    if options.http is None:
        return None
    root = options.repo.here or options.repo.git_dir
    branch = options.ref.removeprefix(refs.HEADS)
    arguments = ["--repo", str(root), "serve", "--ref", branch, "--environment", options.layout.environment]
    return View([*arguments, "--http", options.http], environ)
