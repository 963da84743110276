"""The kinds of failure a caller can act on; whatever is neither of them is a bug.

The split follows Flux's error package: what matters to a caller is not where it broke but who has to move next.
"""


class ProcctlError(Exception):
    """A failure that somebody can act on, in three parts: what is wrong, where, and what to do next.

    ``exit_code`` is what the command line exits with (SPEC 13).
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        """Give the three parts as one text: ``where: what; todo``."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.todo}" if self.todo else text


class UserError(ProcctlError):
    """The user must change something: an input, a file, a name, a permission."""


class UsageError(UserError):
    """The command itself was given wrongly (exit 2)."""

    exit_code = 2


class NotFoundError(UserError):
    """What was named does not exist."""


class GoneError(NotFoundError):
    """What was named existed, and was deleted on purpose (HTTP 410)."""


class LaterError(ProcctlError):
    """Nothing is wrong with the input; trying again later may work: a lock, a remote, a full disk (exit 3)."""

    exit_code = 3
