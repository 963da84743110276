"""Between git and disk: bring the index up to date with a commit, publish records, restore state."""
