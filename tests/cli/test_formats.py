"""The formats of reports: each says the same, and no text of a file can be more than text in any of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.cli import annotations, formats, markdown, report, sarif, terminal
from reconciler.cli.report import Block, Finding, Grid, Heading, Level, Lines, Problems, Report
from reconciler.problem import Problem, Severity
from reconciler.store import schemas

SUBSET = Draft202012Validator(json.loads(Path(__file__).with_name("sarif-subset.schema.json").read_text()))
HOSTILE = st.text(min_size=1, max_size=40) | st.lists(
    st.sampled_from(
        [
            *(
                "::error::",
                "\n",
                "\r",
                "\u2028",
                "\x85",
                "%0A",
                "%",
                ",",
                ":",
                "=",
                "file=x",
                "##[add-mask]x",
                "\x1b[2J",
            ),
            *("`", "``", "```", "|", "\\", "\\|", "<script>", "</code>", "<!--", "[a](javascript:x)", "![x](y)", "**"),
            *("# ", "- ", "@everyone", "#1", "https://x.example", "&#60;", "&lt;", "$`x`$", "~~", " ", "\t", "\ud800"),
        ]
    ),
    min_size=1,
    max_size=8,
).map("".join)
FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from(list(Level)),
        st.sampled_from(["process/cron", "plan/times", "workflow/file"]),
        HOSTILE.map("processes/{}".format),  # as git spells paths: never absolute
        st.integers(0, 3),
        st.integers(0, 3),
        HOSTILE,
    ),
    max_size=4,
)


def reported(*findings: Finding) -> Report:
    return Report("validate", "2 processes: 1 error", findings, {}, ())


def commands(printed: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Read workflow commands as GitHub's runner does: line by line, wherever it breaks lines."""
    for line in re.split(r"\r\n|\n|\r", printed):
        trimmed = line.lstrip()
        if trimmed.startswith("::") and (end := trimmed.find("::", 2)) >= 0:
            name, _, rest = trimmed[2:end].partition(" ")
            pairs = (pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
            yield name, {key: unescaped(value, ":,") for key, value in pairs}, unescaped(trimmed[end + 2 :], "")


def unescaped(text: str, more: str) -> str:
    for character in f"\r\n{more}%":
        text = text.replace(f"%{ord(character):02X}", character)
    return text


@given(FINDINGS)
def test_an_annotation_is_one_command_with_its_own_words(findings: list[Finding]) -> None:
    found = list(commands(annotations.render(reported(*findings))))
    assert [name for name, _, _ in found] == [str(one.level) for one in findings]
    for (_, properties, message), one in zip(found, findings, strict=True):
        assert message == terminal.plain(one.message)
        assert properties["file"] == terminal.plain(one.path)
        assert properties["title"] == one.rule
        assert properties.keys() == {"file", "title"} | ({"line", "col"} if one.line else set())


def spans(line: str) -> tuple[str, list[str]]:
    """Split a line of Markdown as CommonMark does, into what is outside of code spans and what each of them holds."""
    outside, inside, rest = "", [], line
    while match := re.search("`+", rest):
        end = re.search(rf"(?<!`){match[0]}(?!`)", rest[match.end() :])
        if end is None:
            outside, rest = outside + rest[: match.end()], rest[match.end() :]
            continue
        held = rest[match.end() : match.end() + end.start()]
        padded = held.startswith(" ") and held.endswith(" ") and held.strip(" ")
        inside.append(held[1:-1] if padded else held)
        outside, rest = outside + rest[: match.start()] + "§", rest[match.end() + end.end() :]
    return outside + rest, inside


@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_what_a_file_says_is_a_code_span_in_markdown_and_nothing_else(texts: list[str]) -> None:
    problems = tuple(Problem(text, 1, 1, "", text, text) for text in texts)
    blocks: list[Block] = [*(Heading("added", text, 2) for text in texts), Lines(tuple(texts)), Problems(problems)]
    page = markdown.render(Report("plan", "1 added", (), {}, tuple(blocks))).splitlines()
    shown = [terminal.plain(text) for text in texts]
    written = [spans(line) for line in page if "`" in line]
    assert [inside for outside, inside in written if outside == "#### added §"] == [[text] for text in shown]
    assert [inside for outside, inside in written if outside == "- §"] == [[text] for text in shown]
    told = [inside for outside, inside in written if outside == "- **error** § §, §"]
    assert told == [[f"{text}:1:1", text, text] for text in shown]
    assert len(written) == 3 * len(texts)


def test_a_table_of_markdown_holds_no_markup_either() -> None:
    grid = Grid(("a|b",), (("<b>`x`|*y*_z_[l](u)",),))
    page = markdown.render(Report("plan", "s", (), {}, (grid,)))
    assert not set("<>`*[]()") & set(page.replace("## procctl plan", ""))
    assert [line.count("|") for line in page.splitlines() if line.startswith("|")] == [2, 2, 2]


def test_a_page_that_would_be_too_long_for_github_ends_early_and_says_so() -> None:
    blocks = tuple(Lines((f"{number} " + "ü" * 1000,)) for number in range(1000))
    page = markdown.render(Report("plan", "s", (), {}, blocks))
    assert len(page.encode()) < 1_000_000
    assert "--format json" in page.splitlines()[-1]


@given(FINDINGS)
def test_sarif_is_valid_and_says_the_same(findings: list[Finding]) -> None:
    document = sarif.to_document(reported(*findings))
    assert [error.message for error in SUBSET.iter_errors(document)] == []
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result, one in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == one.rule
        assert result["message"]["text"] == one.message
        place = result["locations"][0]["physicalLocation"]
        assert unquote(place["artifactLocation"]["uri"], errors="surrogatepass") == one.path
        assert place["region"]["startLine"] == max(1, one.line)
    json.loads(sarif.render(reported(*findings)))


@given(HOSTILE)
def test_no_line_of_text_is_a_command_for_a_build_machine(text: str) -> None:
    blocks = (Heading("added", text, 2), Lines((text,)), Problems((Problem(f"processes/{text}", 0, 0, "", text),)))
    printed = formats.text(Report("plan", "s", (), {}, blocks))
    assert list(commands(printed)) == []
    assert len(printed.splitlines()) == 4


@pytest.mark.parametrize(
    ("path", "line", "pointer", "rule"),
    [
        ("processes/A.yaml", 2, "/cron", "process/cron"),
        ("processes/A.yaml", 2, "/cron/1", "process/cron"),
        ("processes/A.yaml", 2, "/corn", "process/unknown-key"),
        ("processes/A.yaml", 2, "/<b>~1~0", "process/unknown-key"),
        ("processes/A.yaml", 2, "", "process/document"),
        ("processes/A.yaml", 0, "", "process/file"),
        ("processes/workflows/w.yaml", 2, "/phases/0/script", "workflow/phases"),
        ("procctl.yaml", 1, "/timezone", "settings/timezone"),
        ("processes/link", 0, "", "repository/file"),
    ],
)
def test_a_rule_is_what_a_problem_is_about(path: str, line: int, pointer: str, rule: str) -> None:
    (found,) = report.findings([Problem(path, line, 1, pointer, "wrong", "mend it", Severity.WARNING)])
    assert (found.rule, found.level, found.message) == (rule, Level.WARNING, "wrong (mend it)")
    assert report.meaning(rule)


def test_every_rule_there_can_be_has_a_meaning() -> None:
    rules = [
        f"{kind}/{key}" for kind in ("process", "workflow", "settings") for key in schemas.load()[kind]["properties"]
    ]
    assert all(report.meaning(rule) for rule in rules)
    assert report.meaning("plan/times")


def test_there_is_one_table_of_formats() -> None:
    assert list(formats.FORMATS) == ["text", "json", "github", "sarif", "markdown"]
