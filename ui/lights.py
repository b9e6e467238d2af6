"""Several devices of one kind, one light: the worst of them, with the words of all that are not well."""

from __future__ import annotations

from devices.ports import Light, LightChanged

_WORST_FIRST = (Light.GONE, Light.SILENT, Light.WORKING)


class Lights:
    """The last word of every device, by kind.

    >>> lights = Lights()
    >>> lights.changed("scanner", LightChanged("scanner-1", Light.WORKING, ""))
    (<Light.WORKING: 'working'>, '')
    >>> lights.changed("scanner", LightChanged("scanner-2", Light.GONE, "check its cable"))
    (<Light.GONE: 'gone'>, 'scanner-2: check its cable')
    """

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, LightChanged]] = {}

    def changed(self, kind: str, event: LightChanged) -> tuple[Light, str]:
        """Take a device's word; what the light of its kind shows now."""
        self._kinds.setdefault(kind, {})[event.device] = event
        found = self.of(kind)
        return found if found is not None else (event.light, event.detail)

    def of(self, kind: str) -> tuple[Light, str] | None:
        """What the light of a kind shows; None = the bench has no such device."""
        devices = self._kinds.get(kind)
        if not devices:
            return None
        worst = min((event.light for event in devices.values()), key=_WORST_FIRST.index)
        said = [event for event in devices.values() if event.detail]
        if len(devices) == 1:
            return worst, said[0].detail if said else ""
        return worst, "; ".join(
            event.detail if event.detail == event.device else f"{event.device}: {event.detail}" for event in said
        )
