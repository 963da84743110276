"""The command line: one file per family of commands; the sole importer of click and reader of the environment."""

from reconciler.cli.program import main

__all__ = ["main"]
