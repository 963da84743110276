"""How a script is run: by itself, where it has a shebang and its run bit, else by what its suffix says (SPEC 6)."""

import errno
import os
import re
import stat
import sys
from pathlib import Path

SCRIPTS = "processes/scripts/"
"""Where scripts lie in a process repository; a checkout of them holds this folder's content."""

_METADATA = re.compile(rb"^# /// script\r?$", re.MULTILINE)
_RUNNABLE = "a shebang (#!) and the run bit, or a suffix of .py, .sh, .js or .mjs"
_CLUES = {
    errno.E2BIG: "its environment is too large (settings and reason go there): pass large values in the input",
    errno.EAGAIN: "the system has no room for another process",
    errno.ENOMEM: "the system has no memory for another process",
}


class NotRunnableError(Exception):
    """A script that cannot be run; the text says why and what to do."""


def of(tree: Path, script: str, search: str) -> tuple[str, ...]:
    """Give the argument list that runs a script of a checkout; ``search`` is a ``PATH``.

    Raises ``NotRunnableError`` where it is missing, no file, or nothing says how to run it.
    """
    name = script.removeprefix(SCRIPTS)
    path = tree / name
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise NotRunnableError(f"the script {name} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise NotRunnableError(f"the script {name} is no file (symlinks and folders are never run)")
    if mode & stat.S_IXUSR and _has_shebang(path):
        return (str(path),)
    match path.suffix:
        case ".py":
            return _python(path, search)
        case ".sh":
            return ("/bin/sh", str(path))
        case ".js" | ".mjs":
            return (_found("node", name, search), str(path))
        case _:
            raise NotRunnableError(f"the script {name} is not executable: give it {_RUNNABLE}")


def explain(error: OSError, command: tuple[str, ...]) -> str:
    """Say why the kernel would not run a command: most often the interpreter that its first line names."""
    path = Path(command[0])
    if error.errno in _CLUES:
        return _CLUES[error.errno]
    try:
        with path.open("rb") as file:
            first = file.readline(256)
    except OSError:
        return f"{path.name} cannot be run: {error.strerror}"
    if not first.startswith(b"#!"):
        return f"{path.name} cannot be run: {error.strerror}"
    interpreter = first[2:].strip(b" \t\n").decode(errors="replace")
    if interpreter.endswith("\r"):
        return f"the script {path.name} has Windows line endings, so its interpreter {interpreter!r} is not found"
    return f"the interpreter of {path.name}, {interpreter!r}, cannot be run: {error.strerror}"


def _has_shebang(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.read(descriptor, 2) == b"#!"
    finally:
        os.close(descriptor)


def _python(path: Path, search: str) -> tuple[str, ...]:
    try:
        declares = _METADATA.search(path.read_bytes()) is not None
    except OSError as error:
        raise NotRunnableError(f"the script {path.name} cannot be read: {error.strerror}") from error
    uv = _search("uv", search) if declares else None
    return (uv, "run", "--quiet", "--script", str(path)) if uv else (sys.executable, "-B", str(path))


def _found(program: str, script: str, search: str) -> str:
    path = _search(program, search)
    if path is None:
        raise NotRunnableError(f"the script {script} needs {program}, which is not on PATH ({search})")
    return path


def _search(program: str, search: str) -> str | None:
    for folder in search.split(":"):
        path = os.path.join(folder, program)  # noqa: PTH118 - a relative or empty folder of PATH stays what it is
        if folder.startswith("/") and os.access(path, os.X_OK):
            return path
    return None
