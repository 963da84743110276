"""From where to where along the history the versions of one process were current: what many tags are asked of at once.

Pure, and apart from ``version``: of a hundred thousand versions this is all that fits a question to each of them.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Lifetime = tuple[int, int, int | None]
"""A version's number, the place of its commit, and the place of the commit since which it is gone."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The versions of one process, oldest first: where each begins, and where those end that are gone."""

    numbers: Sequence[int]
    begins: Sequence[int]
    ends: Mapping[int, int]

    @classmethod
    def of(cls, found: Sequence[Lifetime]) -> "Lifetimes":
        """Make them of all versions of a process, in any order."""
        ordered = sorted(found)
        ends = {number: end for number, _, end in ordered if end is not None}
        return cls([number for number, _, _ in ordered], [begin for _, begin, _ in ordered], ends)

    def at(self, place: int) -> int | None:
        """The number of the version that was the current one at a place, as ``version.current_at`` finds it."""
        one = bisect_right(self.begins, place) - 1
        while one >= 0 and self.ends.get(self.numbers[one], place + 1) <= place:
            one -= 1
        return self.numbers[one] if one >= 0 else None

    def live_at(self, place: int) -> int | None:
        """The same, where that version is not gone since."""
        number = self.at(place)
        return None if number in self.ends else number
