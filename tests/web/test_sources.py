"""The index is read as it is now, by as many requests as come, whoever writes or replaces it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reconciler.errors import LaterError, UserError
from reconciler.store.index import Index
from reconciler.web import resources


def names(stage: Any) -> list[str]:
    with stage.sources.index() as index:
        return [one["_id"] for one in resources.processes(index, stage.repository, [], stage.now).items]


def test_what_is_written_is_seen_by_the_next_request(stage: Any) -> None:
    assert names(stage) == []
    stage.workshop.commit({"processes/A.yaml": "script: a.py\n"})
    stage.apply()
    assert names(stage) == ["A"]


def test_a_rebuilt_index_is_opened_again(stage: Any) -> None:
    stage.workshop.commit({"processes/A.yaml": "script: a.py\n"})
    stage.apply()
    assert names(stage) == ["A"]
    stage.index.close()
    fresh = Index.build(stage.layout.index, environment="production", release="test")
    fresh.install(stage.layout.index)
    assert names(stage) == []


def test_a_connection_is_lent_to_one_request_at_a_time(stage: Any) -> None:
    with stage.sources.index() as one, stage.sources.index() as other:
        assert one is not other
    with stage.sources.index() as again:
        assert again in (one, other)


def test_a_connection_that_comes_back_after_the_end_is_closed(stage: Any) -> None:
    with stage.sources.index() as late:
        stage.sources.close()
        assert late.meta("applied") is None, "whoever still answers may go on"
    with pytest.raises(LaterError, match="closed"):
        late.meta("applied")


def test_many_requests_at_once_all_get_an_answer(stage: Any) -> None:
    stage.workshop.commit({f"processes/P{number}.yaml": "script: a.py\n" for number in range(20)})
    stage.apply()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _number: len(names(stage)), range(200)))
    assert answers == [20] * 200


def test_nothing_can_be_written_through_it(stage: Any) -> None:
    with stage.sources.index() as index, pytest.raises(UserError, match="readonly"):
        index.set_meta("applied", "0" * 40)


def test_where_there_is_no_index_later_may_help(stage: Any) -> None:
    stage.index.close()
    for path in stage.layout.cache.iterdir():
        path.unlink()
    with pytest.raises(LaterError, match="procctl daemon"), stage.sources.index():
        pass
    assert not stage.layout.index.exists()


def test_a_broken_index_is_said_to_be_broken(stage: Any) -> None:
    stage.index.close()
    stage.layout.index.write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match="reindex"), stage.sources.index():
        pass
