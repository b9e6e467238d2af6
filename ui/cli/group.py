"""The table of commands, and what an error looks like from outside.

Exit codes (DESIGN §8): 0 fine, 1 the answer is "no", 2 usage or invalid input, 3 environment, 70 a bug of ours,
130 interrupted, 141 the reader of our output went away.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from station import __version__
from station.errors import Defect, StationError

INTERRUPTED = 130
READER_GONE = 141
HOME_VARIABLE = "STATION_HOME"
COMPLETION_VARIABLE = "_STATION_COMPLETE"
"""Set by a shell that completes a command line for the user."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, so that the list of commands can be shown without importing any."""

    module: str
    attribute: str
    summary: str
    """One line for ``station --help``."""


COMMANDS: dict[str, Entry] = {
    "demo": Entry("ui.cli.demo", "demo", "Show everything on this machine, with nothing attached."),
    "run": Entry("ui.cli.run", "run", "Start the bench."),
    "enrol": Entry("ui.cli.enrol", "enrol", "Join a server with a code of IT, or give the bench a new key."),
    "server": Entry("ui.cli.server", "server", "Start the central server."),
    "people": Entry("ui.cli.people", "people", "Add, show and disable people of the server."),
    "identify": Entry("ui.cli.identify", "identify", "Say what a scan means."),
    "decide": Entry("ui.cli.decide", "decide", "Grade, disposition and refund of an inspection, with reasons."),
    "recovery": Entry("ui.cli.recovery", "recovery", "Learn what goods bring from what they brought."),
    "import": Entry("ui.cli.importing", "import_", "Read returns, a catalogue or sales from a file."),
    "export": Entry("ui.cli.exporting", "export", "Write EPCIS, CSV, a unit's dossier or the journal to a file."),
    "analyse": Entry("ui.cli.analysing", "analyse", "Why goods come back, how many will come, and who is needed."),
    "review": Entry("ui.cli.reviewing", "review", "Second looks: the queue, the audit, evidence for claims."),
    "agreement": Entry("ui.cli.agreement", "agreement", "Say how far people see the same, and plan blind looks."),
    "protocol": Entry("ui.cli.protocol", "protocol", "Check inspection protocols and policies."),
    "journal": Entry("ui.cli.journal", "journal", "Prove or rebuild the record."),
    "backup": Entry("ui.cli.backup", "backup", "Save this bench, or what it had not sent."),
    "restore": Entry("ui.cli.backup", "restore", "Bring a bench back, or send what it had not sent."),
    "devices": Entry("ui.cli.devices", "devices", "Watch, record, replay or simulate what stands on the bench."),
    "print": Entry("ui.cli.documents", "print_", "Print the command sheet, tote labels or a vendor's slip."),
    "benchmark": Entry("ui.cli.benchmark", "benchmark", "Measure this machine against its limits."),
    "test": Entry("ui.cli.test", "test", "Run the test suite, as CI does."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time, when they are asked for."""

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **keywords: Any) -> None:
        """
        Args:
            entries: name → where the command is, in the order of the help.
        """
        super().__init__(*arguments, **keywords)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        try:
            command = getattr(importlib.import_module(entry.module), entry.attribute)
        except ModuleNotFoundError as error:
            if error.name != entry.module:
                raise
            raise Defect(f"the command {cmd_name!r} has no module {entry.module!r} in this version") from error
        except AttributeError as error:
            raise Defect(f"{entry.module!r} has no {entry.attribute!r} for the command {cmd_name!r}") from error
        if not isinstance(command, click.Command):
            raise Defect(f"{entry.module}.{entry.attribute} is a {type(command).__name__}, expected a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in self._entries and not word.startswith("-"):
            raise click.exceptions.NoSuchCommand(word, possibilities=self._entries, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])


def default_home() -> Path:
    """The folder of this user's station: config, database, photos."""
    import platformdirs

    return platformdirs.user_data_path("returns-station", appauthor=False)


@click.group(cls=LazyGroup, entries=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=HOME_VARIABLE,
    show_envvar=True,
    help="Folder with config, database and photos. Default: this user's data folder.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, message="station %(version)s")
@click.pass_context
def station(context: click.Context, home: Path | None, debug: bool) -> None:
    """Inspect returned goods: scan, weigh, photograph, grade, decide, sync."""
    context.obj = home.expanduser().absolute() if home is not None else default_home()


def exit_code_of(result: object) -> int:
    """What a command returned, as an exit code; a command that returns nothing went well."""
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def report(error: BaseException, debug: bool) -> int:
    """Write an error to stderr, calmly, and return its exit code.

    A bug shows its traceback always, everything else with ``--debug``.
    """
    if isinstance(error, StationError):
        is_bug, code, text = isinstance(error, Defect), error.exit_code, str(error)
    elif isinstance(error, OSError):
        is_bug, code, text = False, 3, str(error)
        if error.strerror and error.filename is not None:
            text = f"{str(error.filename)!r} cannot be used: {error.strerror}"
    else:
        is_bug, code, text = True, Defect.exit_code, f"{type(error).__name__}: {error}"
    if is_bug or debug:
        traceback.print_exception(error, file=sys.stderr)
    if is_bug:
        text = f"this is a bug, nothing that was confirmed is lost: {text}"
    click.echo(f"station: {text or type(error).__name__}", err=True)
    return code


def run(arguments: list[str]) -> int:
    """Run one command line and return the exit code; never raises."""
    # a console that cannot show a character must not end the command
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    debug = "--debug" in arguments
    try:
        if COMPLETION_VARIABLE in os.environ:
            station.main(args=arguments, prog_name="station")
        # not station.main(): it ends the process by itself when the reader of a pipe has gone
        with station.make_context("station", list(arguments)) as context:
            result = station.invoke(context)
        sys.stdout.flush()
        return exit_code_of(result)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:
        return reader_gone()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 2
    except Exception as error:
        return report(error, debug)


def reader_gone() -> int:
    """End quietly; what Python still flushes at exit goes nowhere."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (os.devnull is no path on Windows)
        os.dup2(nowhere.fileno(), 1)
    return READER_GONE
