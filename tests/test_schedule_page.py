"""The page about schedules says what is so: its tables are read and compared."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reconciler import cron
from reconciler.cronfield import DAY, HOUR, MINUTE, MONTH, WEEKDAY, YEAR
from reconciler.schedule import Schedule

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "schedules.md").read_text()


def table(*head: str) -> list[list[str]]:
    """The rows of the table with these headings."""
    rows: list[list[str]] = []
    lines = iter(PAGE.splitlines())
    for line in lines:
        if line == f"| {' | '.join(head)} |":
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    return rows
                rows.append([cell.strip() for cell in row.strip("|").split("|")])
    raise AssertionError(head)


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


CHANGES = table("expression", "zone", "`dst`", "local time", "fires (UTC)")


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: " ".join(row[:4]))
def test_the_daylight_saving_table(row: list[str]) -> None:
    (expression,), zone, dst, (kind, local) = code(row[0]), row[1], code(row[2]), row[3].split(" ", 1)
    document = {"cron": expression, "timezone": zone, "dst": dict(half.split(": ") for half in dst)}
    first = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    offsets = first.utcoffset(), first.replace(fold=1).utcoffset()
    assert offsets[0] is not None
    assert offsets[1] is not None
    assert offsets[0] < offsets[1] if kind == "missing" else offsets[0] > offsets[1]
    around = first.astimezone(UTC)
    start, end = around - timedelta(minutes=59), around + timedelta(minutes=90)
    found = [f"{slot:%Y-%m-%d %H:%M}" for slot in Schedule.of(document, "TABLE").between(start, end)]
    day = row[4][:10]
    expected = [time if "-" in time else f"{day} {time}" for time in row[4].split(", ") if time]
    assert found == expected


def test_the_daylight_saving_table_covers_what_the_contract_names() -> None:
    assert {row[1] for row in CHANGES} == {
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
    }
    for zone in {row[1] for row in CHANGES}:
        assert {row[3].split()[0] for row in CHANGES if row[1] == zone} == {"missing", "twice"}


def test_expressions_in_words() -> None:
    for expression, words in table("expression", "in words"):
        assert cron.parse(code(expression)[0], "ECB_FX").describe() == words


def test_nicknames() -> None:
    for nicknames, same in table("nickname", "same as"):
        for nickname in code(nicknames):
            assert cron.parse(nickname, "x").recurrence == cron.parse(code(same)[0], "x").recurrence


def test_seconds_first() -> None:
    for expression, words, offer in table("expression", "read as", "the warning offers"):
        found = cron.parse(code(expression)[0], "ECB_FX")
        assert found.describe() == words
        assert offer in found.warnings[0][1]


def test_ranges_of_fields() -> None:
    rows = table("field", "values", "also")
    for (name, values, _), kind in zip(rows, (MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR), strict=False):
        assert values.split(",")[0] == f"{kind.low}-{kind.high}", name


def test_terms() -> None:
    """Each term is accepted in some field."""
    for terms, _ in [*table("term", "meaning"), *[("`H(FRI-SUN)` `H(0-29)/10`", "")]]:
        for term in code(terms.removesuffix(" in `DAY`").removesuffix(" in `WEEKDAY`")):
            fields = [["*"] * place + [term] + ["*"] * (4 - place) for place in range(5)]
            assert any(accepted(" ".join(each)) for each in fields), term


def accepted(text: str) -> bool:
    try:
        cron.parse(text, "ECB_FX")
    except cron.CronError:
        return False
    return True
