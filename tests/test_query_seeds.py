"""Every list that the two seed documents show is asked for here as it is written there."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from reconciler.query import parse

EXECUTIONS = [
    """
https://api.opendatadsl.com/service/process-exec/v1
  ?name=ECB_FX
""",
    """
https://api.opendatadsl.com/service/process-exec/v1
  ?name=ECB_FX
  &start=range(2021-07-19,2021-07-23)
""",
    """
https://api.opendatadsl.com/service/process-exec/v1
  ?status=failed
  &start=range(2021-07-19,2021-07-23)
""",
]
PROCESSES = [
    """
GET {{url}}/process/v1
    ?_limit=-1
""",
    """
GET {{url}}/process/v1?_distinct=_id
""",
]
RECORDS = [
    {"_id": "1", "name": "ECB_FX", "status": "success", "start": "2021-07-18T23:59:59.999Z"},
    {"_id": "2", "name": "ECB_FX", "status": "failed", "start": "2021-07-19T00:00:00.000Z"},
    {"_id": "3", "name": "ECB_FX", "status": "success", "start": "2021-07-23T23:59:59.999Z"},
    {"_id": "4", "name": "TEST", "status": "failed", "start": "2021-07-23T16:30:07.858Z"},
    {"_id": "5", "name": "TEST", "status": "failed", "start": "2021-07-24T00:00:00.000Z"},
]


def parameters(example: str) -> list[tuple[str, str]]:
    url = re.sub(r"\s+|^GET|\{\{url\}\}", "", example.strip().removeprefix("GET"))
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


@pytest.mark.parametrize(("example", "found"), [*zip(EXECUTIONS, ["123", "23", "24"], strict=True)])
def test_executions(example: str, found: str) -> None:
    asked = parse(parameters(example))
    assert "".join(one["_id"] for one in asked.select(RECORDS, lambda one: one)) == found
    assert asked.limit == 100


def test_processes() -> None:
    known: list[dict[str, Any]] = [{"_id": f"P{number:03}"} for number in range(150)]
    everything, names = (parse(parameters(example)) for example in PROCESSES)
    assert list(everything.page(everything.select(known, lambda one: one))) == known
    assert names.summary is not None
    assert names.page(names.summary.of(known)) == [one["_id"] for one in known]


def test_the_groups_of_the_documentation() -> None:
    asked = parse([("_aggregate", '[{"$group":{"_id":"$status","count":{"$sum":1}}}]')])
    assert asked.summary is not None
    assert asked.summary.of(RECORDS) == [{"_id": "failed", "count": 3}, {"_id": "success", "count": 2}]
