"""The colours of the three themes, as plain values that a test can compute with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from station.inspection.view import Band


@dataclass(frozen=True, slots=True)
class BandColours:
    """One state of the status band. Colour is never alone: shape, word and place say the same."""

    fill: str
    text: str
    mark: str
    """The second colour: the hatching of *hold*, the frame of *reject*; same as ``fill`` where there is none."""


@dataclass(frozen=True, slots=True)
class Theme:
    """All colours of one theme, each ``#RRGGBB``."""

    name: str
    ground: str
    surface: str
    """Cards and bars."""
    raised: str
    """Buttons and picture tiles on a card."""
    pressed: str
    line: str
    """Hairlines that only order the page."""
    edge: str
    """Outlines that carry meaning (keys, buttons, empty slots): at least 3:1."""
    rim: str
    """Outline of a button: its words and its key tell what it is, so it need not shout."""
    text: str
    muted: str
    accent: str
    """Where to look or act now."""
    on_accent: str
    done: str
    attention: str
    idle: BandColours
    accept: BandColours
    hold: BandColours
    reject: BandColours

    def band(self, band: Band) -> BandColours:
        """The colours of one state of the status band."""
        return {Band.IDLE: self.idle, Band.ACCEPT: self.accept, Band.HOLD: self.hold, Band.REJECT: self.reject}[band]

    def text_pairs(self) -> Iterator[tuple[str, str, str]]:
        """Every (name, foreground, background) that text is drawn in; each must reach 7:1."""
        for ground_name in ("ground", "surface", "raised"):
            for ink_name in ("text", "muted", "done", "attention"):
                yield f"{ink_name} on {ground_name}", getattr(self, ink_name), getattr(self, ground_name)
        yield "text on pressed", self.text, self.pressed
        yield "on_accent on accent", self.on_accent, self.accent
        yield "surface on text (the current step)", self.surface, self.text
        for band in Band:
            colours = self.band(band)
            yield f"{band} band", colours.text, colours.fill
        yield "hold band on its hatching", self.hold.text, self.hold.mark

    def shape_pairs(self) -> Iterator[tuple[str, str, str]]:
        """Every (name, shape, background) that must be seen but not read; each must reach 3:1."""
        for ground_name in ("surface", "raised"):
            for ink_name in ("edge", "accent"):
                yield f"{ink_name} on {ground_name}", getattr(self, ink_name), getattr(self, ground_name)
        yield "frame of the reject band", self.reject.mark, self.reject.fill


DARK = Theme(
    name="dark",
    ground="#0E1317",
    surface="#161D23",
    raised="#1F2830",
    pressed="#31404C",
    line="#2D3943",
    edge="#728491",
    rim="#3B4A56",
    text="#F4F7F9",
    muted="#A9B6C1",
    accent="#5AC8FA",
    on_accent="#06141B",
    done="#7BD8B0",
    attention="#FFD23F",
    idle=BandColours("#26323A", "#FFFFFF", "#26323A"),
    accept=BandColours("#5AC8FA", "#06141B", "#5AC8FA"),
    hold=BandColours("#FFD23F", "#1B1500", "#F2C52F"),
    reject=BandColours("#8B0020", "#FFFFFF", "#FFFFFF"),
)

LIGHT = Theme(
    name="light",
    ground="#F3F5F7",
    surface="#FFFFFF",
    raised="#EDF1F4",
    pressed="#D3DCE3",
    line="#DDE3E8",
    edge="#6D7B86",
    rim="#C3CDD5",
    text="#12191F",
    muted="#404D58",
    accent="#07598A",
    on_accent="#FFFFFF",
    done="#04533A",
    attention="#634700",
    idle=BandColours("#DCE4EA", "#12191F", "#DCE4EA"),
    accept=BandColours("#5AC8FA", "#06141B", "#5AC8FA"),
    hold=BandColours("#FFD23F", "#1B1500", "#F2C52F"),
    reject=BandColours("#8B0020", "#FFFFFF", "#FFFFFF"),
)

CONTRAST = Theme(
    name="contrast",
    ground="#000000",
    surface="#000000",
    raised="#101010",
    pressed="#3A3A3A",
    line="#8C8C8C",
    edge="#FFFFFF",
    rim="#FFFFFF",
    text="#FFFFFF",
    muted="#E6E6E6",
    accent="#6FD3FF",
    on_accent="#000000",
    done="#8CF0C4",
    attention="#FFE45C",
    idle=BandColours("#000000", "#FFFFFF", "#8C8C8C"),
    accept=BandColours("#6FD3FF", "#000000", "#6FD3FF"),
    hold=BandColours("#FFD23F", "#000000", "#E0B410"),
    reject=BandColours("#8B0020", "#FFFFFF", "#FFFFFF"),
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}
