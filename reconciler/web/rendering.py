"""HTML from dicts: Jinja2 with escaping always on, and every character that could mislead a reader made visible.

Nothing is computed here; pages and JSON show the same dict.
"""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent
_MISLEADING = re.compile(
    # control characters (the escape of terminal sequences among them), but not tab and newline
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"
    # marks, overrides and isolates that reorder text (CVE-2021-42574), invisible spaces, line separators, half pairs
    r"\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(value: Any) -> Any:
    """Write misleading characters of a text as JSON's escapes spell them; other values stay as they are."""
    return _MISLEADING.sub(_spell, value) if type(value) is str else value


def render(template: str, document: dict[str, Any]) -> bytes:
    """Fill a template with a page's dict; its keys are the template's variables."""
    return _ENVIRONMENT.get_template(template).render(document).encode()


def static(name: str) -> bytes:
    """Read a file that pages refer to; called with constants when the view is made, never with a request's text."""
    return (_FOLDER / "static" / name).read_bytes()


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two hex digits


def _when(written: str | None) -> str:
    """Show an instant without its milliseconds: ``2021-07-01 16:30:07``."""
    return f"{written[:10]} {written[11:19]}" if written else ""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["when"] = _when
    return environment


_ENVIRONMENT = _environment()
