"""What a reference picks, in every order and every ambiguity (SPEC 9)."""

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.errors import GoneError, NotFoundError, UsageError
from reconciler.reference import parse_reference
from reconciler.repo import refs, tags
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import applying, naming, parsing, references
from reconciler.sync.references import Picked

SCRIPT = "#!/bin/sh\n"


class Shop:
    """A repository, and an index that is brought up to date before each question."""

    def __init__(self, workshop: Any) -> None:
        self.workshop = workshop
        self.repo: Repository = open_repository(workshop.root, os.environ)
        path = self.repo.common_dir / "procctl/cache/index.sqlite"
        self.index = Index.open(path, environment="production", release=parsing.release())

    def version(self, name: str, text: str, **files: str | None) -> str:
        """Commit a file of a process; give the commit."""
        path = f"processes/{name}.yaml"
        return str(self.workshop.commit({path: f"script: a.sh\ndescription: {text}\n", **files}, f"{name} {text}"))

    def tag(self, name: str, commit: str = "HEAD") -> None:
        self.workshop.git("tag", "-f", name, commit)

    def apply(self) -> None:
        tip = refs.read(self.repo, "refs/heads/main")
        applying.apply(self.repo, self.index, Followed("refs/heads/main", str(tip)), allow_rewind=True)

    def pick(self, text: str) -> Picked:
        self.apply()
        return references.pick(self.repo, self.index, parse_reference(text))

    def seen(self, text: str) -> tuple[str, int | None, str | None]:
        """The commit, the number and the tag that a reference picks."""
        picked = self.pick(text)
        return picked.commit, picked.version.number if picked.version else None, picked.tag

    def tags_of(self, name: str) -> dict[int, tuple[str, ...]]:
        self.apply()
        found = naming.tags_of(self.repo, self.index, name)
        assert naming.all_tags(self.repo, self.index).get(name, {}) == found, "the list of all says the same"
        assert naming.all_tags(self.repo, self.index, [name]).get(name, {}) == found
        return found


@pytest.fixture
def shop(workshop: Any) -> Iterator[Shop]:
    workshop.commit({"processes/scripts/a.sh": SCRIPT})
    made = Shop(workshop)
    with contextlib.closing(made.index):
        yield made


def test_a_number_and_the_latest(shop: Shop) -> None:
    first, second = shop.version("A", "one"), shop.version("A", "two")
    assert shop.seen("A@1") == (first, 1, None)
    assert shop.seen("A") == shop.seen("A@~LATEST") == shop.seen("A@2") == (second, 2, None)
    with pytest.raises(NotFoundError, match="A has no version 3"):
        shop.pick("A@3")
    with pytest.raises(NotFoundError, match="there is no process ECB") as caught:
        shop.pick("ECB@1")
    assert caught.value.todo == "see `procctl list`"


def test_an_unknown_name_has_near_ones(shop: Shop) -> None:
    shop.version("ECB_FX", "one")
    for text in ("ECB_FY", "ecb_fx@1", "ECBFX@PROD", "ECB_F"):
        with pytest.raises(NotFoundError, match="there is no process") as caught:
            shop.pick(text)
        assert caught.value.todo == "did you mean ECB_FX?"


def test_digits_are_a_number_before_they_are_anything_else(shop: Shop) -> None:
    shop.version("A", "one")
    shop.tag("A/2")
    shop.tag("2")
    with pytest.raises(NotFoundError, match="A has no version 2"):
        shop.pick("A@2")
    assert shop.tags_of("A") == {}


def test_the_order_of_tags(shop: Shop) -> None:
    first, second, third = (shop.version("A", text) for text in ("one", "two", "three"))
    shop.tag("PROD", first)
    assert shop.seen("A@PROD") == (first, 1, "PROD")
    shop.tag("A/PROD", second)
    assert shop.seen("A@PROD") == (second, 2, "PROD")
    assert shop.tags_of("A") == {2: ("PROD",)}, "a tag that another hides is none of this process"
    shop.workshop.git("branch", "PROD", third)
    assert shop.seen("A@PROD") == (second, 2, "PROD"), "a branch of that name counts for nothing"
    shop.workshop.git("tag", "-d", "A/PROD")
    assert shop.seen("A@PROD") == (first, 1, "PROD")


