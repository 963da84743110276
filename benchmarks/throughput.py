"""500 processes due at one instant, --max-running 4, full records, publishing on: executions a second."""

import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ground import Daemon, median, repository, row

COUNT = 500
ROUNDS = 3


def files(phases: int, due: datetime) -> dict[str, str]:
    """Write 500 processes, all due at one instant: one script, or a workflow of several phases."""
    what = "script: nothing.sh" if phases == 1 else "workflow: nothing"
    steps = "".join(f"  - {{name: P{number}, script: nothing.sh}}\n" for number in range(phases))
    made = {f"processes/P{number}.yaml": f'{what}\nat: ["{due:%Y-%m-%dT%H:%M:%SZ}"]\n' for number in range(COUNT)}
    workflow = {"processes/workflows/nothing.yaml": f"name: nothing\nphases:\n{steps}"} if phases > 1 else {}
    return made | workflow | {"processes/scripts/nothing.sh": "#!/bin/sh\n:\n"}


def ends(root: Path) -> list[float]:
    """When each execution ended, in seconds since the epoch; none before all have."""
    paths = list((root / "executions").rglob("*.json"))
    if len(paths) < COUNT:
        return []
    records = [json.loads(path.read_text()) for path in paths]
    wrong = [record for record in records if record["status"] == "failed"]
    if wrong:
        raise SystemExit(json.dumps(wrong[0], indent=2))
    return [datetime.fromisoformat(record["end"]).timestamp() for record in records if "end" in record]


def once(phases: int) -> tuple[float, float]:
    """One burst: executions a second from the slot to the last end, and seconds until all are on the branch."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    with repository(files(phases, due)) as root:
        daemon = Daemon(root, "--max-running", "4")
        daemon.wait_for("ready")
        # nothing is read before most are done: looking takes time from what is measured
        time.sleep(max(0.0, due.timestamp() - time.time()) + phases + 2)
        while len(done := ends(root)) < COUNT:
            time.sleep(2)
        count = ["git", "-C", str(root), "ls-tree", "-r", "--name-only", "executions"]
        while subprocess.run(count, check=False, capture_output=True, text=True).stdout.count("/P") < COUNT:
            time.sleep(0.1)
        last = ["git", "-C", str(root), "log", "-1", "--format=%ct", "executions", "--"]
        published = float(subprocess.run(last, check=True, capture_output=True, text=True).stdout) - due.timestamp()
        daemon.stop()
        return COUNT / (max(done) - due.timestamp()), published


def raw() -> float:
    """The machine itself: how many such scripts a second one core starts and waits for."""
    with repository({"nothing.sh": "#!/bin/sh\n:\n"}) as root:
        begun = time.perf_counter()
        for _ in range(COUNT):
            pid = os.posix_spawn(root / "nothing.sh", ["nothing.sh"], {})
            os.waitpid(pid, 0)
        return COUNT / (time.perf_counter() - begun)


def main() -> None:
    """Print the table."""
    bare = raw()
    row("raw: spawn and wait for the script, one core", f"{bare:.0f} /s", "", met=True)
    for phases, floor, goal in ((1, 150, 250), (4, 80, 120)):
        runs = [once(phases) for _ in range(ROUNDS)]
        rate = median([rate for rate, _ in runs])
        row(
            f"{COUNT} due at once, {phases} phase(s)",
            f"{rate:.0f} /s",
            f"floor {floor}, goal {goal}",
            met=rate >= floor,
        )
        row("  of the raw rate", f"{rate * phases / bare:.2f}", "", met=True)
        row("  all of them on the branch after", f"{median([late for _, late in runs]):.1f} s", "", met=True)


if __name__ == "__main__":
    main()
