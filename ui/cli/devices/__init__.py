"""``station devices``: look at, pair, record, replay and simulate what stands on the bench. No window, no database."""

from __future__ import annotations

import click

from ui.cli.group import Entry, LazyGroup

_COMMANDS = {
    "list": Entry("ui.cli.devices.ports", "list_", "Show what is plugged in, and what is in its way."),
    "pair": Entry("ui.cli.devices.ports", "pair_", "Make a device this bench's scanner, scale, camera or printer."),
    "read-image": Entry("ui.cli.devices.image", "read_image_", "Read the barcodes in a picture."),
    "watch": Entry("ui.cli.devices.watch", "watch", "Show what a device says, live."),
    "capture": Entry("ui.cli.devices.record", "capture", "Record every byte that comes from a port."),
    "replay": Entry("ui.cli.devices.record", "replay", "Play a recording on a new port."),
    "simulate": Entry("ui.cli.devices.simulate", "simulate", "Run a device that is not there."),
}


@click.group(cls=LazyGroup, entries=_COMMANDS)
def devices() -> None:
    """List, pair, watch, record, replay or simulate what stands on the bench."""
