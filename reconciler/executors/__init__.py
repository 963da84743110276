"""Where runners run: one Protocol, and a dict of its implementations."""

from collections.abc import Callable, Mapping

from reconciler.executors.executor import Executor
from reconciler.executors.local import LocalExecutor

EXECUTORS: Mapping[str, Callable[[], Executor]] = {"local": LocalExecutor}
"""What ``procctl daemon --executor`` may name."""

__all__ = ["EXECUTORS", "Executor"]
