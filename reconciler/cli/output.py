"""The forms of an answer: a table for people; JSON, YAML or bare names for programs.

JSON is what the HTTP view answers, from the same functions; the other forms are made of the same documents.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from reconciler import yamlwrite
from reconciler.cli import terminal

FORMS = ("table", "json", "yaml", "name")


def show(form: str, answer: Any, *, names: Sequence[str], table: Callable[[], str]) -> None:
    """Print an answer in the form asked for; ``table`` is called only where a person reads."""
    match form:
        case "json":
            click.echo(to_json(answer))
        case "yaml":
            click.echo(to_yaml(answer))
        case "name":
            for name in names:
                click.echo(terminal.plain(name))
        case _:
            people(table())


def people(text: str) -> None:
    """Print lines for people, with the words that name a status in colour."""
    if text and not terminal.coloured(sys.stdout):
        click.echo(text, color=True)
        return
    for line in text.splitlines():
        click.echo(terminal.paint_words(line, sys.stdout), color=True)


def to_json(answer: Any) -> str:
    """Write JSON, two-space indent, safe for a terminal."""
    return terminal.escape_json(json.dumps(answer, indent=2, ensure_ascii=False))


def to_yaml(answer: Any) -> str:
    """Write block YAML that any YAML 1.2 reader reads back as the same document, safe for a terminal."""
    return terminal.escape_yaml("\n".join(yamlwrite.block(answer)))


def table(columns: Sequence[terminal.Column], rows: Sequence[Sequence[str]], empty: str) -> str:
    """Lay out rows for standard output, or say what being empty means."""
    return terminal.table(columns, rows, terminal.width_of(sys.stdout)) if rows else empty


def brief(written: str | None) -> str:
    """An instant of a document as tables show it: ``2021-07-01 16:30:07Z``."""
    return f"{written[:10]} {written[11:19]}Z" if written else "-"
