"""procctl: processes declared in git, run on schedule, recorded in git."""

__version__ = "0.1.0"
