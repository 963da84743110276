"""What a script finds on disk: its scratch folder, its process's data folder, its input and its report (SPEC 6)."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.store import files
from reconciler.store.layout import Layout

INPUT = ".procctl-input.json"
REPORT = ".procctl-report.jsonl"


class Folders:
    """The folders and files of one execution. Input and report are hidden files of the scratch folder."""

    def __init__(self, layout: Layout, execution_id: str, process: str) -> None:
        self.work = layout.work_of(execution_id)
        self.data = layout.data_of(process)
        self.input = self.work / INPUT
        self.report = self.work / REPORT

    def enter(self) -> None:
        """Stand in the scratch folder; make it and the data folder if they are missing. ``OSError``."""
        try:
            os.chdir(self.work)
        except FileNotFoundError:
            _make(self.work, 0o700)
            _make(self.data, 0o755)
            os.chdir(self.work)

    def write_input(self, given: Mapping[str, Any]) -> None:
        """Write the input file, for the eyes of this user only; ``OSError``."""
        descriptor = os.open(self.input, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            rest = json.dumps(given).encode()
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)

    def leave(self) -> None:
        """Stand somewhere else."""
        os.chdir("/")

    def remove(self) -> None:
        """Remove everything but the data; what cannot be removed now is removed with what failed executions leave."""
        with suppress(OSError):
            self.input.unlink(missing_ok=True)
            self.report.unlink(missing_ok=True)
            try:
                self.work.rmdir()  # most scripts leave nothing, and then one call does it
            except OSError:
                files.remove_tree(self.work)


def _make(folder: Path, mode: int) -> None:
    with suppress(FileExistsError):
        try:
            folder.mkdir(mode)
        except FileNotFoundError:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode)
