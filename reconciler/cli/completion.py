"""Names of processes for shell completion: whatever the index has now, found fast, and never an error."""

import os
from contextlib import closing
from pathlib import Path

from reconciler.errors import ProcctlError
from reconciler.repo.repository import open_repository
from reconciler.store.index import Index
from reconciler.store.layout import Layout


def names(repo: Path | None, incomplete: str) -> list[str]:
    """The names of processes that begin so, in any environment."""
    try:
        found = open_repository(repo or Path(), os.environ)
        layout = Layout.of(found.common_dir, None, "production")
        state = layout.state.parent
        environments = [folder.name for folder in state.iterdir()] if state.is_dir() else []
        listed: set[str] = set()
        for environment in {layout.environment, *environments}:
            with closing(Index.open_readonly(layout.index, environment=environment)) as index:
                listed.update(row.name for row in index.processes())
    except (ProcctlError, OSError):
        return []
    return sorted(name for name in listed if name.startswith(incomplete))
