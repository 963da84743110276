"""The environment of a script: what SPEC 6 lists, and nothing else of whoever started procctl.

The base comes inside the job, read by the command line (the one reader of ``os.environ``); it is filtered there, to
keep secrets out of pipes, and again here, where it decides what a script sees.
"""

import re
from collections.abc import Mapping
from typing import Any

from reconciler import instant
from reconciler.execution import Execution

_KEPT = frozenset({"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"})
_PROXIES = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"})
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_UNFIT = re.compile(r"[\0\ud800-\udfff]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def base(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep of an environment what every script may see: search path, home, user, locale, zone, scratch, proxies."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or name.startswith("LC_") or name.lower() in _PROXIES
    }
    return {"PATH": _PATH} | kept


def of_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Write the scalars among a process's settings as variables: texts as they are, others as JSON, null not at all.

    Names and texts that no environment can carry (a NUL in them, say) stand in the input file only. Names that would
    change the child's loader, interpreter, shell or git are refused by validation.
    """
    written = {
        name: value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in settings.items()
        if isinstance(value, str | int | float) and _VARIABLE.fullmatch(name)
    }
    return {name: value for name, value in written.items() if not _UNFIT.search(value)}


def of_execution(execution: Execution) -> dict[str, str]:
    """Give the variables that tell a script which execution it is part of."""
    return {
        "PROCCTL_EXECUTION_ID": execution.id,
        "PROCCTL_PROCESS": execution.name,
        "PROCCTL_VERSION": "" if execution.version is None else str(execution.version),
        "PROCCTL_COMMIT": execution.commit or "",
        "PROCCTL_ENVIRONMENT": execution.environment,
        "PROCCTL_TRIGGER": str(execution.trigger),
        "PROCCTL_REASON": _UNFIT.sub("", execution.reason),
        "PROCCTL_SLOT": instant.text(execution.trigger_time),
    }
