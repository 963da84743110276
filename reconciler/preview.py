"""What a change of the repository would do: two snapshots compared as people ask about them.

Pure. Whatever is not in the snapshots comes in as ``Known``; without it, less is told and nothing is wrong.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler import duration, load, timing
from reconciler.difference import Difference, differences
from reconciler.load import Loads, Piles
from reconciler.problem import Problem
from reconciler.settings import Settings
from reconciler.shared import Kind, Part, parts
from reconciler.snapshot import Declared, Snapshot
from reconciler.timing import Times, Timing

Keyed = Sequence[tuple[tuple[str, ...], Problem]]
_IDENTITY = ("name", "_id")


@dataclass(frozen=True, slots=True)
class Known:
    """What a comparison is told beside the snapshots.

    ``environment`` is whose load counts, ``renames`` are (old, new) names that commits declare, ``durations`` how long
    nine of ten past runs took at most, ``versions`` the numbers that processes will get, ``dated`` the warnings that
    depend on the day, before and after.
    """

    now: datetime
    environment: str
    renames: tuple[tuple[str, str], ...] = ()
    durations: Mapping[str, timedelta] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    dated: tuple[tuple[Problem, ...], tuple[Problem, ...]] = ((), ())


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one process. ``fields`` is empty where only comments, layout or the folder changed.

    ``former`` and ``former_path`` are its name and path before, where they differ. ``stays`` says that its set has
    errors, so that what was in force before stays so. ``held`` and ``was_held`` are why it cannot run.
    """

    kind: Kind
    name: str
    path: str
    former: str | None = None
    former_path: str | None = None
    fields: tuple[Difference, ...] = ()
    timing: Timing | None = None
    stays: bool = False
    held: str | None = None
    was_held: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that a change does. Processes, workflows and scripts are sorted by name."""

    processes: tuple[Change, ...]
    workflows: tuple[Part, ...]
    scripts: tuple[Part, ...]
    settings: tuple[Difference, ...]
    piles: Piles
    new: tuple[Problem, ...]
    fixed: tuple[Problem, ...]

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """The processes of which this becomes."""
        return tuple(change for change in self.processes if change.kind is kind)


def compare(old: Snapshot, new: Snapshot, known: Known) -> Preview:
    """Compare what two commits declare."""
    pairs = dict(_renamed(old, new, known.renames))
    sides = _Sides(old, new, known, pairs)
    moved = {
        old.processes[before].file.path: new.processes[name].file.path
        for name in new.processes
        if (before := pairs.get(name, name)) in old.processes
    }
    came, went = _problems((*old.problems, *known.dated[0]), (*new.problems, *known.dated[1]), moved)
    workflows, scripts = parts(old, new)
    return Preview(
        processes=tuple(sorted(sides.changes(), key=lambda change: (change.name.lower(), change.name))),
        workflows=workflows,
        scripts=scripts,
        settings=differences(_settings(old.settings), _settings(new.settings)),
        piles=load.piles(*sides.loads(), known.now),
        new=came,
        fixed=went,
    )


class _Sides:
    """The processes of both snapshots, each beside what it was before."""

    def __init__(self, old: Snapshot, new: Snapshot, known: Known, pairs: Mapping[str, str]) -> None:
        self._old, self._new, self._known, self._pairs = old, new, known, pairs
        self._gone = frozenset(pairs.values())

    def changes(self) -> Iterator[Change]:
        """Give every process that is otherwise."""
        same_zone = self._old.settings.timezone == self._new.settings.timezone
        for name, declared in self._new.processes.items():
            before = self._before(name)
            if before is None or before.file != declared.file or _state(before) != _state(declared):
                yield self._change(name, before, declared)
            elif not same_zone and before is not None:
                change = self._change(name, before, declared)
                if change.timing is not None:
                    yield change
        for name, declared in self._old.processes.items():
            if name not in self._new.processes and name not in self._gone:
                times = self._times(declared, self._old)
                yield Change(Kind.REMOVED, name, declared.file.path, timing=Timing(times, None))

    def loads(self) -> tuple[Loads, Loads]:
        """The load that either snapshot puts on the known environment."""
        return load.loads(self._due(self._old)), load.loads(self._due(self._new))

    def _due(self, snapshot: Snapshot) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, declared in snapshot.processes.items():
            before = self._before(name) if snapshot is self._new else None
            stays = not _stands(declared) and before is not None
            one, where = (before, self._old) if stays and before is not None else (declared, snapshot)
            process = one.process
            if process is None or not process.scheduled or not _stands(one) or _idle(one):
                continue
            if process.environment in (None, self._known.environment):
                yield name, process.schedule_document(where.settings.timezone)

    def _before(self, name: str) -> Declared | None:
        return self._old.processes.get(self._pairs.get(name, name))

    def _change(self, name: str, before: Declared | None, declared: Declared) -> Change:
        former = self._pairs.get(name)
        path, former_path = declared.file.path, before.file.path if before is not None else None
        return Change(
            kind=_kind(before, declared, former),
            name=name,
            path=path,
            former=former,
            former_path=former_path if former_path != path else None,
            fields=_fields(before, declared),
            timing=self._timing(name, before, declared),
            stays=before is not None and not _stands(declared),
            held=_state(declared)[1],
            was_held=_state(before)[1] if before is not None else None,
            version=self._known.versions.get(name),
        )

    def _timing(self, name: str, before: Declared | None, declared: Declared) -> Timing | None:
        """What becomes of its slots; ``None`` where nothing does."""
        if not _stands(declared):
            return None
        was = self._times(before, self._old) if before is not None else None
        times = self._times(declared, self._new)
        if before is not None and was is not None and times is not None:
            if was.idle and was.idle == times.idle:
                return None
            if was == times and self._slots_of(before, self._old) == self._slots_of(declared, self._new):
                return None
        if times is None or times.idle or declared.process is None:
            return Timing(was, times)
        document, now = declared.process.schedule_document(self._new.settings.timezone), self._known.now
        duration = self._known.durations.get(name, self._known.durations.get(before.name) if before else None)
        return Timing(was, times, timing.daylight(document, name, now), timing.overrun(document, name, now, duration))

    def _times(self, declared: Declared, snapshot: Snapshot) -> Times | None:
        if declared.process is None or not _stands(declared):
            return None
        document = declared.process.schedule_document(snapshot.settings.timezone)
        if idle := _idle(declared):
            return Times(document["timezone"], (), idle)
        return timing.times(document, declared.name, self._known.now)

    def _slots_of(self, declared: Declared, snapshot: Snapshot) -> Mapping[str, Any] | None:
        process = declared.process
        return process.schedule_document(snapshot.settings.timezone) if process is not None else None


def _kind(before: Declared | None, declared: Declared, former: str | None) -> Kind:
    if before is None:
        return Kind.ADDED
    if former is not None:
        return Kind.RENAMED
    return Kind.AFFECTED if before.file == declared.file else Kind.CHANGED


def _state(declared: Declared) -> tuple[bool, str | None]:
    """Whether it takes effect, and why it cannot run all the same."""
    return _stands(declared), declared.held.message if declared.held is not None else None


def _fields(before: Declared | None, declared: Declared) -> tuple[Difference, ...]:
    if before is None or before.process is None or declared.process is None:
        return ()
    return differences(_document(before), _document(declared))


def _stands(declared: Declared) -> bool:
    """Whether this configuration takes effect: one without errors, and one that is switched off."""
    return declared.valid or (declared.process is not None and not declared.process.enabled)


def _idle(declared: Declared) -> str:
    if declared.process is not None and not declared.process.enabled:
        return "it is disabled"
    return f"it is held: {declared.held.message}" if declared.held is not None else ""


def _document(declared: Declared) -> dict[str, Any]:
    document = declared.process.document if declared.process is not None else {}
    return {key: value for key, value in document.items() if key not in _IDENTITY}


def _settings(settings: Settings) -> dict[str, Any]:
    lengths = {key: duration.text(getattr(settings, key)) for key in ("retention", "catchup_window")}
    plain = {key: getattr(settings, key) for key in ("branch", "environment", "timezone", "max_running")}
    return {key: value for key, value in (plain | lengths).items() if value is not None}


def _renamed(old: Snapshot, new: Snapshot, marks: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Pair names (new, old): by mark, else where one goes and one comes with equal values, and no other does."""
    went = {name: one for name, one in old.processes.items() if name not in new.processes}
    came = {name: one for name, one in new.processes.items() if name not in old.processes}
    for before, name in marks:
        if before in went and name in came:
            del went[before], came[name]
            yield name, before
    alike: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for place, side in enumerate((went, came)):
        for name, one in side.items():
            if one.process is not None:
                alike[json.dumps(_document(one), sort_keys=True)][place].append(name)
    for before_names, names in alike.values():
        if len(before_names) == len(names) == 1:
            yield names[0], before_names[0]


def _problems(
    old: Iterable[Problem], new: Iterable[Problem], moved: Mapping[str, str]
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Tell new problems from fixed ones; one that only moved, to another line or with its file, is neither."""
    before = [(_substance(replace(one, path=moved.get(one.path, one.path))), one) for one in sorted(set(old))]
    after = [(_substance(one), one) for one in sorted(set(new))]
    return _without(after, before), _without(before, after)


def _without(problems: Keyed, others: Keyed) -> tuple[Problem, ...]:
    left = Counter(key for key, _ in others)
    found = []
    for key, problem in problems:
        if left[key]:
            left[key] -= 1
        else:
            found.append(problem)
    return tuple(found)


def _substance(problem: Problem) -> tuple[str, ...]:
    return problem.path, problem.pointer, problem.message, str(problem.severity)
