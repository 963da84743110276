"""The JSON Schemas that ship with the package: process, workflow, settings, execution."""

import functools
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reconciler import __version__

FOLDER = Path(__file__).resolve().parent.parent / "schemas"
_SUFFIX = ".schema.json"


@functools.cache
def load() -> Mapping[str, Mapping[str, Any]]:
    """Every schema by the noun it describes, which is the stem of its file."""
    found = {path.name.removesuffix(_SUFFIX): json.loads(path.read_bytes()) for path in FOLDER.glob(f"*{_SUFFIX}")}
    return MappingProxyType(found)


@functools.cache
def release() -> str:
    """What decides, beside a file's bytes, what it parses to: this release and its schemas. Open the index with it."""
    texts = b"".join(path.read_bytes() for path in sorted(FOLDER.glob(f"*{_SUFFIX}")))
    return f"{__version__}-{zlib.crc32(texts):08x}"
