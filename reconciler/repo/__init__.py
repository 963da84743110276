"""git: objects, history, refs, checkouts and the branch ``executions``. Sole importer of GitPython."""
