"""SEND: hand the observations over as one batch, whole or not at all.

The batch lies under PROCCTL_DATA, which outlives the execution: from here on, the work folder may be lost. It is named
by the execution, so that sending twice leaves one batch.
"""

import json
import os
from pathlib import Path

from reconciler import script


def send(batch: object, path: Path) -> None:
    """Write a batch so that a reader, or a machine that loses power, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w") as file:
        json.dump(batch, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main() -> None:
    """Run the phase."""
    observations = json.loads(Path(script.input()["outputs"]["TRANSFORM"]["observations"]).read_bytes())
    execution = os.environ["PROCCTL_EXECUTION_ID"]
    path = Path(os.environ["PROCCTL_DATA"], "batches", f"{execution}.json")
    try:
        send({"execution": execution, "observations": observations}, path)
    except OSError as error:
        script.fail(f"{path}: {error.strerror}")
    script.output(batch=str(path))


if __name__ == "__main__":
    main()
