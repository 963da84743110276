"""Findings as GitHub's workflow commands, which show as annotations beside the lines of a pull request.

Whatever a file holds, it can neither end its own annotation nor begin another command: the characters that could are
escaped as GitHub's own toolkit does, and nothing else of a file is printed.
"""

from collections.abc import Iterator

from reconciler.cli import terminal
from reconciler.cli.report import Finding, Report

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(report: Report) -> str:
    """Write one line a finding, and the summary."""
    warnings = (f"::warning title={report.command}::{_shown(one).translate(_DATA)}" for one in report.warnings)
    return "\n".join((*warnings, *_commands(report.findings), report.summary))


def _commands(findings: tuple[Finding, ...]) -> Iterator[str]:
    for one in findings:
        properties = {"file": one.path}
        if one.line:
            properties |= {"line": str(one.line), "col": str(one.column)}
        properties["title"] = one.rule
        written = ",".join(f"{key}={_shown(value).translate(_PROPERTY)}" for key, value in properties.items())
        yield f"::{one.level} {written}::{_shown(one.message).translate(_DATA)}"


def _shown(text: str) -> str:
    """A text whose control characters, line breaks of Unicode among them, are shown."""
    return terminal.plain(text)
