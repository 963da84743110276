"""The shape of the code, as ARCHITECTURE.md promises it: read from the syntax trees, so nothing can drift."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reconciler"
EDGES = {"cli", "daemon", "runner"}
"""Layers that may read the clock and make ids."""

OWNERS = {
    "click": {"cli"},
    "croniter": {"cron", "cronfield"},
    "git": {"repo"},
    "jinja2": {"web"},
    "jsonschema": {"schema"},
    "markupsafe": {"web"},
    "re2": {"regex"},
    "referencing": {"schema"},
    "sqlite3": {"store"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "watchfiles": {"daemon"},
    "yaml": {"yamltext", "yamltree", "yamlspan"},  # reading, building, and where each part ends
}
STARTS_PROCESSES = {"repo", "runner", "daemon"}
STARTS = re.compile(
    r"^(subprocess\.)?(Popen|check_call|check_output|getoutput)$|^subprocess\.(run|call)$|^os\.(fork|exec|spawn|posix_spawn)"
)
OUTSIDE_WORLD = {
    *{"asyncio", "fcntl", "ftplib", "getpass", "glob", "http", "io", "locale", "logging", "mmap", "multiprocessing"},
    *{"os", "platform", "pwd", "random", "secrets", "select", "selectors", "shutil", "signal", "smtplib", "socket"},
    *{"socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib.request", "webbrowser"},
}
"""Modules of the standard library that a pure module has no use for."""
WALL_CLOCKS = re.compile(r"(datetime|date)\.(now|utcnow|today)$|^time\.(time|time_ns|localtime|gmtime)$")
IDS = re.compile(r"^(uuid\.)?uuid[14]$|^(random|secrets)\.|^os\.urandom$")
BANNED = re.compile(r"manager|helper|util|common|misc", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for path in sorted(PACKAGE.rglob("*.py"))
        if "skeleton" not in path.parts  # what `procctl init` writes is no part of the package
    }


def layer(module: str) -> str:
    """The noun or the door that a module belongs to: reconciler.repo.git -> repo."""
    return module.split(".")[1] if "." in module else ""


def is_root(module: str) -> bool:
    """Whether a module lies at the root, and so must be pure; script.py runs in users' scripts."""
    return (PACKAGE / f"{layer(module)}.py").is_file() and layer(module) != "script"


@cache
def layers() -> list[set[str]]:
    """The lines of the block under "Layers" in ARCHITECTURE.md, highest first."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    block = re.search(r"^## Layers\n.*?^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    return [set(line.split(" | ")) for line in block[1].splitlines()]


def rank(name: str) -> int:
    """How far down a layer lies."""
    place = next((number for number, line in enumerate(layers()) if name in line), None)
    assert place is not None, f"{name} has no place under Layers in ARCHITECTURE.md"
    return place


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import below a node, first party and other, with its line; ``from a import b`` gives a.b where that is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: relative import"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield node.lineno, whole if whole in trees() else node.module


def at_run_time(tree: ast.Module) -> ast.Module:
    """Give a module without what only type checkers read."""
    body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    return ast.Module(body, [])


def first_party(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Only the imports of modules of this package (the package itself holds nothing but its version)."""
    return ((line, name) for line, name in imports(tree) if name in trees() and name != "reconciler")


def calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every call with its line and the text of what is called."""
    return ((node.lineno, ast.unparse(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, inner ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def lines(node: ast.AST) -> int:
    """How many lines a function or class takes."""
    assert isinstance(node, Function | ast.ClassDef)
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_every_module_has_its_layer() -> None:
    placed = set().union(*layers())
    assert {layer(module) for module in trees()} - {""} == placed


@pytest.mark.parametrize("module", [name for name in trees() if layer(name)])
def test_imports_go_down(module: str) -> None:
    here = rank(layer(module))
    wrong = [
        f"{module}:{line} imports {name}"
        for line, name in first_party(trees()[module])
        if layer(name) != layer(module) and rank(layer(name)) <= here
    ]
    assert wrong == []


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {module: {name for _, name in first_party(at_run_time(tree))} for module, tree in trees().items()}

    def reached(module: str, seen: set[str]) -> set[str]:
        for name in graph[module] - seen:
            seen.add(name)
            reached(name, seen)
        return seen

    assert [module for module in graph if module in reached(module, set())] == []


def test_first_party_imports_stand_at_the_top() -> None:
    deferred = [
        f"{module}:{line} {name}"
        for module, tree in trees().items()
        for function in functions(tree)
        for line, name in first_party(function)
    ]
    assert deferred == []


def test_every_library_has_one_owner() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module, tree in trees().items()
        for line, name in imports(tree)
        if (top := name.split(".")[0]) in OWNERS
        if layer(module) not in OWNERS[top]
    ]
    assert wrong == []


def test_every_library_is_known() -> None:
    known = set(sys.stdlib_module_names) | OWNERS.keys() | {"reconciler"}
    tops = {name.split(".")[0] for tree in trees().values() for _, name in imports(tree)}
    assert tops - known == set()


def test_few_layers_start_processes() -> None:
    starters = {layer(module) for module, tree in trees().items() for _, called in calls(tree) if STARTS.search(called)}
    assert starters == STARTS_PROCESSES


def test_no_interpreter_is_started_that_imports_from_where_it_stands() -> None:
    """A process repository may hold a folder ``reconciler`` or a ``json.py``; ``-m`` alone would import it."""
    starts = re.compile(r'"-m",\s*"reconciler')
    safe = re.compile(r'"-P",\s*"-m",\s*"reconciler')
    texts = {path.relative_to(ROOT): path.read_text() for path in PACKAGE.rglob("*.py")}
    assert {str(path) for path, text in texts.items() if len(starts.findall(text)) != len(safe.findall(text))} == set()


def test_nouns_touch_nothing_outside() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module, tree in trees().items()
        if is_root(module)
        for line, name in imports(tree)
        if name in OUTSIDE_WORLD or name.split(".")[0] in OUTSIDE_WORLD
    ]
    wrong += [
        f"{module}:{node.lineno} imports a path that reaches the disk"
        for module, tree in trees().items()
        if is_root(module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "pathlib"
        if {alias.name for alias in node.names} - {"PurePath", "PurePosixPath"}
    ]
    wrong += [
        f"{module}:{line} calls {called}"
        for module, tree in trees().items()
        if is_root(module)
        for line, called in calls(tree)
        if called in {"open", "print", "input", "exec", "eval", "__import__"} or IDS.search(called)
    ]
    assert wrong == []


def test_only_the_edges_read_the_clock_and_make_ids() -> None:
    wrong = [
        f"{module}:{line} calls {called}"
        for module, tree in trees().items()
        if layer(module) not in EDGES
        for line, called in calls(tree)
        if WALL_CLOCKS.search(called) or re.fullmatch(r"(uuid\.)?uuid[14]", called)
    ]
    assert wrong == []


def test_only_the_command_line_reads_the_environment() -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module, tree in trees().items()
        if layer(module) not in {"cli", "script"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.environb", "os.getenv"}
    ]
    assert wrong == []


def test_scripts_know_one_module_of_the_package() -> None:
    scripts = [ast.parse(path.read_text()) for path in sorted((ROOT / "processes" / "scripts").rglob("*.py"))]
    assert scripts
    assert {name for tree in scripts for _, name in first_party(tree)} == {"reconciler.script"}


def test_files_fit() -> None:
    long = {str(path): count for path in PACKAGE.rglob("*.py") if (count := path.read_text().count("\n")) > 300}
    assert long == {}


def test_functions_and_classes_fit() -> None:
    long = [
        f"{module}.{node.name}: {lines(node)}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, Function | ast.ClassDef)
        if lines(node) > (150 if isinstance(node, ast.ClassDef) else 60)
    ]
    assert long == []
    lengths = sorted(lines(function) for tree in trees().values() for function in functions(tree))
    assert lengths[int(len(lengths) * 0.9)] <= 25


def test_functions_take_six_arguments_at_most() -> None:
    greedy = [
        f"{module}.{function.name}"
        for module, tree in trees().items()
        for function in functions(tree)
        if len({a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)})
        > 6 + any(a.arg in {"self", "cls"} for a in function.args.args)
    ]
    assert greedy == []


def test_nothing_has_a_name_that_says_nothing() -> None:
    classes = {
        f"{module}.{node.name}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    assert [name for name in (*trees(), *classes) if BANNED.search(name.split(".")[-1])] == []


def test_architecture_md_is_one_sitting() -> None:
    assert (ROOT / "ARCHITECTURE.md").read_text().count("\n") <= 150
