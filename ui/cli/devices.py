"""``station devices``: look at, record, replay and simulate what stands on the bench. No window, no database."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from station.errors import DeviceFault, InvalidInput

if TYPE_CHECKING:
    from devices.ports import DeviceEvent, Transport
    from devices.scale import ScaleDriver
    from devices.transport import LineSettings

_SCANNER = "line"
_ESCAPES = {"\\r": b"\r", "\\n": b"\n", "\\e": b"\x1b", "\\x1b": b"\x1b"}
_DEVICE = "watched"


class _Simulators(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_media_simulators()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _media_simulators().get(cmd_name)


def _media_simulators() -> dict[str, click.Command]:
    try:
        media = importlib.import_module("ui.cli.devices_media")
    except ModuleNotFoundError as error:
        if error.name != "ui.cli.devices_media":
            raise
        return {}
    return {"camera": media.simulate_camera, "printer": media.simulate_printer}


@click.group()
def devices() -> None:
    """Watch, record, replay or simulate what stands on the bench."""


@devices.command()
@click.argument("port")
@click.option("--driver", required=True, metavar="NAME", help="line (a scanner), mt_sics, print_string.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per indication or scan on stdout.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this time.")
@click.option("--baud", type=click.IntRange(min=50), help="Another speed than the driver's.")
@click.option("--bits", type=click.Choice(["8N1", "7E1", "7O1", "8E1", "8O1", "7N2"]), help="Data bits, parity, stops.")
@click.option("--poll", metavar="TEXT", help=r"What asks the scale for a weight, e.g. 'IP\r\n' or '\eP'.")
def watch(
    port: str,
    driver: str,
    as_json: bool,
    seconds: float | None,
    baud: int | None,
    bits: str | None,
    poll: str | None,
) -> None:
    """Show what a device at PORT says, live; an unplug is reported and survived.

    PORT is anything pyserial opens: a path, COM3, socket://host:port.
    """
    from devices.scale import DRIVERS, Scale
    from devices.scanner import Scanner
    from devices.supervisor import Instrument, Supervisor
    from devices.transport import LineSettings, open_transport

    if driver != _SCANNER and driver not in DRIVERS:
        raise click.UsageError(f"no driver {driver!r}; there are: {', '.join([_SCANNER, *DRIVERS])}")
    row: ScaleDriver | None = DRIVERS.get(driver)
    settings = _settings(row.line if row else LineSettings(), baud, bits)
    instrument: Instrument = Scale(_DEVICE, row, poll=_unescape(poll) if poll else None) if row else Scanner(_DEVICE)
    logging.getLogger("devices").addHandler(logging.NullHandler())  # what it warns of is shown here already
    first: list[Transport] = [open_transport(port, settings)]  # absent from the start is an answer, not a wait

    def open_line() -> Transport:
        return first.pop() if first else open_transport(port, settings)

    should_stop = _stopper(seconds)
    show = _show_json if as_json else _LiveLine().show
    Supervisor(instrument, open_line, port=port).run(should_stop, show)
    if not as_json:
        click.echo()


@devices.command()
@click.argument("port")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The capture file.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this time.")
@click.option("--baud", type=click.IntRange(min=50), default=9600, show_default=True)
@click.option("--bits", type=click.Choice(["8N1", "7E1", "7O1", "8E1", "8O1", "7N2"]), default="8N1", show_default=True)
@click.option(
    "--poll", metavar="TEXT", help=r"Sent five times a second, for devices that wait to be asked, e.g. 'SI\r\n'."
)
def capture(port: str, out: Path, seconds: float | None, baud: int, bits: str, poll: str | None) -> None:
    """Record every byte that comes from PORT, with its time, in a text file that `replay` plays."""
    from devices.capture import CaptureWriter
    from devices.transport import LineSettings, open_transport
    from station.clock import SystemClock

    settings = _settings(LineSettings(), baud, bits)
    request = _unescape(poll) if poll else b""
    should_stop = _stopper(seconds)
    line = open_transport(port, settings)
    try:
        file = out.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        line.close()
        raise InvalidInput(f"cannot write {str(out)!r}: {error.strerror or error}") from error
    count, ask_at = 0, time.monotonic()
    with file:
        writer = CaptureWriter(file, port, settings, SystemClock())
        try:
            while not should_stop():
                if request and time.monotonic() >= ask_at:
                    ask_at = time.monotonic() + 0.2
                    line.write(request)
                    writer.sent(request)
                data = line.read(0.05)
                if data:
                    count += len(data)
                    writer.received(data)
        except DeviceFault as fault:
            writer.note(str(fault))
            raise
        finally:
            line.close()
            click.echo(f"{count} bytes in {out}", err=True)


@devices.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--link", type=click.Path(path_type=Path), help="Where the port shall appear.")
@click.option("--tcp", is_flag=True, help="A local TCP port instead of a pseudo-terminal.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True)
@click.option(
    "--wait", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Seconds before the first byte."
)
@click.option("--loop", is_flag=True, help="Begin again at the end, until interrupted.")
def replay(file: Path, link: Path | None, tcp: bool, speed: float, wait: float, loop: bool) -> None:
    """Play a capture, a DEBUG log or a plain hex dump at its real pace on a new port.

    Prints {"port": …} first, then after --wait seconds begins.
    """
    from devices.capture import read_capture
    from devices.replay import play
    from devices.simulators.line import serve_line

    chunks = read_capture(file)
    should_stop = _stopper(None)
    line = serve_line(link=link, tcp=tcp)
    try:
        click.echo(json.dumps({"port": line.port}))
        end = time.monotonic() + wait
        while time.monotonic() < end and not should_stop():
            line.read(0.02)
        sent = play(chunks, line, speed=speed, should_stop=should_stop)
        while loop and not should_stop():
            sent += play(chunks, line, speed=speed, should_stop=should_stop)
        # the other end may still have to read the last bytes before the port goes
        linger = time.monotonic() + 0.3
        while time.monotonic() < linger and not should_stop():
            line.read(0.02)
        click.echo(json.dumps({"done": {"do": "replay", "bytes": sent}}))
    finally:
        line.close()


@devices.group(cls=_Simulators)
def simulate() -> None:
    """Run a device that is not there, on a port of its own. Prints {"port": …}, then obeys its script."""


def _serving(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--link", type=click.Path(path_type=Path), help="Where the port shall appear."),
        click.option("--tcp", is_flag=True, help="A local TCP port instead of a pseudo-terminal."),
        click.option(
            "--script", "scripts", multiple=True, default=["-"], help="File of JSON commands; - = stdin (the default)."
        ),
        click.option("--seed", type=int, default=1, show_default=True),
    ):
        command = option(command)
    return command


@simulate.command("scanner")
@_serving
@click.option("--suffix", default=r"\r", show_default=True, help=r"What ends a scan, e.g. \r\n or nothing.")
def simulate_scanner(link: Path | None, tcp: bool, scripts: tuple[str, ...], seed: int, suffix: str) -> None:
    """A scanner. Knows scan (text, aim), bytes (hex), wait, unplug, quit."""
    from devices.simulators.line import serve_line
    from devices.simulators.scanner import ScannerSimulator
    from devices.simulators.script import run_simulator

    _end_politely()
    run_simulator(ScannerSimulator(_unescape(suffix)), serve_line(link=link, tcp=tcp), scripts, say=_say)


@simulate.command("scale")
@_serving
@click.option("--driver", type=click.Choice(["mt_sics", "print_string"]), default="mt_sics", show_default=True)
def simulate_scale(link: Path | None, tcp: bool, scripts: tuple[str, ...], seed: int, driver: str) -> None:
    """A bench scale, 15 kg × 1 g. Knows put (gross_mg), remove, overload, silence, noise (hex), wait, unplug, quit."""
    from devices.simulators.line import serve_line
    from devices.simulators.scale import ScaleSimulator
    from devices.simulators.script import run_simulator

    _end_politely()
    run_simulator(ScaleSimulator(driver, seed), serve_line(link=link, tcp=tcp), scripts, say=_say)


def _end_politely() -> None:
    # an ending process takes its link with it: the exception passes through the simulator's cleaning up
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        click.echo(text)
        sys.stdout.flush()


def _settings(default: LineSettings, baud: int | None, bits: str | None) -> LineSettings:
    settings = replace(default, baud=baud) if baud else default
    if bits:
        settings = replace(settings, data_bits=int(bits[0]), parity=bits[1], stop_bits=int(bits[2]))
    return settings


def _unescape(text: str) -> bytes:
    r"""
    >>> _unescape(r"IP\r\n"), _unescape(r"\eP")
    (b'IP\r\n', b'\x1bP')
    """
    parts = re.split(r"(\\x[0-9A-Fa-f]{2}|\\[a-z])", text)
    return b"".join(_unescape_part(part) for part in parts)


def _unescape_part(part: str) -> bytes:
    if part in _ESCAPES:
        return _ESCAPES[part]
    if re.fullmatch(r"\\x[0-9A-Fa-f]{2}", part):
        return bytes.fromhex(part[2:])
    return b"\t" if part == "\\t" else part.encode()


def _stopper(seconds: float | None) -> Callable[[], bool]:
    """True after the time, after Ctrl-C or after a polite end by the system."""
    end = None if seconds is None else time.monotonic() + seconds
    stopped: list[int] = []
    for name in ("SIGINT", "SIGTERM"):
        # a signal ends the loop in the middle of nothing: files are whole, links are gone
        with contextlib.suppress(ValueError):
            signal.signal(getattr(signal, name), lambda number, frame: stopped.append(number))
    return lambda: bool(stopped) or (end is not None and time.monotonic() >= end)


def _documents(event: DeviceEvent) -> Iterator[dict[str, object]]:
    from devices.ports import Indicated, ScanArrived, WeightAccepted
    from station.identify.text import decode, split_aim
    from station.inspection.facts import StableSource

    match event:
        case Indicated(indication):
            yield {
                "event": "indication",
                "status": str(indication.status),
                "gross_mg": indication.gross_mg,
                "unit": indication.unit,
                "stable": indication.stable,
                "raw_hex": indication.raw.hex(),
            }
        case WeightAccepted(reading):
            yield {
                "event": "accepted",
                "status": "ok",
                "gross_mg": reading.gross_mg,
                "unit": reading.unit,
                "stable": reading.stable_source is StableSource.SCALE,
                "raw_hex": reading.raw.hex(),
            }
        case ScanArrived(scan):
            aim, payload = split_aim(scan.data)
            yield {"event": "scan", "text": decode(payload), "aim": aim, "raw_hex": scan.data.hex()}


def _show_json(event: DeviceEvent) -> None:
    for document in _documents(event):
        click.echo(json.dumps(document))
        sys.stdout.flush()
    _show_trouble(event)


def _show_trouble(event: DeviceEvent) -> None:
    from devices.ports import Light, LightChanged, Refused

    match event:
        case LightChanged(_, Light.WORKING, _):
            click.echo("working", err=True)
        case LightChanged(_, light, detail):
            click.echo(f"{light}: {detail}", err=True)
        case Refused(_, reason, raw):
            click.echo(f"refused: {reason}: {raw[:64]!r}", err=True)


class _LiveLine:
    """One calm line that is rewritten on a terminal; plain lines when an answer is final."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._last = ""

    def show(self, event: DeviceEvent) -> None:
        from devices.ports import Indicated, Refused, ScanArrived, WeightAccepted
        from station.identify.text import decode
        from station.quantities import format_mass

        match event:
            case Indicated(indication):
                mass = "—" if indication.gross_mg is None else format_mass(indication.gross_mg)
                self._line(f"{mass:>14}  {indication.status}{'' if indication.stable else ' …'}", final=False)
            case WeightAccepted(reading):
                self._line(f"{format_mass(reading.gross_mg):>14}  accepted", final=True)
            case ScanArrived(scan):
                self._line(f"{decode(scan.data)!r}  {len(scan.data)} bytes", final=True)
            case Refused(_, reason, raw):
                self._line(f"refused: {reason}: {raw[:32]!r}", final=True)
            case _:
                self._line(f"{event.light}: {event.detail}" if event.detail else str(event.light), final=True)

    def _line(self, text: str, *, final: bool) -> None:
        if self._is_terminal:
            click.echo(f"\r\x1b[K{text}", nl=final)
        elif final or text != self._last:
            click.echo(text)
        sys.stdout.flush()
        self._last = text
