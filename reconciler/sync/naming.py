"""Which names a process's versions have: its own tags, those of its former names, and the repository's (SPEC 9)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler import names
from reconciler.lifetimes import Lifetimes
from reconciler.repo import tags
from reconciler.repo.repository import Repository
from reconciler.repo.stamps import Memo
from reconciler.repo.tags import Tag
from reconciler.store.past import Past
from reconciler.sync import collecting

COMMIT, MAINLINE = COUNTED = "versions.commit", "versions.mainline"
"""What the index's ``meta`` says of the history that versions are counted along."""

_MANY = 1000
"""Processes whose versions are looked up one by one; for more, all are read."""

_MOST = 20_000

State = tuple[str | None, ...]
ByNumber = dict[int, tuple[str, ...]]
ByName = dict[str, ByNumber]
_ALL: "Memo[tuple[State, ByName]]" = Memo()
_OF: dict[tuple[Path, str, str], tuple[State, dict[str, Tag], ByNumber]] = {}
"""What tags pick of single processes, by index, environment and name: as long as both are what they were."""


def tags_of(repo: Repository, index: Past, name: str) -> ByNumber:
    """The tags of a process as they are written after ``@``, sorted, by the number of the live version they pick."""
    state, chosen = _state(index), named(repo, index, name)
    key = index.path, index.environment, name
    known = _OF.get(key)
    if known is None or known[:2] != (state, chosen):
        known = state, chosen, _Numbers.of(index, {name}, chosen.values()).by_version(name, chosen)
        if len(_OF) >= _MOST:
            _OF.clear()
        _OF[key] = known
    return known[2]


def named(repo: Repository, index: Past, name: str) -> dict[str, Tag]:
    """The tags that mean something for a process, by what is written after ``@``, whatever they name."""
    called = owners(index, name)
    return _Shelf.of(index, tags.of(repo, *called)).named(called)


def own(repo: Repository, index: Past, name: str) -> dict[str, Tag]:
    """The tags of a process alone, those under its former names too, by full name, the names newest first."""
    called = owners(index, name)
    found = tags.of(repo, *called)
    return {
        full: tag
        for owner in called
        for full, tag in sorted(found.items())
        if full.startswith(f"{owner}/") and names.is_tag(full.removeprefix(f"{owner}/"))
    }


def all_tags(repo: Repository, index: Past, wanted: Iterable[str] | None = None) -> ByName:
    """``tags_of`` of many processes, by name, as far as they have any: of all, or of those that are given.

    Those of all are remembered until a tag moves or versions are counted.
    """
    stamp, state = tags.stamp(repo), _state(index)
    place, begun = (index.path, index.environment), _ALL.clock()
    asked = None if wanted is None else set(wanted)
    known = _ALL.get(place, stamp)
    if known is None or known[0] != state:
        whole = asked is None or len(asked) > _MANY
        known = state, _all(repo, index, None if whole else asked)
        if whole:
            _ALL.put(place, stamp, known, begun)
    return {name: found for name, found in known[1].items() if asked is None or name in asked}


def _state(index: Past) -> State:
    return tuple(index.meta(key) for key in COUNTED)


def _all(repo: Repository, index: Past, wanted: Collection[str] | None) -> ByName:
    free, renamed = index.current_numbers(), index.renamed()
    asked = free.keys() if wanted is None else free.keys() & wanted
    if not asked:
        return {}
    by_name = {}
    with collecting.paused():
        found = tags.all(repo)
        shelf = _Shelf.of(index, found)
        numbers = _Numbers.of(index, asked, found.values())
        for name in asked:
            called = (name, *(old for old in renamed.get(name, ()) if old not in free))
            if by_version := numbers.by_version(name, shelf.named(called)):
                by_name[name] = by_version
    return by_name


def live_numbers(index: Past, asked: Collection[tuple[str, Tag]]) -> dict[tuple[str, str], int]:
    """The number of the live version that each tag picks of its process, by the names of both, as far as it does."""
    numbers = _Numbers.of(index, {name for name, _ in asked}, [tag for _, tag in asked])
    found = (((name, tag.name), numbers.of_tag(name, tag)) for name, tag in asked)
    return {key: number for key, number in found if number is not None}


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Which version a tag picks, for many processes and tags: what that takes is read once for all."""

    places: Mapping[str, int]
    lifetimes: Mapping[str, Lifetimes]

    @classmethod
    def of(cls, index: Past, names: Collection[str], found: Collection[Tag]) -> "_Numbers":
        """Read what the question about some processes and tags takes."""
        places = index.places({tag.commit for tag in found if tag.commit is not None})
        if not places:
            return cls({}, {})
        return cls(places, index.lifetimes(names if len(names) <= _MANY else None))

    def of_tag(self, name: str, tag: Tag) -> int | None:
        """The number of the live version of a process at a tag."""
        place = self.places.get(tag.commit) if tag.commit is not None else None
        known = self.lifetimes.get(name)
        return known.live_at(place) if place is not None and known is not None else None

    def by_version(self, name: str, chosen: Mapping[str, Tag]) -> ByNumber:
        """What is written after ``@`` by the number that it picks of a process, the newest first."""
        known = self.lifetimes.get(name)
        if known is None:
            return {}
        by_number: dict[int, list[str]] = defaultdict(list)
        for text, tag in chosen.items():
            place = self.places.get(tag.commit or "")
            number = known.live_at(place) if place is not None else None
            if number is not None:
                by_number[number].append(text)
        return {number: tuple(sorted(by_number[number])) for number in sorted(by_number, reverse=True)}


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Tags in order: ``own`` by process and text, ``whole`` those of the repository that count."""

    own: Mapping[str, Mapping[str, Tag]]
    whole: Mapping[str, Tag]

    @classmethod
    def of(cls, index: Past, found: Mapping[str, Tag]) -> "_Shelf":
        """Sort what a repository has; of its own tags, those count whose text no process has."""
        own: dict[str, dict[str, Tag]] = defaultdict(dict)
        whole: dict[str, Tag] = {}
        for full, tag in found.items():
            key, slash, text = full.rpartition("/")
            if slash and names.is_tag(text):
                own[key][text] = tag
            elif names.is_tag(full):
                whole[full] = tag
        hidden = taken(index, whole)
        return cls(own, {text: tag for text, tag in whole.items() if text not in hidden})

    def named(self, called: Iterable[str]) -> dict[str, Tag]:
        """The tags of a process: those under its newest names hide others."""
        chosen: dict[str, Tag] = {}
        for owner in called:
            if owner in self.own:
                chosen = {**self.own[owner], **chosen}
        return {**self.whole, **chosen} if chosen else dict(self.whole)


def owners(index: Past, name: str) -> tuple[str, ...]:
    """The names whose tags are a process's own, newest first: not one that another process has by now."""
    return (name, *(old for old in index.former_names(name) if index.current_version(old) is None))


def taken(index: Past, texts: Iterable[str]) -> set[str]:
    """The texts that name a process, whatever their case: a tag of the repository may not."""
    asked = list(texts)
    known = index.last_versions(asked) if asked else {}
    return {text for text in asked if (one := known.get(text.lower())) is not None and one.current is not None}
