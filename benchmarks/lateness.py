"""20 executions due in the same second, 30 bursts: from the slot to the child's first instruction."""

import time
from datetime import datetime
from pathlib import Path

from ground import Daemon, median, percentile, repository, row

COUNT, BURSTS = 20, 30
# bash reads the clock itself: no other program starts before the line is written
SCRIPT = '#!/bin/bash\necho "$EPOCHREALTIME $PROCCTL_SLOT" >>"$PROCCTL_DATA/started"\n'


def main() -> None:
    """Print the table."""
    made = {f"processes/P{number}.yaml": "script: started.sh\nevery: 3s\n" for number in range(COUNT)}
    with repository(made | {"processes/scripts/started.sh": SCRIPT}) as root:
        daemon = Daemon(root, "--max-running", str(COUNT))
        daemon.wait_for("ready")
        time.sleep(3 * (BURSTS + 1) + 1)
        daemon.stop()
        late = [lateness(line) for file in root.rglob(".git/procctl/**/started") for line in lines(file)]
    row(
        f"lateness of {COUNT} at once, {len(late)} starts, median",
        f"{median(late):.0f} ms",
        "< 45 ms",
        met=median(late) < 45,
    )
    worst = percentile(late, 0.99)
    row("lateness, 99th percentile", f"{worst:.0f} ms", "< 100 ms", met=worst < 100)


def lines(file: Path) -> list[str]:
    """The lines of a file."""
    return file.read_text().splitlines()


def lateness(line: str) -> float:
    """Milliseconds between the slot and the start that a line tells of."""
    started, slot = line.split()
    return (float(started) - datetime.fromisoformat(slot).timestamp()) * 1000


if __name__ == "__main__":
    main()
