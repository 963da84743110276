"""The command line: one file per family of commands; sole importer of click and sole reader of the environment."""