def test_a_tag_wins_over_a_commit_id(shop: Shop) -> None:
    first, second = shop.version("A", "one"), shop.version("A", "two")
    assert shop.seen(f"A@{first[:8]}") == (first, 1, None)
    shop.tag(f"A/{first[:8]}", second)
    assert shop.seen(f"A@{first[:8]}") == (second, 2, first[:8])
    assert shop.seen(f"A@{first[:9]}") == (first, 1, None)


def test_a_tag_is_followed_from_commits_between_versions(shop: Shop) -> None:
    shop.version("A", "one")
    between = shop.version("B", "one")
    shop.version("A", "two")
    shop.tag("v1.0", between)
    assert shop.seen("A@v1.0") == (between, 1, "v1.0")
    assert shop.seen("B@v1.0") == (between, 1, "v1.0")
    assert shop.tags_of("A") == shop.tags_of("B") == {1: ("v1.0",)}


def test_a_renamed_process_is_found_by_its_old_tags(shop: Shop) -> None:
    first = shop.version("OLD", "one")
    second = shop.version("OLD", "two")
    shop.tag("OLD/PROD", first)
    shop.tag("OLD/TEST", second)
    text = (shop.workshop.root / "processes/OLD.yaml").read_text()
    shop.workshop.commit({"processes/OLD.yaml": None, "processes/NEW.yaml": text}, "Rename")
    picked = shop.pick("NEW@PROD")
    assert (picked.commit, picked.path, picked.name) == (first, "processes/OLD.yaml", "NEW")
    assert picked.version is not None
    assert picked.version.number == 1
    assert shop.tags_of("NEW") == {2: ("TEST",), 1: ("PROD",)}
    with pytest.raises(GoneError, match="OLD@1 was renamed to NEW by"):
        shop.pick("OLD@PROD")
    shop.tag("NEW/PROD", "HEAD")
    assert shop.seen("NEW@PROD")[1] == 2
    assert shop.seen("NEW@TEST")[1] == 2
    assert shop.seen(f"NEW@{first}") == (first, 1, None)
    assert shop.pick(f"NEW@{first}").path == "processes/OLD.yaml"


def test_tags_of_a_name_that_is_another_process_by_now_are_its_own(shop: Shop) -> None:
    first = shop.version("OLD", "one")
    shop.tag("OLD/PROD", first)
    text = (shop.workshop.root / "processes/OLD.yaml").read_text()
    shop.workshop.commit({"processes/OLD.yaml": None, "processes/NEW.yaml": text}, "Rename")
    again = shop.version("OLD", "another")
    with pytest.raises(NotFoundError, match="NEW has no tag PROD"):
        shop.pick("NEW@PROD")
    shop.tag("OLD/PROD", again)
    assert shop.seen("OLD@PROD") == (again, 2, "PROD")
    assert shop.tags_of("NEW") == {}
    assert shop.tags_of("OLD") == {2: ("PROD",)}


def test_a_commit_id_may_be_off_the_history(shop: Shop) -> None:
    shop.version("A", "one")
    shop.workshop.git("checkout", "-q", "-b", "side")
    side = shop.version("A", "aside")
    shop.version("B", "aside")
    tip = shop.workshop.git("rev-parse", "HEAD")
    shop.workshop.git("checkout", "-q", "main")
    assert shop.seen(f"A@{side}") == (side, None, None)
    assert shop.seen(f"B@{tip[:7]}") == (tip, None, None), "only a branch has it so far"
    with pytest.raises(NotFoundError, match=f"commit {side[:12]} has no process B"):
        shop.pick(f"B@{side}")
    shop.tag("A/TRY", side)
    assert shop.seen("A@TRY") == (side, None, "TRY")
    assert shop.tags_of("A") == {}


