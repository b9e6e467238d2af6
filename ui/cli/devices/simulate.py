"""``station devices simulate``: devices that are not there, each on a port of its own."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click

from devices.escapes import unescape
from devices.simulators.voices import VOICES
from station.errors import InvalidInput


@click.group()
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
@click.option("--protocol", type=click.Choice(["line", "ssi"]), default="line", show_default=True)
@click.option("--prefix", default="", help=r"What begins a scan, e.g. \x02.")
@click.option("--suffix", default=r"\r", show_default=True, help=r"What ends a scan, e.g. \r\n or nothing.")
@click.option("--handshake", type=click.Choice(["none", "honeywell", "datalogic"]), default="none", show_default=True)
def simulate_scanner(
    link: Path | None,
    tcp: bool,
    scripts: tuple[str, ...],
    seed: int,
    protocol: str,
    prefix: str,
    suffix: str,
    handshake: str,
) -> None:
    """A scanner. Knows scan (text, aim), bytes (hex), damage (times), wait, unplug, quit.

    As an SSI scanner a scan also takes type (ean13, qr, …) and part (bytes in a packet), and it knows lose and deaf.
    """
    from devices.simulators.line import serve_line
    from devices.simulators.scanner import ScannerSimulator
    from devices.simulators.script import Device, run_simulator
    from devices.simulators.ssi import SsiSimulator

    _end_politely()
    device: Device = SsiSimulator()
    if protocol == "line":
        device = ScannerSimulator(unescape(suffix), prefix=unescape(prefix), handshake=handshake)
    run_simulator(device, serve_line(link=link, tcp=tcp), scripts, say=_say)


@simulate.command("scale")
@_serving
@click.option("--driver", type=click.Choice(list(VOICES)), default="mt_sics", show_default=True)
def simulate_scale(link: Path | None, tcp: bool, scripts: tuple[str, ...], seed: int, driver: str) -> None:
    """A bench scale, 15 kg × 1 g.

    \b
    Steps: put (gross_mg) remove overload underload negative (mg) motion stuck silence (seconds), wait unplug quit;
           faults of the line: noise drop splice wrong_baud parity late
           {"do":"noise","rate":0.02,"seconds":3}  {"do":"drop","bytes":3}  {"do":"wrong_baud","ratio":0.25,"seconds":3}
    """
    from devices.simulators.line import serve_line
    from devices.simulators.scale import ScaleSimulator
    from devices.simulators.script import run_simulator

    _end_politely()
    run_simulator(ScaleSimulator(driver, seed), serve_line(link=link, tcp=tcp), scripts, say=_say)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)
    if not found:
        raise InvalidInput(f"{text!r} is not a size: expected WIDTHxHEIGHT, e.g. 1280x720")
    return int(found[1]), int(found[2])


@simulate.command("camera")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HOST:PORT; port 0 = any free one.")
@click.option("--script", metavar="FILE|-", help="Steps as JSON lines; - reads them from standard input.")
@click.option("--out", metavar="CLIP.avi", help="Write the script as a clip instead of serving it.")
@click.option("--seed", default=0, show_default=True, help="Which goods, noise and angles.")
@click.option("--size", default="1280x720", show_default=True)
@click.option("--fps", default=20, show_default=True, type=click.IntRange(1, 60))
def simulate_camera(listen: str, script: str | None, out: str | None, seed: int, size: str, fps: int) -> None:
    """A bench camera: MJPEG over HTTP with goods that come, turn and go.

    \b
    Steps: {"do":"place","scene":"headphones","variant":"front","seed":3}  {"do":"turn","variant":"label"}
           {"do":"remove"}  {"do":"wait","seconds":2}  {"do":"quit"}
           with "seconds": blur dark black white hunt freeze stall truncate unplug, noise (sigma),
           expose drift tint (factor)
    Without --script it shows everything it has, one after the other.
    """
    from devices.simulators import camera, steps

    def refuse(error: InvalidInput) -> None:
        steps.say(sys.stdout, error=str(error))

    pixels = _size(size)
    if out is not None:
        if script in (None, "-"):
            raise InvalidInput("--out needs --script FILE: a clip must have an end")
        script_steps = steps.read_script(Path(str(script)), camera.CAMERA_STEPS)
        frames = camera.write_clip(Path(out), script_steps, size=pixels, fps=fps, seed=seed)
        steps.say(sys.stdout, clip=out, frames=frames)
        return
    address = steps.listen_address(listen)
    if script is None:
        queue: steps.StepQueue = steps.EndlessSteps(camera.show_reel())
    else:
        queue = steps.open_steps(script, camera.CAMERA_STEPS, refuse)
    camera.serve(sys.stdout, queue, address, size=pixels, fps=fps, seed=seed)


@simulate.command("printer")
@click.option("--kind", type=click.Choice(["zpl", "escpos"]), default="zpl", show_default=True)
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HOST:PORT; port 0 = any free one.")
@click.option("--serial", is_flag=True, help="A serial line in place of TCP.")
@click.option("--link", type=click.Path(path_type=Path), help="Where the serial port shall appear.")
@click.option("--out", metavar="DIR", help="Write each label as DIR/label-0001.png and so on.")
@click.option("--script", metavar="FILE|-", help="Steps as JSON lines; - reads them from standard input.")
def simulate_printer(
    kind: str, listen: str, serial: bool, link: Path | None, out: str | None, script: str | None
) -> None:
    """A label printer that prints to PNG files: ZPL or ESC/POS, on TCP or a serial line.

    \b
    Steps: paper_out paper_in paper_low paper_full head_open head_close ribbon_out ribbon_in cutter_jam cutter_free
           pause resume mute unmute reset_mid_job off_mid_job switch_off unplug plug
           {"do":"wait","seconds":2}  {"do":"quit"}
    """
    from devices.simulators import printer, steps
    from devices.simulators.line import serve_line

    def refuse(error: InvalidInput) -> None:
        steps.say(sys.stdout, error=str(error))

    _end_politely()
    address = steps.listen_address(listen)
    queue = steps.open_steps(script, printer.PRINTER_STEPS, refuse)
    line = serve_line(link=link) if serial or link is not None else None
    printer.serve(sys.stdout, queue, address, None if out is None else Path(out), kind=kind, line=line)


def _end_politely() -> None:
    # an ending process takes its link with it: the exception passes through the simulator's cleaning up
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        click.echo(text)
        sys.stdout.flush()
