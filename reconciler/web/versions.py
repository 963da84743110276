"""The versions of a process, and all tags: what ``/KEY/*``, ``procctl versions`` and ``procctl tags`` show.

Apart from the other resources, as commands that answer at once load only this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler import instant
from reconciler.repo import tags
from reconciler.repo.repository import Repository
from reconciler.repo.tags import Tag
from reconciler.store.past import Past
from reconciler.sync import naming, references
from reconciler.version import Version
from reconciler.web import listing
from reconciler.web.listing import TYPE, Document


@dataclass(frozen=True, slots=True)
class History:
    """Versions of a process, newest first, and what a document says of them; ``total`` is how many all pages have."""

    name: str
    versions: Sequence[Version]
    total: int
    in_force: int | None
    tags: Mapping[int, Sequence[str]]

    def document(self, version: Version) -> Document:
        """Write one of them as answers show it."""
        current = version.live and version.number == self.in_force
        head = {"_id": self.name if current else version.commit, "_type": TYPE, "name": version.name}
        made = listing.meta(version, self.tags.get(version.number, ()))
        return head | made | {"path": version.path, "subject": version.subject} | listing.gone(version)


def history(
    index: Past, repository: Repository, name: str, *, deleted: bool = False, page: tuple[int, int] = (0, -1)
) -> History:
    """Give the versions of a process; those that are gone too where ``deleted`` says so.

    ``page`` is how many to leave out first and how many to give then (-1: all). ``NotFoundError`` where there never was
    such a process, ``GoneError`` where all is gone and not asked for.
    """
    row, (live, ever) = index.process(name), index.count_versions(name)
    total = ever if deleted else live
    if not (total or (row is not None and row.name == name)):
        references.current(index, name)  # says what there is not, or not any more
    in_force = row.version if row is not None and row.name == name else None
    first, many = page
    found = index.page_of_versions(name, deleted=deleted, first=first, many=many)
    return History(name, found, total, in_force, naming.tags_of(repository, index, name))


def all_tags(index: Past, repository: Repository, name: str | None = None) -> list[Document]:
    """List tags with the process and version that each names; of one process, those of the repository among them.

    Without a process, a tag of the repository stands for itself: it names a version of every process.
    """
    if name is not None:
        references.current(index, name)
        named = naming.named(repository, index, name)
        return _tags(index, [(name, text, tag) for text, tag in sorted(named.items())])
    found = tags.all(repository)
    known = index.current_numbers()
    owners = {full.rpartition("/")[0] for full in found} - {""}
    later = _later_names(index, known) if owners - known.keys() else {}
    rows: list[tuple[str | None, str, Tag]] = []
    for full, tag in found.items():
        owner, slash, text = full.rpartition("/")
        rows.append((later.get(owner, owner) if slash else None, text, tag))
    return sorted(_tags(index, rows), key=lambda row: (row["name"] or "", row["tag"]))


def _later_names(index: Past, known: Mapping[str, int]) -> dict[str, str]:
    """What processes are called now, by the names that they had before and no other process has."""
    former = index.renamed()
    return {old: name for name in known for old in former.get(name, ()) if old not in known}


def _tags(index: Past, rows: Sequence[tuple[str | None, str, Tag]]) -> list[Document]:
    """Write tags, each given as process, text and tag."""
    numbers = naming.live_numbers(index, [(name, tag) for name, _, tag in rows if name is not None])
    return [
        {
            "tag": text,
            "name": name,
            "version": None if name is None else numbers.get((name, tag.name)),
            "commit": tag.commit,
            "tagger": tag.tagger or None,
            "time": None if tag.time is None else instant.text(tag.time),
            "ref": f"{tags.TAGS}{tag.name}",
            "message": tag.message,
        }
        for name, text, tag in rows
    ]
