"""The ``zoo`` command: listings here, everything else from plugins. Listings import no torch."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import signal
import stat
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from types import FrameType
from typing import Annotated, Any

import typer

from zoo import completion
from zoo.author_commands import check, new_plugin
from zoo.catalogue import HOST, Entry, Plugin
from zoo.errors import FAILURES, Interrupted, ZooError
from zoo.registry import installed, only
from zoo.specs import CommandSpec, MetricSpec, ModelSpec
from zoo.tables import print_table
from zoo.text import visible
from zoo.version import __version__

EXIT_UNUSABLE_ARGUMENTS = 2
EXIT_INTERRUPTED = 130
INTERRUPTIONS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C, what schedulers send, and a lost terminal: finished work is kept."""

NO_PLUGINS = "--no-plugins"
HELP = "Generative models as plugins, compared under equal budgets."
RARE = {"--help", "-h", "--install-completion", "--show-completion"}
"""Options without which Typer need not import pydantic, which takes as long as a listing."""
TABLES = {
    "columns": ["column", "better", "description"],
    "settings": ["setting", "type", "default", "description"],
    "tuned": ["data", "settings of preset=tuned"],
    "parameters": ["task", "parameters"],
    "reference_results": ["reference results", "runs", "FID", "modes", "command"],
}
"""Headings of the tables of ``zoo show``, by key of its JSON output."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(as_json: Json = False) -> None:
    """List the installed models."""
    _list(installed().models, as_json, lambda s: [s.name, s.family, " ".join(s.data), s.summary])


def tasks(as_json: Json = False) -> None:
    """List the tasks: data sets and how they are judged."""
    _list(
        installed().tasks,
        as_json,
        lambda s: [s.name, s.data, "x".join(map(str, s.shape)), str(s.modes), s.state, s.summary],
        headers=["name", "data", "shape", "modes", "state", "summary"],
    )


def metrics(as_json: Json = False) -> None:
    """List the metrics and the columns that they report."""
    _list(
        installed().metrics,
        as_json,
        lambda s: [s.name, " ".join(s.needs), " ".join(c.name for c in s.columns), _when(s) + s.summary],
        headers=["name", "needs", "columns", "summary"],
    )


def _when(metric: MetricSpec) -> str:
    return "On request: " if metric.on_request else ""


def plugins(as_json: Json = False) -> None:
    """List the installed plugins, with what each provides or what is wrong with it."""
    registry = installed()
    if as_json:
        print(json.dumps([dataclasses.asdict(p) for p in registry.plugins], indent=2))
    else:
        rows = [[p.name, p.distribution, p.version, _state(p)] for p in registry.plugins]
        print_table(["name", "distribution", "version", "provides, or what is wrong"], rows)


def _state(plugin: Plugin) -> str:
    return plugin.error or "; ".join([*(f"warning: it {w}" for w in plugin.warnings), ", ".join(plugin.provides)])


def show(
    name: Annotated[
        str,
        typer.Argument(help="A model, task or metric.", autocompletion=completion.names("models", "tasks", "metrics")),
    ],
    as_json: Json = False,
) -> None:
    """Show everything about one model, task or metric."""
    entry = installed().find(name)
    facts: dict[str, Any] = {
        key: value for key, value in dataclasses.asdict(entry.spec).items() if value not in ("", ()) or key == "name"
    }
    facts["provided by"] = f"{entry.plugin} (entry point {entry.plugin.name!r})"
    if isinstance(entry.spec, ModelSpec):
        facts |= _model_facts(entry)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for key, value in facts.items():
        if key not in TABLES:
            text = " ".join(map(str, value)) if isinstance(value, tuple | list) else value
            print(f"{key.replace('_', ' ')}: {text}")
    for key, headers in TABLES.items():
        if facts.get(key):
            print_table(headers, [[_cell(value) for value in row.values()] for row in facts[key]])
    if facts.get("settings"):
        print("Some defaults depend on the shape of the data; records have the values used.")


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)


def _model_facts(entry: Entry[ModelSpec]) -> dict[str, Any]:
    from zoo import card

    counts = card.parameters(entry, installed().tasks)
    return {
        "settings": [dataclasses.asdict(setting) for setting in card.settings(entry)],
        "tuned": [{"kind": kind, "settings": text} for kind, text in card.tuned(entry).items()],
        "parameters": [{"task": task, "parameters": count} for task, count in counts.items()],
        "reference_results": [dataclasses.asdict(reference) for reference in card.references(entry)],
    }


def doctor(as_json: Json = False) -> int:
    """Check this installation: versions, devices, plugins. Exits with 1 if something is wrong."""
    from zoo.doctor import examine

    findings = examine()
    if as_json:
        print(json.dumps([dataclasses.asdict(f) for f in findings], indent=2))
    else:
        for finding in findings:
            line = visible(f"{'ok  ' if finding.ok else 'FAIL'} {finding.subject}: {finding.text}")
            print(_wrapped(line) if sys.stdout.isatty() else line)
    return 0 if all(f.ok for f in findings) else 1


def _wrapped(line: str) -> str:
    """Break a line between words where the terminal ends, and indent what follows."""
    width = shutil.get_terminal_size().columns
    return textwrap.fill(line, width, subsequent_indent=" " * 5, break_long_words=False, break_on_hyphens=False)


def _list(
    entries: Iterable[Entry[Any]],
    as_json: bool,
    row: Callable[[Any], list[str]],
    headers: Sequence[str] = ("name", "family", "data", "summary"),
) -> None:
    if as_json:
        facts = [
            {**dataclasses.asdict(e.spec), "plugin": e.plugin.distribution, "plugin_version": e.plugin.version}
            for e in entries
        ]
        print(json.dumps(facts, indent=2))
    else:
        print_table(headers, [row(e.spec) for e in entries])


def build_app(invoked: str | None, *, with_help: bool = True) -> typer.Typer:
    """Build the command line; of the plugins' commands only the one that is invoked is imported.

    Args:
        invoked: Name of the command, if any.
        with_help: Whether there are the options of ``RARE``.
    """
    app = typer.Typer(
        name="zoo",
        no_args_is_help=True,
        add_completion=with_help,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",  # which is also that of the documentation, and leaves gan[packing=2] as it is
    )
    settings = {"help_option_names": ["--help", "-h"] if with_help else []}
    app.callback(help=HELP, context_settings=settings)(_global_options)
    for entry in sorted(installed().commands, key=lambda entry: entry.plugin.distribution != HOST):
        function = _load_command(entry) if entry.spec.name == invoked else _placeholder
        app.command(entry.spec.name, short_help=entry.spec.summary, rich_help_panel=entry.spec.group)(function)
    for group, commands in GROUPS.items():
        for command in commands:
            app.command(rich_help_panel=group)(command)
    return app


GROUPS: dict[str, tuple[Callable[..., Any], ...]] = {
    "Models, tasks and metrics": (models, tasks, metrics, show),
    "Plugins and installation": (plugins, check, new_plugin, doctor),
}
"""The commands of this package below their headings in ``zoo --help``."""


def _print_version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


def _global_options(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
    no_plugins: Annotated[bool, typer.Option(NO_PLUGINS, help="Load no third-party plugins.")] = False,
) -> None:
    """Options of ``zoo`` itself."""


def _placeholder() -> None:
    """Stand for a command in the list of commands."""


def _load_command(entry: Entry[CommandSpec]) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = entry.spec.load()
    except FAILURES as error:
        raise ZooError(f"command {entry.spec.name!r} of {entry.plugin} cannot be imported: {error}") from error
    return function


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    It is 0 for success, 1 if a run failed, 2 for unusable arguments, and 130 if the command was interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    with only(HOST) if NO_PLUGINS in arguments else nullcontext():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    typed = completion.typed()
    invoked = next((word for word in typed or arguments if not word.startswith("-")), None)
    with_help = typed is not None or not RARE.isdisjoint(word.partition("=")[0] for word in arguments)
    try:
        for problem in installed().problems if typed is None else ():
            print(visible(f"zoo: warning: {problem}"), file=sys.stderr)
        result = build_app(invoked, with_help=with_help)(arguments, prog_name="zoo", standalone_mode=False)
        sys.stdout.flush()
    except ZooError as error:
        return _refuse(str(error))
    except typer.TyperException as error:
        return _refuse(error.format_message().rstrip("."))
    except OSError as error:
        if error.strerror is None:
            raise
        subject = f"{str(error.filename)!r} cannot be used: " if error.filename is not None else ""
        return _refuse(f"{subject}{error.strerror}")
    except typer.Abort:
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def _refuse(sentence: str) -> int:
    if _interruptions:  # it may have left an import half done, of which this speaks
        return EXIT_INTERRUPTED
    print(visible(f"zoo: {sentence}"), file=sys.stderr)
    return EXIT_UNUSABLE_ARGUMENTS


_interruptions: list[int] = []
"""The signal that told this process to stop, if one did."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Let the command keep what is done; the next such signal ends it at once, and its runs notice that."""
    _interruptions.append(number)
    for each in INTERRUPTIONS:
        signal.signal(each, _quit)
    if number == getattr(signal, "SIGHUP", None):
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            if stat.S_ISCHR(os.fstat(stream).st_mode):  # a lost terminal, to which nothing can be written
                os.dup2(null, stream)
    raise Interrupted


def _quit(number: int, frame: FrameType | None) -> None:
    if sys.stderr.isatty():
        os.write(2, b"\x1b[?25h\n")  # shows the cursor, which bars hide
    os._exit(EXIT_INTERRUPTED)


def entry() -> None:
    """Entry point of the console script. SIGTERM, which schedulers send, and SIGHUP, of a lost terminal, are Ctrl-C.

    What stdout cannot encode, such as a file name that is not UTF-8, is escaped, as stderr does anyway.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    for number in INTERRUPTIONS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    try:
        code = main()
    except BaseException:
        if not _interruptions:
            raise
        code = EXIT_INTERRUPTED
    try:
        sys.stdout.flush()
    except OSError:  # which main has told; Python would try again at its end, and exit with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
