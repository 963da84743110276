"""The scripts of one commit: which one a process means, and whether it can be run (SPEC 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reconciler.entry import SUBMODULE, SYMLINK, File
from reconciler.schema import near

FOLDER = "processes/scripts/"
SUFFIXES = (".py", ".sh", ".js", ".mjs")
"""Suffixes that say by themselves what runs a script."""
_EXECUTABLE = "100755"
_FEW = 200  # scripts among which a near name is looked for


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a script cannot be run, and what to do."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Scripts:
    """All that lies under ``processes/scripts/``, by path; and, without suffix, by each end of that path."""

    files: Mapping[str, File]
    _stems: dict[str, list[str]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, files: Iterable[File]) -> "Scripts":
        """Gather them."""
        return cls({file.path: file for file in files})

    def find(self, written: str) -> File | Wrong:
        """The script that a process or phase means by a path; or why it cannot be run.

        The file at exactly that path; else the one at that path with any suffix; else the one whose path, less its
        suffix, ends so. Never a guess between two.
        """
        path = FOLDER + written
        file = self.files.get(path)
        if file is not None:
            return _runnable(file, written)
        found = self._stemmed(path) or self._stemmed("/" + written)
        if len(found) == 1:
            return _runnable(self.files[found[0]], found[0].removeprefix(FOLDER))
        if found:
            named = ", ".join(each.removeprefix(FOLDER) for each in sorted(found)[:5])
            return Wrong(f"the script {written} may be any of {named}", "write the path with its suffix")
        return self._missing(written)

    def _stemmed(self, end: str) -> list[str]:
        if not self._stems:
            for path in self.files:
                stem = path.removesuffix(PurePosixPath(path).suffix)
                self._stems.setdefault(stem, []).append(path)
                folders = stem.removeprefix(FOLDER).split("/")
                for first in range(len(folders)):
                    self._stems.setdefault("/" + "/".join(folders[first:]), []).append(path)
        return self._stems.get(end, [])

    def _missing(self, written: str) -> Wrong:
        folders = [FOLDER.rstrip("/"), *(FOLDER + str(folder) for folder in PurePosixPath(written).parents)]
        above = (self.files.get(folder) for folder in folders)
        special = next((file for file in above if file is not None and file.mode in (SYMLINK, SUBMODULE)), None)
        if special is not None:
            kind = "symlink" if special.mode == SYMLINK else "submodule"
            return Wrong(
                f"the script {written} lies behind a {kind}, which is never checked out", "put the file itself there"
            )
        known = [path.removeprefix(FOLDER) for path in self.files] if len(self.files) <= _FEW else []
        return Wrong(f"there is no script {written} under {FOLDER}", near(written, known) or "add it, or mend the path")


def _runnable(file: File, name: str) -> File | Wrong:
    if file.mode == SYMLINK:
        return Wrong(f"the script {name} is a symlink, which is never checked out", "put the file itself there")
    if file.mode == SUBMODULE:
        return Wrong(f"the script {name} is a submodule, which is never checked out", "put the files themselves there")
    if file.mode == _EXECUTABLE or name.endswith(SUFFIXES):
        return file
    hint = (
        f"give it a first line #! and the run bit (git update-index --chmod=+x), or a suffix of {', '.join(SUFFIXES)}"
    )
    return Wrong(f"the script {name} cannot be run: nothing says how", hint)
