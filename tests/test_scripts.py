"""Which script a path means, and whether it can be run."""

import pytest

from reconciler.entry import File
from reconciler.scripts import Scripts, Wrong

FOLDER = "processes/scripts/"
FILES = {
    "a.py": "100644",
    "etl/b.sh": "100644",
    "etl/deep/c.mjs": "100644",
    "dup.py": "100644",
    "dup.sh": "100644",
    "x/twice.py": "100644",
    "y/twice.py": "100644",
    "plain": "100755",
    "plain.txt": "100644",
    "run.bin": "100755",
    "near.js": "100644",
    "far/near.js": "100644",
    "a.b.py": "100644",
    "link.py": "120000",
    "vendor": "160000",
    "folder": "120000",
}


def scripts(files: dict[str, str]) -> Scripts:
    return Scripts.of(File(FOLDER + path, mode, "0" * 40, -1) for path, mode in files.items())


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a.py", "a.py"),
        ("a", "a.py"),
        ("etl/b", "etl/b.sh"),
        ("b", "etl/b.sh"),
        ("c", "etl/deep/c.mjs"),
        ("deep/c", "etl/deep/c.mjs"),
        ("dup.sh", "dup.sh"),
        ("x/twice", "x/twice.py"),
        ("plain", "plain"),
        ("run", "run.bin"),
        ("near", "near.js"),
        ("far/near", "far/near.js"),
        ("a.b", "a.b.py"),
    ],
)
def test_a_script_is_found_by_path_or_by_its_one_stem(written: str, path: str) -> None:
    found = scripts(FILES).find(written)
    assert isinstance(found, File)
    assert found.path == FOLDER + path


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("none", "there is no script none under processes/scripts/"),
        ("b.py", "there is no script b.py under processes/scripts/"),
        ("B", "there is no script B under processes/scripts/"),
        ("eep/c", "there is no script eep/c under processes/scripts/"),
        ("etl", "there is no script etl under processes/scripts/"),
        ("", "there is no script  under processes/scripts/"),
        ("dup", "the script dup may be any of dup.py, dup.sh"),
        ("twice", "the script twice may be any of x/twice.py, y/twice.py"),
        ("plain.txt", "the script plain.txt cannot be run: nothing says how"),
        ("link.py", "the script link.py is a symlink, which is never checked out"),
        ("link", "the script link.py is a symlink, which is never checked out"),
        ("vendor", "the script vendor is a submodule, which is never checked out"),
        ("vendor/s.py", "the script vendor/s.py lies behind a submodule, which is never checked out"),
        ("folder/a/b/s.py", "the script folder/a/b/s.py lies behind a symlink, which is never checked out"),
    ],
)
def test_a_script_that_cannot_be_run_says_why(written: str, message: str) -> None:
    found = scripts(FILES).find(written)
    assert isinstance(found, Wrong)
    assert found.message == message
    assert found.hint


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_a_folder_of_scripts_that_is_none_is_named(mode: str) -> None:
    found = Scripts.of([File("processes/scripts", mode, "0" * 40, -1)]).find("s.py")
    assert isinstance(found, Wrong)
    assert "lies behind a" in found.message


@pytest.mark.parametrize("suffix", [".py", ".sh", ".js", ".mjs"])
def test_these_suffixes_need_no_run_bit(suffix: str) -> None:
    assert isinstance(scripts({f"s{suffix}": "100644"}).find("s"), File)


def test_without_scripts_nothing_is_found() -> None:
    assert isinstance(Scripts({}).find("a.py"), Wrong)
