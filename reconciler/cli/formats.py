"""The formats of a report: one table, for every command that checks something."""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from reconciler.cli import annotations, markdown, output, sarif, terminal
from reconciler.cli.report import Block, Grid, Heading, Lines, Problems, Report
from reconciler.cli.terminal import Column

_INDENT = "  "


def text(report: Report) -> str:
    """Write for people at a terminal; problems as compilers do, so that editors find the place."""
    return "\n".join([*(line for block in report.blocks for line in _lines(block)), report.summary])


def json(report: Report) -> str:
    """Write the report's document."""
    return output.to_json(report.document)


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text,
    "json": json,
    "github": annotations.render,
    "sarif": sarif.render,
    "markdown": markdown.render,
}
"""Each format by the name that ``--format`` takes."""


def option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--format``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(list(FORMATS)),
        default="text",
        show_default=True,
        metavar="FORM",
        help="Print text, json, github (annotations), sarif (2.1.0) or markdown.",
    )(function)


def show(report: Report, form: str) -> None:
    """Print a report."""
    click.echo(FORMATS[form](report))


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(words, name, depth):
            yield _INDENT * (depth - 1) + terminal.plain(f"{words} {name}".strip())
        case Lines(lines):
            # With a sign of ours in front no line begins with what a build machine takes for a command.
            yield from (f"{_INDENT * 2}- {terminal.plain(line)}" for line in lines)
        case Grid(titles, rows):
            laid = terminal.table([Column(title) for title in titles], rows, terminal.width_of(sys.stdout))
            yield from (f"{_INDENT * 2}{line}" for line in laid.splitlines())
        case Problems(problems):
            yield from (terminal.plain(str(problem)) for problem in problems)
