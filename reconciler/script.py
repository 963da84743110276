"""What a Python script under ``processes/scripts/`` may import: ``from reconciler.script import report, input``.

The one root module that reads the environment and files: it runs inside the script. It imports next to nothing, because
each script pays for it, and it never fails where procctl is absent: run by hand, a script has an empty input, and its
reports go to standard error.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # importing typing would cost each script 3 ms; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

__all__ = ["abort", "data", "fail", "input", "loader_message", "log", "mask", "message", "output", "report"]


def input() -> dict[str, Any]:  # noqa: A001 - SPEC 6 gives the name
    """Give the input: the process's with the caller's body over it, ``settings``, and ``outputs`` of earlier phases.

    An empty one where no file is named (``PROCCTL_INPUT``); ``OSError`` or ``ValueError`` where the file is broken.
    """
    path = os.environ.get("PROCCTL_INPUT")
    if path is None:
        return {}
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs a script ten times what this function does
        given: dict[str, Any] = json.load(file)
    return given


def report(**fields: Any) -> None:
    """Report one line of SPEC 6: ``report(message="…")``, ``report(log="…", level="warn")``, ``report(output={…})``.

    It is appended in one write, so threads and child processes may report as well. ``TypeError`` where a value is no
    JSON, ``ValueError`` where a number is none (NaN), ``OSError`` on a full disk.
    """
    line = (json.dumps(fields, allow_nan=False) + "\n").encode()
    path = os.environ.get("PROCCTL_REPORT")
    if path is None:
        sys.stderr.write(line.decode())
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while line:
            line = line[os.write(descriptor, line) :]
    finally:
        os.close(descriptor)


def message(text: str) -> None:
    """Say what the phase does now; lists and pages show it while it runs."""
    report(message=text)


def log(text: str, level: str = "info") -> None:
    """Write to the phase's log; ``level`` is ``debug``, ``info``, ``warn`` or ``fatal``."""
    report(log=text, level=level)


def output(**values: Any) -> None:
    """Hand values to later phases: they find them in ``input()["outputs"][PHASE]``; later ones replace earlier ones."""
    report(output=values)


def data(
    *,
    series: Mapping[str, Sequence[str]] | None = None,
    curves: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Name the data that was updated: ids by date, ``data(series={"2021-07-01": ["#ECB_FX.EURUSD:SPOT"]})``."""
    report(data={"series": _lists(series), "curves": _lists(curves)})


def loader_message(text: str) -> None:
    """Sum up what was loaded, ``Updated 32 series for 2021-07-01``: the line that lists of executions show."""
    report(loaderMessage=text)


def mask(secret: str) -> None:
    """Keep a value out of every log and message from here on, also in its base64, URL and JSON forms."""
    report(mask=secret)


def fail(reason: str) -> NoReturn:
    """End the script as failed, for this reason; another attempt follows if the phase has ``retries`` left."""
    report(fail=reason)
    sys.exit(1)


def abort(reason: str) -> NoReturn:
    """End the whole execution as failed, for this reason, without another attempt."""
    report(abort=reason)
    sys.exit(1)


def _lists(ids: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    return {date: list(names) for date, names in (ids or {}).items()}
