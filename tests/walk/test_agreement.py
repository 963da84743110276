"""Every write of SPEC 9, by command and by hand in a pull request: over HTTP nobody can tell which it was."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

pytestmark = pytest.mark.timeout(120)

SCRIPT = {"processes/scripts/a.sh": "#!/bin/sh\n"}
NAMES = ("A", "B")


def path(name: str) -> str:
    return f"processes/{name}.yaml"


def text(description: str, *more: str) -> str:
    return "\n".join([f"# {description}", "script: a.sh", f"description: {description}", *more]) + "\n"


class Commands:
    """Whoever uses ``procctl``."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def run(self, *arguments: str) -> None:
        self.site.procctl(*arguments)

    def apply(self, name: str, content: str) -> None:
        file = self.site.root.parent / f"{name}.yaml"
        file.write_text(content)
        self.run("apply", "-f", str(file))

    def switch(self, name: str, content: str) -> None:
        self.run("enable" if "enabled: true" in content else "disable", name)

    def put(self, name: str, content: str) -> None:
        self.run("set", name, f"description={content.splitlines()[0].removeprefix('# ')}")

    def tag(self, name: str, number: int, tag: str) -> None:
        self.run("tag", name, str(number), tag)

    def untag(self, name: str, tag: str, *_full: str) -> None:
        self.run("untag", name, tag)

    def rename(self, old: str, new: str) -> None:
        self.run("rename", old, new)

    def rollback(self, name: str, _number: int, _content: str | None) -> None:
        self.run("rollback", name)

    def delete(self, name: str, number: int, *_tags: str) -> None:
        self.run("delete", name, "--version", str(number))

    def delete_all(self, name: str) -> None:
        self.run("delete", name, "--all")


class Hands:
    """Whoever edits files and writes messages on a branch, which is merged by ``how``."""

    def __init__(self, site: Any, how: str) -> None:
        self.site, self.git, self.how = site, site.workshop.git, how
        self.blobs: dict[int, str] = {}
        self.commits: dict[int, str] = {}

    def pull_request(self, files: dict[str, str | None], *marks: str) -> None:
        said = "\n".join(["By hand", "", *marks])
        self.git("checkout", "-q", "-b", "pr")
        self.site.workshop.commit(files, said)
        self.git("checkout", "-q", "main")
        if self.how == "merged":
            self.git("merge", "-q", "--no-ff", "-m", "Merge pull request #1", "pr")
        elif self.how == "squashed":
            self.git("merge", "-q", "--squash", "pr")
            listed = "\n".join(f"  {mark}" for mark in marks)
            self.git(
                "commit", "-q", "--allow-empty", "-m", f"By hand (#1)\n\n* By hand\n\n{listed}\n\n* Something else"
            )
        else:
            self.git("merge", "-q", "--ff-only", "pr")
        self.git("branch", "-q", "-D", "pr")

    def numbered(self, name: str, number: int) -> str:
        return f"{name}@{number} {self.blobs[number][:12]}"

    def version(self, name: str, number: int, content: str) -> None:
        self.pull_request({path(name): content})
        self.blobs[number], self.commits[number] = self.git("rev-parse", f"HEAD:{path(name)}", "HEAD").split()

    def apply(self, name: str, content: str) -> None:
        self.version(name, len(self.blobs) + 1, content)

    switch = put = apply

    def tag(self, name: str, number: int, tag: str) -> None:
        self.git("tag", "-f", "-m", "By hand", f"{name}/{tag}", self.commits[number])

    def untag(self, _name: str, _tag: str, *full: str) -> None:
        self.git("tag", "-d", *full)

    def rename(self, old: str, new: str) -> None:
        content = (self.site.root / path(old)).read_text()
        self.pull_request({path(old): None, path(new): content}, f"Procctl-Rename: {old} {new}")

    def rollback(self, name: str, number: int, content: str | None) -> None:
        self.pull_request({path(name): content}, f"Procctl-Rollback: {self.numbered(name, number)}")

    def delete(self, name: str, number: int, *tags: str) -> None:
        self.pull_request({}, f"Procctl-Delete: {self.numbered(name, number)}")
        self.git("tag", "-d", *tags)

    def delete_all(self, name: str) -> None:
        self.pull_request({path(name): None})


def get(site: Any, address: str) -> tuple[int, Any]:
    try:
        return 200, site.get(f"/api/process/v1/{address}")
    except HTTPError as error:
        return error.code, json.load(error)


