"""The documentation, executed: what a page shows is true, or this fails.

A fenced block may carry a title: ``title="processes/x.yaml"`` is written to that path before the commands below it run.
Blocks of language ``console`` run line by line (``$ ``), all of a page in one shell; ``# exits 1`` says that a command
fails. A YAML block marked ``invalid`` must be.
"""

import json
import re
import shlex
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler import problem, validation
from reconciler.cli.program import COMMANDS
from reconciler.store import schemas

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
REFERENCE = ROOT / "docs" / "reference"
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
NAMED = re.compile(r"^(?:\$ )?procctl ([a-z]+)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    info: str
    text: str

    @property
    def title(self) -> str | None:
        found = re.search(r'title="([^"]+)"', self.info)
        return found and found[1]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page."""
    text = page.read_text()
    for found in FENCE.finditer(text):
        language, _, info = found["info"].strip().partition(" ")
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, info, found["text"])


ALL = [block for page in PAGES for block in blocks(page)]


def kind(block: Block) -> validation.Kind:
    """Which of the three kinds of file a YAML block shows."""
    if block.title == "procctl.yaml":
        return validation.Kind.SETTINGS
    keys = set(re.findall(r"^([a-z_]+):", block.text, re.MULTILINE))
    if "phases" in keys:
        return validation.Kind.WORKFLOW
    settings = set(schemas.load()["settings"]["properties"]) - set(schemas.load()["process"]["properties"])
    return validation.Kind.SETTINGS if keys & settings else validation.Kind.PROCESS


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "yaml"], ids=str)
def test_a_yaml_block_is_what_it_says(block: Block) -> None:
    of, text = kind(block), block.text
    if of is validation.Kind.PROCESS and not re.search(r"^(script|workflow):", text, re.MULTILINE):
        text += "\nscript: excerpt.sh\n"
    path = block.title or {"process": "processes/x.yaml", "workflow": "processes/workflows/x.yaml"}.get(
        str(of), "procctl.yaml"
    )
    parsed = validation.Validator(schemas.load()).check(of, path, text.encode())
    if "invalid" in block.info:
        assert problem.errors(parsed.problems)
    else:
        assert [str(each) for each in problem.errors(parsed.problems)] == []


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "json"], ids=str)
def test_a_json_block_is_json_and_a_record_is_valid(block: Block, execution_schema: Draft202012Validator) -> None:
    document = json.loads(block.text)
    if block.title:
        assert [error.message for error in execution_schema.iter_errors(document)] == []


def shell(page: Path, port: int) -> Iterator[str]:
    """Write a page as a shell script."""
    yield "set -eu"
    for number, block in enumerate(blocks(page)):
        if block.title:
            yield f"mkdir -p {shlex.quote(str(Path(block.title).parent))}"
            yield f"cat > {shlex.quote(block.title)} <<'END_{number}'\n{block.text}END_{number}"
        if block.language != "console":
            continue
        for line in block.text.splitlines():
            if line.startswith("$ "):
                yield from command(line[2:].replace("127.0.0.1:7071", f"127.0.0.1:{port}"), port)


def command(line: str, port: int) -> Iterator[str]:
    """Write one command as a page shows it, with its expected end."""
    line, _, expected = line.partition("# exits ")
    yield f"echo {shlex.quote('$ ' + line)}"
    if re.match(r"procctl (daemon|serve)\b", line):
        yield f"{line} & trap 'kill {'$!'}; wait' EXIT"
        ready = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/readyz', timeout=5)"
        yield f'for _ in $(seq 100); do python -c "{ready}" 2>/dev/null && break; sleep 0.1; done'
        yield f'python -c "{ready}"'
    elif expected:
        yield f'code=0; {line} || code=$?; [ "$code" = {expected} ]'
    else:
        yield line


@pytest.mark.parametrize(
    "page", sorted({block.page for block in ALL if block.language == "console"}), ids=lambda p: p.name
)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        script = "\n".join(shell(page, free.getsockname()[1]))
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    broken = []
    for target in (found["target"] for found in LINK.finditer(text)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path) -> None:
    prose = FENCE.sub("", page.read_text())
    code = [*re.findall(r"`([^`\n]+)`", prose), *(block.text for block in blocks(page))]
    assert {name for text in code for name in NAMED.findall(text)} - COMMANDS.keys() == set()


def fields(schema: Any) -> Iterator[str]:
    """Every property that a schema names, at any depth."""
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        yield from properties
        for key, inner in schema.items():
            yield from (
                (name for each in inner.values() for name in fields(each)) if key == "properties" else fields(inner)
            )
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields(inner)


@pytest.mark.parametrize("name", ["process", "workflow", "settings", "execution"])
def test_every_field_is_documented(name: str) -> None:
    text = (REFERENCE / ("record.md" if name == "execution" else "process.md")).read_text()
    documented = set(re.findall(r"`#?([A-Za-z_]+)(?:\[\])?`", text))
    assert set(fields(schemas.load()[name])) - documented == set()


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_of_a_command_is_its_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    heading = f"procctl {name}".strip()
    shown = subprocess.run([*heading.split(), "--help"], check=True, capture_output=True, text=True).stdout
    page = (REFERENCE / "cli.md").read_text()
    found = re.search(rf"^## {heading}$.*?^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading '## {heading}' with a text block in docs/reference/cli.md"
    assert found[1].strip() == shown.strip()


def test_the_page_of_commands_has_all_of_them_and_no_other() -> None:
    headings = set(re.findall(r"^## procctl ([a-z]+)$", (REFERENCE / "cli.md").read_text(), re.MULTILINE))
    assert headings == set(COMMANDS)