def test_digits_that_begin_several_commits_are_refused(shop: Shop) -> None:
    shop.version("A", "one")
    # commits whose ids begin alike, found by counting: made here so that no number is magic
    beginnings: dict[str, str] = {}
    tree = shop.workshop.git("rev-parse", "HEAD^{tree}")
    blob = f"tree {tree}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\n"
    for number in range(100_000):
        data = f"{blob}{number}\n".encode()
        id_ = hashlib.sha1(b"commit %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
        if (other := beginnings.setdefault(id_[:7], f"{blob}{number}\n")) != f"{blob}{number}\n":
            break
    for text in (other, f"{blob}{number}\n"):
        command = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
        subprocess.run(command, cwd=shop.workshop.root, input=text.encode(), check=True, capture_output=True)
    with pytest.raises(UsageError, match=f"{id_[:7]} begins 2 commits") as caught:
        shop.pick(f"A@{id_[:7]}")
    assert caught.value.todo == "give more digits"


def test_a_short_id_of_digits_alone_is_a_commit_where_it_is_no_version(shop: Shop) -> None:
    shop.version("A", "one")
    tree = shop.workshop.git("rev-parse", "HEAD^{tree}")
    for number in range(100_000):
        text = f"tree {tree}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\n{number}\n".encode()
        id_ = hashlib.sha1(b"commit %d\0%b" % (len(text), text), usedforsecurity=False).hexdigest()
        if id_[:7].isdecimal():
            break
    command = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
    subprocess.run(command, cwd=shop.workshop.root, input=text, check=True, capture_output=True)
    assert shop.seen(f"A@{id_[:7]}") == (id_, None, None)
    with pytest.raises(NotFoundError):
        shop.pick("A@7777777")
    with pytest.raises(NotFoundError, match="has no version 777777"):
        shop.pick("A@777777")


def test_what_names_nothing_gets_a_hint(shop: Shop) -> None:
    shop.version("A", "one")
    with pytest.raises(NotFoundError, match="A has no tag PROD") as caught:
        shop.pick("A@PROD")
    assert caught.value.todo == "see `procctl versions A`"
    for text in ("A/PROD", "A/TEST", "v1"):
        shop.tag(text)
    with pytest.raises(NotFoundError, match="A has no tag PRD") as caught:
        shop.pick("A@PRD")
    assert caught.value.todo == "did you mean A@PROD?"
    with pytest.raises(NotFoundError, match="A has no tag deadbeef, and there is no commit of that id") as caught:
        shop.pick("A@deadbeef")
    assert caught.value.todo == "it has PROD, TEST, v1"
    for number in range(9):
        shop.tag(f"A/x{number}")
    with pytest.raises(NotFoundError) as caught:
        shop.pick("A@deadbeef")
    assert caught.value.todo == "it has PROD, TEST, v1, x0, x1 and 7 more"


def test_a_tag_where_the_process_was_not(shop: Shop) -> None:
    before = shop.workshop.git("rev-parse", "HEAD")
    shop.version("A", "one")
    shop.tag("A/PROD", before)
    shop.tag("v0", before)
    for tag, full in (("PROD", "A/PROD"), ("v0", "v0")):
        with pytest.raises(NotFoundError, match="where there is no process A") as caught:
            shop.pick(f"A@{tag}")
        assert f"the tag {full} names commit {before[:12]}" in caught.value.what
        assert not isinstance(caught.value, GoneError)
    assert shop.tags_of("A") == {}


def test_a_tag_on_a_tree_or_a_blob_is_no_version(shop: Shop) -> None:
    shop.version("A", "one")
    shop.tag("A/TREE", "HEAD^{tree}")
    shop.tag("BLOB", "HEAD:processes/A.yaml")
    for tag in ("TREE", "BLOB"):
        with pytest.raises(NotFoundError, match="names no commit that is here, so it picks no version"):
            shop.pick(f"A@{tag}")
    assert shop.tags_of("A") == {}


def test_a_tag_named_as_a_process_is_no_version(shop: Shop) -> None:
    shop.version("A", "one")
    shop.version("B", "one")
    shop.tag("A")
    with pytest.raises(NotFoundError, match="the repository's tag A does not count, as A is a process"):
        shop.pick("B@A")
    assert shop.tags_of("B") == shop.tags_of("A") == {}


def test_what_is_gone_says_so(shop: Shop) -> None:
    first = shop.version("A", "one")
    second = shop.version("A", "two")
    shop.tag("A/PROD", second)
    shop.tag("A/TEST", first)
    shop.tag("v2", second)
    blob = shop.workshop.git("rev-parse", f"{second}:processes/A.yaml")
    text = shop.workshop.git("show", f"{first}:processes/A.yaml") + "\n"
    back = shop.workshop.commit({"processes/A.yaml": text}, f"Back\n\nProcctl-Rollback: A@2 {blob[:12]}")
    for reference in ("A@2", "A@PROD", "A@v2"):
        with pytest.raises(GoneError, match=f"A@2 was rolled back by {back[:12]}"):
            shop.pick(reference)
    assert shop.seen(f"A@{second}") == (second, 2, None), "git has it still"
    assert shop.seen("A")[:2] == (first, 1)
    shop.tag("A/AFTER", back)
    assert shop.seen("A@AFTER") == (back, 1, "AFTER")
    assert shop.tags_of("A") == {1: ("AFTER", "TEST")}
    gone = shop.workshop.commit({"processes/A.yaml": None}, "Remove")
    for reference in ("A", "A@~LATEST", "A@1", "A@TEST"):
        with pytest.raises(GoneError, match=f"was removed with its file by {gone[:12]}|rolled back"):
            shop.pick(reference)
    shop.tag("A/NOW", gone)
    with pytest.raises(NotFoundError, match="where there is no process A"):
        shop.pick("A@NOW")
    assert shop.tags_of("A") == {}
    again = shop.version("A", "one")
    assert shop.seen("A") == (again, 3, None)


def test_a_hundred_tags_on_one_version(shop: Shop) -> None:
    first = shop.version("A", "one")
    shop.version("A", "two")
    for number in range(100):
        shop.tag(f"A/t{number:03}", first)
    assert shop.tags_of("A") == {1: tuple(f"t{number:03}" for number in range(100))}
    assert shop.seen("A@t099") == (first, 1, "t099")


def test_names_of_which_one_begins_the_other(shop: Shop) -> None:
    first = shop.version("A", "one")
    shop.version("A.B", "one")
    shop.tag("A.B/PROD")
    shop.tag("AB/PROD")
    shop.tag("A/PROD.x", first)
    with pytest.raises(NotFoundError, match="A has no tag PROD"):
        shop.pick("A@PROD")
    assert shop.seen("A@PROD.x") == (first, 1, "PROD.x")
    assert shop.tags_of("A.B") == {1: ("PROD",)}


def test_tags_of_ten_thousand_cost_one_call(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"processes/P{number}.yaml": "script: a.sh\n" for number in range(50)}
    commit = shop.workshop.commit(texts)
    shop.apply()
    lines = [f"create refs/tags/P{number % 50}/t{number} {commit}\n" for number in range(10_000)]
    command = ["git", "update-ref", "--stdin"]
    subprocess.run(command, cwd=shop.workshop.root, input="".join(lines).encode(), check=True)
    calls: list[Any] = []
    listed = tags.all

    def counted(repo: Repository) -> dict[str, tags.Tag]:
        calls.append(repo)
        return listed(repo)

    monkeypatch.setattr(tags, "all", counted)
    found = naming.all_tags(shop.repo, shop.index)
    assert len(calls) == 1
    assert len(found) == 50
    assert sum(len(texts) for one in found.values() for texts in one.values()) == 10_000
