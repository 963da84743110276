"""What to do instead of a request that would write: the command where there is one, else the edit in git."""

from reconciler import names

_SOURCES = ("private", "all", "public")
_FILE = "processes/**/{name}.yaml"
_EXECUTIONS = {
    "POST": "run the process with `procctl run NAME`",
    "DELETE": "end a running execution with `procctl cancel ID`; records are never deleted by hand",
}
_PROCESSES = {
    "POST": "write processes/NAME.yaml in the repository and commit it",
    "PUT": f"rename the file {_FILE} (and its `name`) and commit; tags are not supported yet",
    "PATCH": f"edit {_FILE} and commit",
    "DELETE": f"remove {_FILE}, or bring an older content back with `git revert COMMIT`, and commit",
}


def advice(method: str, path: str) -> str:
    """Say how to do what ``method`` on ``path`` asks for; empty where it asks for nothing that procctl does.

    A name or an id that the path gives, and that meets its pattern, stands in the command.
    """
    segments = [segment for segment in path.split("/") if segment not in ("", "api", "service", *_SOURCES)]
    service = segments[0] if segments else ""
    key = segments[2] if len(segments) > 2 else ""  # noqa: PLR2004 - a service, a release, then the key
    if service == "process-exec":
        text = _EXECUTIONS.get(method, "records are written by the reconciler alone")
        return text.replace("ID", key) if names.is_execution(key) else text
    if service == "process":
        text = _PROCESSES.get(method, "edit the file in the repository and commit")
        name = key if names.is_process(key) else "NAME"
        return text.format(name=name)
    return "change processes by commits; run one with `procctl run NAME`"
