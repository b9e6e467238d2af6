"""``station demo``: everything on one machine with nothing attached, in a window or headless."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--headless", is_flag=True, help="Play offscreen and end with a summary.")
@click.option(
    "--units", type=click.IntRange(1, 10_000), help="Units to inspect. Default: 25 headless, 400 in the window."
)
@click.option("--seed", default=1, show_default=True, type=int, help="The same seed plays the same shift.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for everything that is written.")
@click.option("--hands-off", is_flag=True, help="In the window: do not play, wait for a person.")
def demo(headless: bool, units: int | None, seed: int, out: Path | None, hands_off: bool) -> int:
    """Show a bench at work: simulated scanner, scale, camera and printer, a real server, the real window.

    With a display it opens the window and plays by itself until you press a key or touch the bench; then a small window
    gives you the hands to scan, weigh and turn the goods.

    Headless it writes summary.json, a screenshot per step and the printed labels into --out, and exits 0 only if
    everything that must hold did hold.
    """
    has_display = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if headless or not has_display:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        headless = True
    if headless and hands_off:
        raise click.UsageError("--hands-off is for the window: nobody could use their hands here")
    folder = out or Path(tempfile.mkdtemp(prefix="station-demo-"))
    from ui.demo.play import play

    shift = units or (25 if headless else 400)
    return play(folder.absolute(), units=shift, seed=seed, headless=headless, hands_off=hands_off)
