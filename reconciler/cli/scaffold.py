"""The files that ``init`` writes, and writing those of them that are missing, all or none."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import UserError
from reconciler.store import files, schemas

_FOLDER = Path(__file__).with_name("skeleton")


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its source in the folder ``skeleton``, whether it is part of the example, and may be executed."""

    source: str
    example: bool = False
    mode: int = 0o644


PARTS: Mapping[str, Part] = {
    "README.md": Part("README.md.in"),
    ".gitignore": Part("gitignore.in"),
    "procctl.yaml": Part("procctl.yaml.in"),
    ".github/workflows/procctl.yml": Part("workflow.yml.in"),
    "processes/hello.yaml": Part("hello.yaml.in", example=True),
    "processes/greetings.yaml": Part("greetings.yaml.in", example=True),
    "processes/workflows/wf_greetings.yaml": Part("wf_greetings.yaml.in", example=True),
    "processes/scripts/hello.sh": Part("hello.sh.in", example=True, mode=0o755),
    "processes/scripts/greetings/compose.py": Part("compose.py.in", example=True),
    "processes/scripts/greetings/deliver.py": Part("deliver.py.in", example=True),
}


def missing(root: Path) -> dict[str, Part]:
    """The files that are not there yet; no example where there are processes already."""
    lived_in = any(path.suffix in {".yaml", ".yml"} for path in (root / "processes").rglob("*"))
    wanted = {target: part for target, part in PARTS.items() if not (part.example and lived_in)}
    schema_files = {f"schemas/{path.name}": Part(str(path)) for path in sorted(schemas.FOLDER.glob("*.schema.json"))}
    return {target: part for target, part in (wanted | schema_files).items() if not os.path.lexists(root / target)}


def write(root: Path, parts: Mapping[str, Part]) -> None:
    """Write files that do not exist; where one cannot be written, those before it are removed again.

    Raises ``UserError`` or ``LaterError``; a folder that is a symlink is not followed.
    """
    written: list[Path] = []
    try:
        for target, part in parts.items():
            path = root / target
            _refuse_symlinks(root, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write((_FOLDER / part.source).read_bytes())
            path.chmod(part.mode)
    except OSError as error:
        remove(written)
        raise files.explain(error, Path(error.filename or root)) from error
    except UserError:
        remove(written)
        raise


def remove(paths: Iterable[Path]) -> None:
    """Take back what was written."""
    for path in paths:
        path.unlink(missing_ok=True)


def _refuse_symlinks(root: Path, path: Path) -> None:
    for parent in path.relative_to(root).parents:
        if (root / parent).is_symlink():
            raise UserError("a symlink stands where a folder must be", where=str(root / parent), todo="remove it")
