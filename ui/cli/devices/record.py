"""``station devices capture`` and ``replay``: a device's bytes in a file, and back on a port."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from devices.escapes import unescape
from station.errors import DeviceFault, InvalidInput
from ui.cli.devices.words import BITS, settings, stopper


@click.command()
@click.argument("port")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The capture file.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this time.")
@click.option("--baud", type=click.IntRange(min=50), default=9600, show_default=True)
@click.option("--bits", type=click.Choice(BITS), default="8N1", show_default=True)
@click.option(
    "--poll", metavar="TEXT", help=r"Sent five times a second, for devices that wait to be asked, e.g. 'SI\r\n'."
)
def capture(port: str, out: Path, seconds: float | None, baud: int, bits: str, poll: str | None) -> None:
    """Record every byte that comes from PORT, with its time, in a text file that `replay` plays."""
    from devices.capture import CaptureWriter
    from devices.transport import LineSettings, open_transport
    from station.clock import SystemClock

    line_settings = settings(LineSettings(), baud, bits)
    request = unescape(poll) if poll else b""
    should_stop = stopper(seconds)
    line = open_transport(port, line_settings)
    try:
        file = out.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        line.close()
        raise InvalidInput(f"cannot write {str(out)!r}: {error.strerror or error}") from error
    count, ask_at = 0, time.monotonic()
    with file:
        writer = CaptureWriter(file, port, line_settings, SystemClock())
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


@click.command()
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
    should_stop = stopper(None)
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
