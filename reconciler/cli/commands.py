"""How a command of procctl is declared: ``--repo`` on every one, and the options that several share."""

import contextlib
import importlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reconciler import duration, instant
from reconciler.cli import output

_REPO = "procctl.repo"
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Command(click.Command):
    """A command that takes ``--repo`` after its name as well as before it, and each option as a variable too."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params.append(repo_option())
        for option in self.params:
            if isinstance(option, click.Option):
                # By what the user writes, not by the name of a parameter in the code.
                written = max(option.opts, key=len).lstrip("-")
                option.envvar = f"procctl_{self.name}_{written}".upper().replace("-", "_")


def repo_option() -> click.Option:
    """The option ``--repo``, for the group and for each command; the one nearest to the command counts."""
    return click.Option(
        ["--repo"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        default=None,
        expose_value=False,
        callback=_choose_repo,
        help="The process repository. [default: the one you stand in]",
    )


def chosen_repo() -> Path | None:
    """The repository that the command line or the environment names; None: the one we stand in."""
    path: Path | None = click.get_current_context().meta.get(_REPO, (None, None))[0]
    return path


def command(name: str) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command whose function returns its exit code."""
    return click.command(name, cls=Command)


def ref_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--ref``."""
    text = "The branch to follow. [default: branch in procctl.yaml, else HEAD's]"
    return click.option("--ref", metavar="BRANCH", default=None, help=text)(function)


def environment_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--environment``."""
    text = "The environment. [default: environment in procctl.yaml, else production]"
    return click.option("--environment", metavar="NAME", default=None, help=text)(function)


def output_option(default: str = "table") -> Decorator:
    """The option ``-o``."""
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(output.FORMS),
        default=default,
        show_default=True,
        metavar="FORM",
        help="Print a table for people, or json, yaml or name for programs.",
    )


def where_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--where``, which takes what the HTTP view's lists take."""
    text = "Only those whose field is so: service=ETL, start=gte(2021-07-01)."
    return click.option("--where", "filters", multiple=True, type=Condition(), metavar="FIELD=VALUE", help=text)(
        function
    )


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a process from the index, if there is one; a shell wants no errors."""
    del param
    # Only a shell that completes calls this, and most commands do without what it needs.
    completion = importlib.import_module("reconciler.cli.completion")
    found: list[str] = completion.names(ctx.meta.get(_REPO, (None, None))[0], incomplete)
    return found


class Condition(click.ParamType[tuple[str, str]]):
    """A field and what is asked of it, ``FIELD=VALUE``."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split the text; a usage error where there is nothing to split."""
        if isinstance(value, tuple):
            return value
        field, equals, wanted = value.partition("=")
        if not equals or not field:
            self.fail(f"{value!r} is not FIELD=VALUE", param, ctx)
        return field, wanted


class Duration(click.ParamType[timedelta]):
    """A duration such as ``30s``, ``10m`` or ``PT10M``, as a ``timedelta``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read the text; a usage error where it is no duration."""
        try:
            return value if isinstance(value, timedelta) else duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[datetime]):
    """An instant: RFC 3339, a date (its midnight in UTC), or a duration before now."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the text; a usage error where it is none of the three."""
        if isinstance(value, datetime):
            return value
        found = next(filter(None, (_read(value) for _read in (_instant, _date, _ago))), None)
        if found is None:
            hint = "an instant (2021-07-01T16:30:00Z), a date (2021-07-01) or a duration before now (24h)"
            self.fail(f"{value!r} is not {hint}", param, ctx)
        return found


def _instant(value: str) -> datetime | None:
    with contextlib.suppress(ValueError, OverflowError):
        return instant.parse(value)
    return None


def _date(value: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    return None


def _ago(value: str) -> datetime | None:
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.now(UTC) - duration.parse(value)
    return None


def _choose_repo(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    """Remember the repository; an option on the command line beats a variable, a command's beats the group's."""
    if value is None:
        return
    source = ctx.get_parameter_source(param.name or "")
    _, before = ctx.meta.get(_REPO, (None, None))
    if before is ParameterSource.COMMANDLINE and source is not ParameterSource.COMMANDLINE:
        return
    ctx.meta[_REPO] = (value, source)
