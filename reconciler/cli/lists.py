"""How a list is asked for at the command line: in the words of the query language."""

from collections.abc import Sequence

from reconciler import query

Parameters = Sequence[tuple[str, str]]


def paged(filters: Parameters, form: str, count: int) -> list[tuple[str, str]]:
    """The parameters of a list, with how many to show unless they say so, or ask for values instead of documents.

    ``UsageError`` where they ask for what a table or names cannot show.
    """
    asked = query.parse(filters) if form in ("json", "yaml") else query.parse_whole(filters)
    settled = asked.summary is not None or any(field == "_limit" for field, _ in filters)
    return [*filters, *([] if settled else [("_limit", str(count))])]
