"""``station devices watch``: what a device says, live."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from devices.escapes import unescape
from devices.scale import DRIVERS
from ui.cli.devices.words import BITS, settings, stopper

if TYPE_CHECKING:
    from devices.ports import DeviceEvent, Transport

_SCANNERS = ("line", "ssi")
_DEVICE = "watched"


@click.command()
@click.argument("port")
@click.option(
    "--driver", required=True, type=click.Choice([*_SCANNERS, *DRIVERS]), help="line or ssi = a scanner; else a scale."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line per indication or scan on stdout.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this time.")
@click.option("--baud", type=click.IntRange(min=50), help="Another speed than the driver's.")
@click.option("--bits", type=click.Choice(BITS), help="Data bits, parity, stops.")
@click.option("--unit", metavar="UNIT", help="What a scale is set to that sends no unit: kg, lb, oz or g.")
@click.option("--suffix", default="any", show_default=True, help="What ends a scan: any, cr, lf, tab, packet or none.")
@click.option("--poll", metavar="TEXT", help=r"What asks the scale for a weight, e.g. 'IP\r\n' or '\eP'.")
def watch(
    port: str,
    driver: str,
    as_json: bool,
    seconds: float | None,
    baud: int | None,
    bits: str | None,
    unit: str | None,
    suffix: str,
    poll: str | None,
) -> None:
    """Show what a device at PORT says, live; an unplug is reported and survived.

    PORT is anything pyserial opens: a path, COM3, socket://host:port; or hid:VID:PID of a USB scale.
    """
    from devices.scale import Scale
    from devices.scanner import scanner_from
    from devices.supervisor import Instrument, Supervisor
    from devices.transport import LineSettings, Opener

    row = DRIVERS.get(driver)
    line_settings = settings(row.line if row else LineSettings(), baud, bits)
    instrument: Instrument
    if row is None:
        instrument = scanner_from(_DEVICE, protocol=driver, suffix=suffix)
    else:
        row = row.in_unit(unit) if unit else row
        instrument = Scale(_DEVICE, row, poll=unescape(poll) if poll else None, line=line_settings)
    opener = Opener(port, line_settings)
    logging.getLogger("devices").addHandler(logging.NullHandler())  # what it warns of is shown here already
    first: list[Transport] = [opener()]  # absent from the start is an answer, not a wait

    def open_line() -> Transport:
        return first.pop() if first else opener()

    should_stop = stopper(seconds)
    show = _show_json if as_json else _LiveLine().show
    Supervisor(instrument, open_line, port=port).run(should_stop, show)
    if not as_json:
        click.echo()


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
    from devices.ports import LightChanged, Refused

    match event:
        case LightChanged(_, light, detail):
            click.echo(f"{light}: {detail}" if detail else str(light), err=True)
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
