"""Simulators of the camera and the label printer on the command line."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from station.errors import InvalidInput


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)
    if not found:
        raise InvalidInput(f"{text!r} is not a size: expected WIDTHxHEIGHT, e.g. 1280x720")
    return int(found[1]), int(found[2])


@click.command("camera")
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
           {"do":"remove"}  {"do":"wait","seconds":2}  blur dark black freeze unplug (with "seconds")  {"do":"quit"}
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


@click.command("printer")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HOST:PORT; port 0 = any free one.")
@click.option("--out", metavar="DIR", help="Write each label as DIR/label-0001.png and so on.")
@click.option("--script", metavar="FILE|-", help="Steps as JSON lines; - reads them from standard input.")
def simulate_printer(listen: str, out: str | None, script: str | None) -> None:
    """A ZPL label printer on TCP that prints to PNG files.

    \b
    Steps: paper_out paper_in head_open head_close pause resume mute unmute reset_mid_job unplug plug
           {"do":"wait","seconds":2}  {"do":"quit"}
    """
    from devices.simulators import printer, steps

    def refuse(error: InvalidInput) -> None:
        steps.say(sys.stdout, error=str(error))

    address = steps.listen_address(listen)
    queue = steps.open_steps(script, printer.PRINTER_STEPS, refuse)
    printer.serve(sys.stdout, queue, address, None if out is None else Path(out))
