"""Reports as Markdown, for the summary of a workflow and for comments.

Names, paths, values and messages are somebody else's text. Each stands in a code span of its own, which no backtick in
it can end, on a line that begins and ends as we say; there Markdown and GitHub know neither markup nor HTML, links,
mentions or emoji. In tables, where a bar would end a code span, stand only facts that procctl computed.
"""

import re
from collections.abc import Iterator

from reconciler.cli import terminal
from reconciler.cli.report import Block, Grid, Heading, Lines, Problems, Report
from reconciler.problem import Problem

LARGEST = 900_000
"""Bytes of a page: GitHub takes no summary above 1 MiB."""

_TICKS = re.compile("`+")
_SPECIAL = re.compile(r"[^\w ,.:;+/-]")
_MORE = "\n\nThe rest is left out here: it would be too long. `--format json` has all of it.\n"


def render(report: Report) -> str:
    """Write the page; where it would be too long, its first part."""
    page = [f"## procctl {report.command}\n", f"\n{report.summary}\n"]
    size = sum(map(len, page))
    for block in report.blocks:
        text = "\n" + "".join(f"{line}\n" for line in _lines(block))
        size += len(text.encode(errors="surrogatepass"))
        if size > LARGEST:
            return "".join(page) + _MORE
        page.append(text)
    return "".join(page).rstrip("\n")


def code(text: str) -> str:
    """Write somebody else's text as a code span (CommonMark 6.1); nothing where there is nothing."""
    shown = terminal.plain(text)
    if not shown:
        return ""
    ticks = "`" * (max(map(len, _TICKS.findall(shown)), default=0) + 1)
    # One space at both ends belongs to the ticks, not to the text.
    space = " " if shown.strip(" ") and (shown[0] in "` " or shown[-1] in "` ") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text, name, depth):
            yield f"{'#' * (depth + 2)} {text} {code(name)}".rstrip()
        case Lines(lines):
            yield from (f"- {code(line)}" for line in lines)
        case Grid(titles, rows):
            yield f"| {' | '.join(map(_cell, titles))} |"
            yield f"|{'-|' * len(titles)}"
            yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
        case Problems(problems):
            yield from map(_problem, problems)


def _problem(one: Problem) -> str:
    place = f"{one.path}:{one.line}:{one.column}" if one.line else one.path
    hint = f", {code(one.hint)}" if one.hint else ""
    return f"- **{one.severity}** {code(place)} {code(one.message)}{hint}"


def _cell(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", terminal.plain(text))