def history(site: Any, name: str) -> str:
    """The versions of a process in short: ``3 2-rolled_back 1:PROD``; nothing where there was never one."""
    status, found = get(site, f"{name}/*?_deleted=true&_limit=-1")

    def words() -> Iterator[str]:
        for one in found:
            gone = f"-{one['_deleted']['why'].replace(' ', '_')}" if "_deleted" in one else ""
            yield f"{one['_version']}{gone}{''.join(f':{tag}' for tag in one['_tag'])}"

    return " ".join(words()) if status == 200 else ""


def check(site: Any, expected: dict[str, str], said: dict[int, str]) -> None:
    """Wait until HTTP tells these histories; then every version, current one and tag answers as its history says."""
    tip = site.workshop.git("rev-parse", "HEAD")
    site.wait_for(lambda: site.get("/api/process")["commit"] == tip)
    site.wait_for(lambda: {name: history(site, name) for name in NAMES} == {"A": "", "B": ""} | expected)
    declared = {one["name"]: one for one in site.get("/api/process/v1")}
    for name, versions in expected.items():
        live: list[int] = []
        for word in versions.split():
            number, *tags = word.split(":")
            if "-" in number:
                status, problem = get(site, f"{name}/{number.partition('-')[0]}")
                assert (status, problem["code"]) == (410, 4100)
                assert number.partition("-")[2].replace("_", " ") in problem["detail"]
                continue
            live.append(int(number))
            for reference in (number, *tags):
                status, document = get(site, f"{name}/{reference}")
                assert (status, document["_version"], document["_tag"]) == (200, int(number), tags)
                assert document["description"] == said[int(number)]
        status, current = get(site, name)
        assert (status, name in declared) == ((200, True) if live else (410, False))
        if live:
            assert current == get(site, f"{name}/~LATEST")[1] == declared[name] | {"_tag": current["_tag"]}
            assert (current["_version"], current["_id"]) == (max(live), name)


@pytest.mark.parametrize("how", ["command", "merged", "squashed", "rebased"])
def test_by_hand_and_by_command_agree(site: Any, how: str) -> None:
    site.workshop.commit(SCRIPT)
    by: Any = Commands(site) if how == "command" else Hands(site, how)
    said = {1: "one", 2: "two", 3: "three", 4: "three", 5: "three", 6: "six"}
    gone = "5-renamed_to_B 4-renamed_to_B 3-renamed_to_B 2-renamed_to_B 1-renamed_to_B"
    back = "5-rolled_back 4-rolled_back"
    away = f"{back} 3-removed_with_its_file 2-deleted 1-removed_with_its_file"
    off, on = text("three", "enabled: false"), text("three", "enabled: true")
    steps: list[tuple[Callable[[], None], dict[str, str]]] = [
        (lambda: by.apply("A", text("one")), {"A": "1"}),
        (lambda: by.apply("A", text("two")), {"A": "2 1"}),
        (lambda: by.tag("A", 1, "PROD"), {"A": "2 1:PROD"}),
        (lambda: by.tag("A", 2, "PROD"), {"A": "2:PROD 1"}),
        (lambda: by.put("A", text("three")), {"A": "3 2:PROD 1"}),
        (lambda: by.switch("A", off), {"A": "4 3 2:PROD 1"}),
        (lambda: by.switch("A", on), {"A": "5 4 3 2:PROD 1"}),
        (lambda: by.rename("A", "B"), {"A": gone, "B": "5 4 3 2:PROD 1"}),
        (lambda: by.rollback("B", 5, off), {"A": gone, "B": "5-rolled_back 4 3 2:PROD 1"}),
        (lambda: by.rollback("B", 4, text("three")), {"A": gone, "B": f"{back} 3 2:PROD 1"}),
        (lambda: by.delete("B", 2, "A/PROD"), {"A": gone, "B": f"{back} 3 2-deleted 1"}),
        (lambda: by.tag("B", 1, "OLD"), {"A": gone, "B": f"{back} 3 2-deleted 1:OLD"}),
        (lambda: by.untag("B", "OLD", "B/OLD"), {"A": gone, "B": f"{back} 3 2-deleted 1"}),
        (lambda: by.delete_all("B"), {"A": gone, "B": away}),
        (lambda: by.apply("B", text("six")), {"A": gone, "B": f"6 {away}"}),
        (lambda: by.rollback("B", 6, None), {"A": gone, "B": f"6-rolled_back {away}"}),
    ]
    site.start("--http", "127.0.0.1:0")
    for step, expected in steps:
        step()
        check(site, expected, said)
    assert site.workshop.git("status", "--porcelain") == ""
    assert site.procctl("status", check=False).stdout.startswith("Synced")
