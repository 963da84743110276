"""What a killed reconciler leaves behind, and what the next one makes of it (SPEC 10)."""

import json
import os
import shutil
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

LONG = """#!/bin/sh
echo started >>"$PROCCTL_DATA/starts"
while [ ! -e "$PROCCTL_DATA/go" ]; do sleep 0.05; done
echo finished >>"$PROCCTL_DATA/starts"
"""


def data(site: Any, name: str) -> Path:
    path: Path = site.root / ".git/procctl/state/production/data" / name
    return path


def slots_of(records: list[dict[str, Any]]) -> Counter[datetime]:
    """How many records each slot is in."""
    slots: Counter[datetime] = Counter()
    for record in records:
        gap = record.get("gap")
        for slot in gap["slots"] if gap else [record["triggerTime"]]:
            slots[datetime.fromisoformat(slot)] += 1
    return slots


def test_a_daemon_killed_over_three_slots_loses_nothing_and_repeats_nothing(site: Any) -> None:
    site.workshop.commit(
        {
            "processes/LONG.yaml": "script: long.sh\nat: ['2000-01-01T00:00:00Z']\n",
            "processes/TICK.yaml": "script: tick.sh\nevery: 1s\n",
            "processes/scripts/long.sh": LONG,
            "processes/scripts/tick.sh": '#!/bin/sh\necho "$PROCCTL_SLOT" >>"$PROCCTL_DATA/starts"\n',
        }
    )
    daemon = site.start()
    site.procctl("run", "LONG", "--detach")
    site.wait_for((data(site, "LONG") / "starts").exists)
    site.wait_for(lambda: site.ended("TICK"))
    site.kill(daemon)
    killed = max(record["triggerTime"] for record in site.records("TICK"))
    over = datetime.fromisoformat(killed) + timedelta(seconds=4)
    (data(site, "LONG") / "go").touch()
    site.wait_for(lambda: site.ended("LONG"))
    site.wait_for(lambda: datetime.now(over.tzinfo) > over)
    shutil.rmtree(site.root / ".git/procctl/cache")

    daemon = site.start()
    site.wait_for(
        lambda: [one for one in site.ended("TICK") if one["outcome"] == "success" and one["triggerTime"] > killed]
    )
    commit = site.workshop.commit({"processes/TICK.yaml": None})
    site.wait_for(lambda: f"applied {commit[:12]}" in site.said() and len(site.ended()) == len(site.records()))
    site.stop(daemon)
    (long,) = site.ended("LONG")
    assert long["outcome"] == "success"
    assert (data(site, "LONG") / "starts").read_text() == "started\nfinished\n"
    counted = slots_of(site.records("TICK"))
    assert set(counted.values()) == {1}
    first, last = min(counted), max(counted)
    assert len(counted) == (last - first) / timedelta(seconds=1) + 1, "no slot is without a record"
    starts = (data(site, "TICK") / "starts").read_text().splitlines()
    assert len(starts) == len(set(starts)), "nothing ran twice"
    missed = [record for record in site.records("TICK") if record["outcome"] == "missed"]
    assert sum(record["gap"]["count"] for record in missed) >= 2
    published = {record["_id"] for record in site.published().values()}
    assert published == {record["_id"] for record in site.records()}


def test_a_runner_killed_leaves_an_interrupted_record_and_no_process(site: Any) -> None:
    site.workshop.commit(
        {
            "processes/LONG.yaml": "script: long.sh\n",
            "processes/scripts/long.sh": '#!/bin/sh\necho $$ >"$PROCCTL_DATA/pid"\nexec sleep 1000\n',
        }
    )
    site.start()
    site.procctl("run", "LONG", "--detach")
    site.wait_for(lambda: (data(site, "LONG") / "pid").exists() and (data(site, "LONG") / "pid").read_text())
    child = int((data(site, "LONG") / "pid").read_text())
    (claim,) = (site.root / ".git/procctl/state/production/claims").glob("*.json")
    os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
    (record,) = site.wait_for(lambda: site.ended("LONG"))
    assert (record["outcome"], record["status"]) == ("interrupted", "failed")
    assert record["phases"][0]["status"] == "failed"
    site.wait_for(lambda: not Path(f"/proc/{child}").exists())
    assert not claim.exists()


def test_a_second_daemon_stands_by_and_takes_over_when_the_first_dies(site: Any) -> None:
    site.workshop.commit(
        {"processes/TICK.yaml": "script: tick.sh\nevery: 1s\n", "processes/scripts/tick.sh": "#!/bin/sh\n:\n"}
    )
    first = site.start()
    second = site.start(ready=False)
    site.wait_for(lambda: "stands by" in site.said())
    assert f"pid {first.pid}" in site.said()
    refused = site.procctl("daemon", "--no-wait", check=False)
    assert refused.returncode == 3
    assert f"pid {first.pid}" in refused.stderr
    seen = site.said().count("ready")
    site.kill(first)
    site.wait_for(lambda: site.said().count("ready") > seen)
    before = len(site.ended("TICK"))
    site.wait_for(lambda: len(site.ended("TICK")) > before)
    site.stop(second)
    assert set(slots_of(site.records("TICK")).values()) == {1}


def test_a_full_disk_loses_no_slot_and_the_reconciler_goes_on(site: Any) -> None:
    place = site.root / "executions"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        script = "#!/bin/sh\n:\n"
        site.workshop.commit({"processes/TICK.yaml": "script: t.sh\nevery: 1s\n", "processes/scripts/t.sh": script})
        daemon = site.start()
        site.wait_for(lambda: site.ended("TICK"))
        ballast = place / "ballast"
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        site.wait_for(lambda: "No space left" in site.said() or "disk is full" in site.said())
        ballast.unlink()
        seen = max(record["triggerTime"] for record in site.ended("TICK"))
        site.wait_for(
            lambda: any(one["outcome"] == "success" and one["triggerTime"] > seen for one in site.ended("TICK"))
        )
        assert daemon.poll() is None
        site.stop(daemon)
        counted = slots_of(site.records("TICK"))
        assert set(counted.values()) == {1}
        first, last = min(counted), max(counted)
        assert len(counted) == (last - first) / timedelta(seconds=1) + 1, "no slot is without a record"
        assert not [path for path in place.rglob("*") if path.is_file() and path.suffix != ".json"]
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
