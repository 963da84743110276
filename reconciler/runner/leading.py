"""How a runner lives: alone with one job, or as one of a launcher's, which gives it one job after the other.

Either way it leads a session that no terminal and no starter can end, and works on one execution at a time. It takes
another job only while it is as good as new: nothing that the last one started still runs, nobody asked it to end, and
it has not grown. So whatever is found in its session belongs to the execution it works on.
"""

import gc
import os
import resource
import select
import signal
import socket
import traceback
from contextlib import suppress
from typing import NoReturn

from reconciler.runner import job as jobs
from reconciler.runner import orphans, session
from reconciler.runner.frames import Frames
from reconciler.runner.job import Job
from reconciler.runner.rehearsal import rehearse
from reconciler.runner.signals import Signals

FREE = b"."
"""What a runner tells its launcher once it can take a job."""

NO_MORE = b"0"
"""What a launcher sends in the place of a job to a runner that may go."""

GROWTH = 16 * 1024
"""KiB that a runner may grow by before it makes room for a new one."""

_CHUNK = 256 * 1024
_DESCRIPTORS = os.sysconf("SC_OPEN_MAX")


def lead(job: Job) -> NoReturn:
    """Work on one job, and exit."""
    code = session.BUG
    try:
        _leave()
        code = session.run(job, Signals())
    finally:
        _exit(code)


def serve(channel: socket.socket, signals: Signals, *, ahead: bool) -> NoReturn:
    """Work on the jobs that come over ``channel``, in a process that a launcher has just forked, and exit.

    ``signals`` are the launcher's. ``ahead``: no job is there yet, so there is time for a rehearsal.
    """
    code = session.BUG
    try:
        signal.set_wakeup_fd(-1)
        _leave(channel.fileno())
        signals.renew()
        gc.enable()
        code = _work(channel, signals, ahead=ahead)
    finally:
        _exit(code)


def _work(channel: socket.socket, signals: Signals, *, ahead: bool) -> int:
    alone = orphans.adopt()
    if ahead:
        rehearse(signals)
        _free(channel)
    largest = _size() + GROWTH
    while (data := _next(channel, signals)) and data != NO_MORE:
        code = _one(data, signals)
        if code != session.DONE or signals.stopped or not (alone and orphans.none_left()) or _size() > largest:
            return code
        _free(channel)
    return session.DONE


def _free(channel: socket.socket) -> None:
    with suppress(OSError):  # the launcher is gone: no job will come
        channel.send(FREE)


def _one(data: bytes, signals: Signals) -> int:
    try:
        job = jobs.parse(data)
    except ValueError as error:
        session.complain(str(error))
        return session.DONE
    return session.run(job, signals)


def _next(channel: socket.socket, signals: Signals) -> bytes | None:
    """Wait for a job; ``None`` where none can come any more. With it comes where to complain: standard error."""
    frames = Frames()
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(signals.descriptor, select.POLLIN)
    while not signals.stopped:
        for ready, _ in poll.poll():
            if ready == signals.descriptor:
                signals.clear()
                continue
            for frame in frames.feed(chunk := _receive(channel)):
                return frame
            if not chunk:
                return None
    return None


def _receive(channel: socket.socket) -> bytes:
    """Take what comes; nothing where the launcher is gone."""
    try:
        chunk, lent, _, _ = socket.recv_fds(channel, _CHUNK, 1, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return b""  # it went without hearing that this one was free
    for descriptor in lent:
        os.dup2(descriptor, 2)
        os.close(descriptor)
    return chunk


def _leave(kept: int = 2) -> None:
    """Leave the starter's session, and let go of all that was the starter's: a script would inherit it.

    Standard error stays until ``running`` is recorded, and ``kept``, which no script inherits.
    """
    os.closerange(3, kept)
    os.closerange(kept + 1, _DESCRIPTORS)
    if os.getsid(0) != os.getpid():
        os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


def _size() -> int:
    """The most memory this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _exit(code: int) -> NoReturn:
    if code == session.BUG:
        with suppress(OSError):
            traceback.print_exc()
    os._exit(code)
