"""What to do instead of a request that would write: the command that does it in git, with the names the path gives."""

from reconciler import names
from reconciler.errors import UsageError
from reconciler.reference import Kind, Reference, parse_reference

_SOURCES = ("private", "all", "public")
_EXECUTIONS = {
    "POST": "run the process with `procctl run NAME`",
    "DELETE": "end a running execution with `procctl cancel ID`; records are never deleted by hand",
}
_CREATE = "write it with `procctl apply -f -`"
_TAG = "tag a version with `procctl tag {name} {version} {tag}`"
_VERSIONS = "*"


def advice(method: str, path: str) -> str:
    """Say how to do what ``method`` on ``path`` asks for; where it asks for nothing that procctl does, how it works.

    A name, a version, a tag or an id that the path gives, and that meets its pattern, stands in the command.
    """
    service, keys = _address(path)
    if service == "process-exec":
        text = _EXECUTIONS.get(method, "records are written by the reconciler alone")
        return text.replace("ID", keys[0]) if keys and names.is_execution(keys[0]) else text
    if service == "process":
        return _process(method, keys)
    return "change processes by commits, as `procctl apply` makes them; run one with `procctl run NAME`"


def _process(method: str, keys: list[str]) -> str:
    name = keys[0] if keys and names.is_process(keys[0]) else "NAME"
    rest = keys[1:]
    match method:
        case "POST":
            return _CREATE
        case "PUT" if rest:
            version, tag = _reference(rest[0]), rest[1] if len(rest) > 1 else ""
            shown = version.value if version is not None and version.kind is Kind.NUMBER else "N"
            return _TAG.format(name=name, version=shown, tag=tag if names.is_tag(tag) else "TAG")
        case "PUT":
            return f"rename it with `procctl rename {name} NEW`"
        case "PATCH":
            return f"change a field with `procctl set {name} FIELD=VALUE`"
        case "DELETE":
            return _delete(name, rest[0] if rest else "")
        case _:
            return f"{_CREATE}, or commit a change of the file"


def _delete(name: str, key: str) -> str:
    if not key:
        return f"go back to the version before with `procctl rollback {name}`"
    if key == _VERSIONS:
        return f"remove the process with `procctl delete {name} --all`"
    reference = _reference(key)
    if reference is not None and reference.kind is Kind.NUMBER:
        return f"delete the version with `procctl delete {name} --version {reference.value}`"
    return f"take the tag off with `procctl untag {name} {key if names.is_tag(key) else 'TAG'}`"


def _reference(key: str) -> Reference | None:
    try:
        return parse_reference(f"NAME@{key}")
    except UsageError:
        return None


def _address(path: str) -> tuple[str, list[str]]:
    """Take a path apart: the service, and the keys after its release."""
    segments = [segment for segment in path.split("/") if segment]
    if segments[:1] in (["api"], ["service"]):
        del segments[0]
    service, keys = (segments or [""])[0], segments[2:]  # a service, a release, then the keys
    if keys[:1] in ([source] for source in _SOURCES):
        del keys[0]
    return service, keys
