"""``station devices list`` and ``pair``: what is plugged in, and which of it is this bench's scanner, scale, camera."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from station.errors import DeviceFault, InvalidInput, OperatorError
from station.paired import FILE_NAME, PORT_KEY, ROLES, Setting, forget, pair, read_paired
from station.toml_file import TomlFile, did_you_mean, read_toml, typed
from ui.cli.devices.words import BITS

if TYPE_CHECKING:
    from devices.discovery.detect import Detection
    from devices.discovery.inventory import Found
    from station.config import Config

_NOTHING = (
    "No serial port, USB scale or camera is plugged in: plug one in, switch it on, and if it still is not here, "
    "look at the last lines of 'sudo dmesg' (Linux) or at the device manager (Windows)."
)
_DRIVER_KEY = {"scale": "driver", "scanner": "protocol", "scanner_2": "protocol", "printer": "kind"}
_PROTOCOLS = ("line", "ssi")
_KINDS = ("zpl", "escpos", "system")


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def list_(home: Path, as_json: bool) -> None:
    """Show what is plugged in: what it probably is, its key, its role, who holds it, and what is in its way."""
    from devices.discovery.inventory import inventory
    from station.config import load_config

    config = load_config(home)
    found = inventory()
    absent = [
        {"role": role, "port": port}
        for role, port in _paired_ports(config).items()
        if port.lower().startswith(("usb:", "hid:")) and not any(device.is_called(port) for device in found)
    ]
    if as_json:
        click.echo(json.dumps({"devices": [_document(device, config) for device in found], "absent": absent}))
        return
    for line in lines_of(found, absent, config):
        click.echo(line)


@click.command("pair")
@click.argument("role", type=click.Choice(ROLES), metavar="ROLE")
@click.argument("port", required=False)
@click.option("--driver", metavar="NAME", help="A scale's driver, a scanner's protocol or a printer's kind.")
@click.option("--baud", type=click.IntRange(min=50), help="Speed of the line, if not the usual one.")
@click.option("--bits", type=click.Choice(BITS), help="Data bits, parity, stop bits, if not the usual ones.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Anything else of this role's table.")
@click.option("--yes", is_flag=True, help="Take the only candidate without a question.")
@click.option("--forget", "forget_it", is_flag=True, help="Take the role's device away.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def pair_(
    home: Path,
    role: str,
    port: str | None,
    driver: str | None,
    baud: int | None,
    bits: str | None,
    settings: tuple[str, ...],
    yes: bool,
    forget_it: bool,
    as_json: bool,
) -> int:
    """Make the device at PORT this bench's ROLE: scanner, scanner_2, scale, camera, camera_2 or printer.

    PORT is a path, COM3, a key from `station devices list`, or a URL. Without it nothing is opened: the only candidate
    is proposed. A scale without --driver is listened to, and asked for a weight if it says nothing; it is never zeroed,
    tared or made to print.
    """
    from devices.discovery.inventory import inventory
    from station.config import load_config

    config = load_config(home)
    if forget_it:
        return _forget(home, role, as_json)
    found = inventory()
    if port is None:
        port = propose(role, found, config, yes=yes, as_json=as_json)
        if port is None:
            return 1
    device = next((device for device in found if device.is_called(port)), None)
    name = _name_to_keep(role, port, device)
    refuse_second_role(role, name, device, config)
    table = {PORT_KEY.get(role, "port"): name, **_line_settings(role, driver, baud, bits), **_more(settings)}
    detection = None
    if role == "scale" and name.startswith("hid:"):
        table.setdefault("driver", "hid")
    elif role == "scale" and "driver" not in table:
        detection = _detect(name)
        if detection.found is None:
            _say_undetected(detection, as_json)
            return 1
        table = {**_detected(detection), **table}
    typed(TomlFile("this pairing", "", {role: table}, ""), type(config))
    pair(home, role, table)
    _say_paired(home, role, table, detection, as_json)
    return 0


def _paired_ports(config: Config) -> dict[str, str]:
    return {role: str(getattr(getattr(config, role), PORT_KEY.get(role, "port"))) for role in ROLES}


def _roles(device: Found, config: Config) -> list[str]:
    return [role for role, port in _paired_ports(config).items() if device.is_called(port)]


def _document(device: Found, config: Config) -> dict[str, object]:
    held = device.held_by
    return {
        "kind": device.kind,
        "port": device.port,
        "key": device.key,
        "name": device.name,
        "probably": str(device.what),
        "roles": _roles(device, config),
        "held_by": {"pid": held.pid, "program": held.program} if held else None,
        "problems": [{"text": problem.text, "fix": problem.fix} for problem in device.problems],
    }


def lines_of(found: Sequence[Found], absent: Sequence[dict[str, str]], config: Config) -> list[str]:
    """The list for people."""
    lines = []
    for device in found:
        roles = _roles(device, config)
        facts = [
            f"paired: {', '.join(roles)}" if roles else "",
            f"in use by {device.held_by}" if device.held_by else "",
        ]
        lines.append(f"{device.port or '(no port)':<16} {device.what:<8} {device.name}")
        lines.append("   ".join(["", device.key, *filter(None, facts)]))
        lines += [f"   ! {problem.text}: {problem.fix}" for problem in device.problems]
    lines += [f"{missing['role']}: {missing['port']} is not plugged in" for missing in absent]
    return lines if found else [*lines, _NOTHING]


def candidates_for(role: str, found: Sequence[Found], config: Config) -> list[Found]:
    """What could have a role and has none yet; those that are known to be such devices come alone."""
    wanted = role.removesuffix("_2")
    kinds = {"camera": ("camera",), "scale": ("serial", "hid")}.get(wanted, ("serial",))
    free = [device for device in found if device.kind in kinds and not _roles(device, config)]
    known = [device for device in free if device.what == wanted]
    return known or [
        device for device in free if device.what in ("adapter", "unknown") and device.key.startswith("usb:")
    ]


def propose(role: str, found: Sequence[Found], config: Config, *, yes: bool, as_json: bool) -> str | None:
    candidates = candidates_for(role, found, config)
    if len(candidates) == 1:
        device = candidates[0]
        sentence = f"{device.name} at {device.port} could be the {role}"
        if yes:
            return device.key
        if sys.stdin.isatty() and not as_json:
            return device.key if click.confirm(f"{sentence}. Pair it?") else None
        sentence += f": station devices pair {role} {device.key}"
    elif candidates:
        sentence = f"{len(candidates)} devices could be the {role}: say which one, station devices pair {role} KEY"
    else:
        sentence = f"nothing that could be a {role} is plugged in and free: station devices list shows what there is"
    if as_json:
        click.echo(json.dumps({"proposed": [_document(device, config) for device in candidates], "detail": sentence}))
        return None
    click.echo(sentence)
    for device in candidates if len(candidates) > 1 else ():
        click.echo(f"   {device.key}   {device.name}")
    return None


def _name_to_keep(role: str, port: str, device: Found | None) -> str:
    """What to write into the file: the key, if the device has one that is better than the given name.

    Raises:
        DeviceFault: nothing is there.
    """
    if device is not None:
        return device.key
    if port.lower().startswith(("usb:", "hid:")):
        if role.startswith("camera"):
            raise DeviceFault(f"no camera {port!r} is plugged in: station devices list shows what there is")
        from devices.discovery.keys import resolve
        from devices.discovery.listing import list_ports

        if port.lower().startswith("usb:"):
            resolve(port, list_ports())
        raise DeviceFault(f"{port!r} is not plugged in: station devices list shows what there is")
    if port.startswith("/") and not Path(port).exists():
        raise DeviceFault(f"no such port: {port!r}; is the cable plugged in and the device switched on?")
    return port


def refuse_second_role(role: str, name: str, device: Found | None, config: Config) -> None:
    for other, paired in _paired_ports(config).items():
        same = paired and (paired == name or (device is not None and device.is_called(paired)))
        if same and other != role and not (role.startswith("camera") != other.startswith("camera")):
            raise OperatorError(
                f"{name!r} is paired as {other} already: station devices pair {other} --forget, then pair it anew"
            )


def _line_settings(role: str, driver: str | None, baud: int | None, bits: str | None) -> dict[str, Setting]:
    table: dict[str, Setting] = {}
    if driver is not None:
        if role not in _DRIVER_KEY:
            raise click.UsageError(f"a {role} has no driver: leave --driver out")
        table[_DRIVER_KEY[role]] = _known_driver(role, driver)
    if baud is not None:
        table["baud"] = baud
    if bits is not None:
        table["bits"] = bits
    return table


def _known_driver(role: str, driver: str) -> str:
    from devices.scale import DRIVERS

    known = {"scale": tuple(DRIVERS), "printer": _KINDS}.get(role, _PROTOCOLS)
    if driver not in known:
        raise InvalidInput(f"no {role} has the driver {driver!r}; {did_you_mean(driver, known)}")
    return driver


def _more(settings: Sequence[str]) -> dict[str, Setting]:
    table: dict[str, Setting] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not (key and equals):
            raise click.UsageError(f"--set {setting!r}: expected KEY=VALUE, e.g. --set unit=lb")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        table[key.strip()] = value if isinstance(value, str | int | bool) else text
    return table


def _detect(port: str) -> Detection:
    from devices.discovery.detect import Detector

    show = sys.stderr.isatty()
    return Detector(port, say=lambda text: click.echo(f"{text} …", err=True) if show else None).run()


def _detected(detection: Detection) -> dict[str, Setting]:
    from devices.scale import DRIVERS

    found = detection.found
    assert found is not None
    table: dict[str, Setting] = {"driver": found.driver}
    usual = DRIVERS[found.driver].line
    if found.settings.baud != usual.baud:
        table["baud"] = found.settings.baud
    bits = str(found.settings).partition(" ")[2]
    if bits != str(usual).partition(" ")[2]:
        table["bits"] = bits
    return table


def _say_undetected(detection: Detection, as_json: bool) -> None:
    if as_json:
        names = [found.driver for found in detection.candidates]
        click.echo(json.dumps({"paired": None, "candidates": names, "detail": detection.sentence}))
    else:
        click.echo(f"Not paired: {detection.sentence}")


def _say_paired(home: Path, role: str, table: dict[str, Setting], detection: Detection | None, as_json: bool) -> None:
    from station.config import FILE_NAME as WRITTEN

    path = home / WRITTEN
    written = read_toml(path).table.get(role, {}) if path.exists() else {}
    wins = (
        {key: value for key, value in written.items() if table.get(key) != value} if isinstance(written, dict) else {}
    )
    notes = [f"{WRITTEN} sets {role}.{key} = {value!r} and wins: remove that line" for key, value in wins.items()]
    notes += _unit_note(role, table)
    if as_json:
        found = detection.sentence if detection else None
        document = {"role": role, "settings": table, "file": str(home / FILE_NAME), "detected": found, "notes": notes}
        click.echo(json.dumps({"paired": document}))
        return
    if detection:
        click.echo(f"Found: {detection.sentence}.")
    click.echo(f"{role} is now {', '.join(f'{key} {value}' for key, value in table.items())} ({home / FILE_NAME}).")
    for note in notes:
        click.echo(f"Note: {note}.")
    click.echo("A running station uses it after its next start.")


def _unit_note(role: str, table: dict[str, Setting]) -> list[str]:
    if role != "scale" or "unit" in table:
        return []
    from devices.scale import DRIVERS

    driver = DRIVERS.get(str(table.get("driver")))
    if driver is None or driver.parser_for_unit is None:
        return []
    return [
        "this protocol sends no unit: compare the first weight with the scale's display, and if it is set to another "
        "unit than the maker's, pair it again with --set unit=lb"
    ]


def _forget(home: Path, role: str, as_json: bool) -> int:
    had_one = role in read_paired(home).table and forget(home, role)
    if as_json:
        click.echo(json.dumps({"forgotten": role if had_one else None}))
    elif had_one:
        click.echo(f"{role} has no paired device any more.")
    else:
        click.echo(f"{role} had no paired device in {home / FILE_NAME}.")
    return 0 if had_one else 1
