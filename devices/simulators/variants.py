"""What may be so about a returned thing: label side up, damaged, in its sealed box, seal torn, in a bag."""

from __future__ import annotations

import math
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
import zxingcpp
from PIL import Image as PilImage
from PIL import ImageDraw

from devices.simulators.drawing import Mask, Pixels, Sheet, box, font, grain, oval, smooth
from devices.simulators.goods import GOODS
from station.errors import InvalidInput


class Variant(StrEnum):
    FRONT = "front"
    TURNED = "turned"
    """The other side."""
    LABEL = "label"
    """The other side with its serial label, which can be scanned."""
    DAMAGED = "damaged"
    SEALED = "sealed"
    """In its box, seal intact."""
    SEAL_BROKEN = "seal_broken"
    """In its box, seal torn."""
    POLYBAG = "polybag"


_NAMES = {
    "headphones": ("Halden ANC", "#2e5266"),
    "phone": ("Orbis 12", "#1d3557"),
    "t_shirt": ("Fjord Rowing", "#d9593d"),
    "shoe": ("Stride 2", "#2f6f8f"),
    "mug": ("Morning Mug", "#2e6f63"),
    "desk_lamp": ("Arc Lamp", "#8a6d3b"),
    "power_bank": ("Volta 20k", "#23635a"),
    "drill": ("Torq 18V", "#12807a"),
    "kettle": ("Steel Kettle", "#56636c"),
    "book": ("The Long Way Back", "#274c5e"),
    "carton": ("Parcel", "#7a5a38"),
}
_LABEL_AT = {
    "headphones": (500, 580),
    "t_shirt": (500, 470),
    "shoe": (470, 430),
    "mug": (470, 440),
    "desk_lamp": (330, 590),
    "drill": (330, 500),
    "book": (492, 520),
    "phone": (500, 480),
    "carton": (500, 240),
}
"""Centre of the serial label, units; the rest have it in the middle."""
_TAGGED = {"headphones", "t_shirt", "shoe", "desk_lamp", "drill"}
"""Goods without a flat side: the label hangs on a string."""
_CRACKS = {
    "phone": (420, 250),
    "mug": (400, 330),
    "headphones": (500, 112),
    "drill": (450, 210),
    "desk_lamp": (330, 320),
}
_STAINS = {"t_shirt": (430, 560), "shoe": (560, 470), "book": (600, 240)}
_DENTS = {"kettle": (400, 420), "carton": (700, 230)}


def serial_for(scene: str, seed: int) -> str:
    """The serial number on the label of this very item, e.g. ``HD7-22941``."""
    letters = "".join(word[0] for word in _NAMES[scene][0].split())[:2].upper().ljust(2, "X")
    return f"{letters}{seed % 9 + 1}-{(seed * 7919 + 22941) % 90000 + 10000}"


@lru_cache(maxsize=8)
def draw(scene: str, variant: Variant, seed: int, scale: float, serial: str | None = None) -> Sheet:
    """Draw one thing as it lies there, not yet turned to its angle.

    Raises:
        InvalidInput: no such scene.
    """
    if scene not in GOODS:
        raise InvalidInput(f"no scene is called {scene!r}; expected one of {', '.join(GOODS)}")
    if variant in (Variant.SEALED, Variant.SEAL_BROKEN):
        return _boxed(scene, scale, seed, torn=variant is Variant.SEAL_BROKEN)
    back = variant in (Variant.TURNED, Variant.LABEL)
    sheet = Sheet(scale, plain=back)
    GOODS[scene](sheet)
    if back and scene != "carton":
        sheet.pixels = np.ascontiguousarray(sheet.pixels[:, ::-1])
        sheet.alpha = np.ascontiguousarray(sheet.alpha[:, ::-1])
    sheet.plain = False
    if variant is Variant.LABEL:
        _label(sheet, scene, serial or serial_for(scene, seed))
    elif variant is Variant.DAMAGED:
        _damage(sheet, scene, seed)
    elif variant is Variant.POLYBAG:
        _bag(sheet, seed)
    return sheet


def _label(sheet: Sheet, scene: str, serial: str) -> None:
    x, y = _LABEL_AT.get(scene, (500, 380))
    card = serial_card(_NAMES[scene][0], serial, max(2, round(2.5 * sheet.scale)))
    rows, columns = card.shape[:2]
    left, top = round(x * sheet.scale - columns / 2), round(y * sheet.scale - rows / 2)
    width, height = columns / sheet.scale, rows / sheet.scale
    if scene in _TAGGED:
        string = smooth(
            [(x - 30, y - height / 2 - 120), (x + 40, y - height / 2 - 70), (x, y - height / 2 - 8)], closed=False
        )
        sheet.part(sheet.line(string, 5), "#e8e2d2", edge=3, shadow=0.5)
        sheet.part(
            sheet.area(box(x - width / 2, y - height / 2 - 26, width, height + 34, 20)), "#ecebe7", edge=3, gloss=0.0
        )
        sheet.part(sheet.area(oval(x, y - height / 2 - 10, 8, 8)), "#6b6455", edge=3, shadow=0)
    else:
        sheet.part(
            sheet.area(box(x - width / 2 - 8, y - height / 2 - 8, width + 16, height + 16, 12)),
            "#ecebe7",
            edge=2,
            gloss=0.0,
            shadow=0.3,
        )
    sheet.lay(card.astype(np.float32) / 255.0, np.ones((rows, columns), np.float32), left, top)


def serial_card(title: str, serial: str, module: int) -> Pixels:
    """A white label ``(h, w, 3) uint8 BGR``: name, Code 128 with ``module`` pixels a module, serial number."""
    symbol = zxingcpp.create_barcode(serial, zxingcpp.BarcodeFormat.Code128).to_image(1, False, True)
    bars = np.asarray(symbol)[np.asarray(symbol).shape[0] // 2]
    wide = np.repeat(bars, module)
    bar_height, text = 26 * module, 9 * module
    width = max(len(wide), 90 * module)
    card = PilImage.new("L", (width, bar_height + 3 * text + 3 * module), 236)
    pen = ImageDraw.Draw(card)
    pen.text((5 * module, text * 0.8), title, 40, font(text), anchor="lm")
    pen.text((width - 5 * module, text * 0.8), "CE", 40, font(text), anchor="rm")
    rows = np.broadcast_to(wide, (bar_height, len(wide)))
    card.paste(
        PilImage.fromarray(np.clip(rows, 18, 236).astype(np.uint8)), ((width - len(wide)) // 2, round(text * 1.6))
    )
    pen.text((width / 2, round(text * 1.6) + bar_height + text * 0.9), f"S/N  {serial}", 20, font(text), anchor="mm")
    return np.repeat(np.asarray(card, np.uint8)[..., None], 3, axis=2)


def _damage(sheet: Sheet, scene: str, seed: int) -> None:
    if scene in _STAINS:
        _stain(sheet, *_STAINS[scene], seed)
    elif scene in _DENTS:
        _dent(sheet, *_DENTS[scene], 96)
    elif scene == "power_bank":
        _burst(sheet, 664, 300, seed)
    else:
        _crack(sheet, *_CRACKS.get(scene, (500, 380)), seed, glass=scene == "phone")


def _crack(sheet: Sheet, x: float, y: float, seed: int, *, glass: bool) -> None:
    random = np.random.default_rng(seed + 77)
    light, dark = ("#eaf3f8", "#05080a") if glass else ("#ffffff", "#000000")
    spokes = 13 if glass else 4
    for k in range(spokes):
        angle = 2 * math.pi * (k + random.uniform(-0.3, 0.3)) / spokes
        reach = random.uniform(150, 430) if glass else random.uniform(70, 150)
        path, here = [(x, y)], (x, y)
        for _ in range(7):
            angle += random.uniform(-0.22, 0.22)
            here = (here[0] + math.cos(angle) * reach / 7, here[1] + math.sin(angle) * reach / 7)
            path.append(here)
        sheet.tint(sheet.line([(px + 2, py + 2) for px, py in path], 3), dark, 0.6)
        sheet.tint(sheet.line(path, 2.4 if glass else 3), light if glass else dark, 0.85 if glass else 0.8)
        if not glass:
            sheet.tint(sheet.line([(px - 2, py - 2) for px, py in path], 2), light, 0.5)
    if glass:
        for radius in (26, 60, 112):
            ring = [
                (
                    x + radius * random.uniform(0.8, 1.2) * math.cos(a),
                    y + radius * random.uniform(0.8, 1.2) * math.sin(a),
                )
                for a in np.linspace(0, 2 * math.pi, 14)
            ]
            sheet.tint(sheet.line(ring, 2), light, 0.6)
        sheet.tint(sheet.area(oval(x, y, 16, 16)), "#dfeaf0", 0.7, blur=3)


def _stain(sheet: Sheet, x: float, y: float, seed: int) -> None:
    random = np.random.default_rng(seed + 5)
    for radius, tone, opacity in ((120, "#4a2c12", 0.45), (92, "#3b220d", 0.38)):
        blob = smooth(
            [
                (
                    x + radius * random.uniform(0.7, 1.15) * math.cos(a),
                    y + 0.8 * radius * random.uniform(0.7, 1.15) * math.sin(a),
                )
                for a in np.linspace(0, 2 * math.pi, 11)[:-1]
            ]
        )
        sheet.tint(sheet.area(blob), tone, opacity, blur=3)
        sheet.tint(sheet.line(blob, 5, closed=True), "#2c1807", 0.3, blur=2)
    for _ in range(6):
        cx, cy, r = x + random.uniform(-190, 190), y + random.uniform(-120, 120), random.uniform(5, 16)
        sheet.tint(sheet.area(oval(cx, cy, r, r)), "#3b220d", 0.5, blur=1)


def _dent(sheet: Sheet, x: float, y: float, radius: float) -> None:
    """A hollow: dark on the side of the lamp, light on the far side, creased where the wall has folded."""
    sheet.tint(sheet.area(oval(x, y, radius, radius * 0.74)), "#000000", 0.22, blur=20)
    near = smooth(
        [
            (x - 0.9 * radius, y + 0.1 * radius),
            (x - 0.4 * radius, y - 0.5 * radius),
            (x + 0.7 * radius, y - 0.5 * radius),
            (x, y - 0.1 * radius),
        ]
    )
    sheet.tint(sheet.area(near), "#000000", 0.5, blur=10)
    far = smooth(
        [
            (x + 0.9 * radius, y),
            (x + 0.3 * radius, y + 0.6 * radius),
            (x - 0.7 * radius, y + 0.42 * radius),
            (x, y + 0.2 * radius),
        ]
    )
    sheet.tint(sheet.area(far), "#ffffff", 0.30, blur=10)
    fold = [
        (x - radius, y + 0.16 * radius),
        (x - 0.2 * radius, y),
        (x + 0.4 * radius, y + 0.14 * radius),
        (x + radius, y - 0.1 * radius),
    ]
    sheet.groove(smooth(fold, closed=False), 3, depth=0.5)


def _burst(sheet: Sheet, x: float, y: float, seed: int) -> None:
    """A battery that has vented: scorched around a hole."""
    for radius, opacity, blur in ((170, 0.55, 34), (96, 0.6, 18)):
        sheet.tint(sheet.area(oval(x, y, radius, radius * 0.8)), "#1a0d05", opacity, blur=blur)
    sheet.tint(sheet.line(oval(x, y, 112, 86), 26), "#7a4a22", 0.35, blur=14)
    _crack(sheet, x, y, seed, glass=False)
    random = np.random.default_rng(seed + 3)
    hole = smooth(
        [
            (x + 30 * random.uniform(0.7, 1.3) * math.cos(a), y + 24 * random.uniform(0.7, 1.3) * math.sin(a))
            for a in np.linspace(0, 2 * math.pi, 10)[:-1]
        ]
    )
    sheet.tint(sheet.line(hole, 7, closed=True), "#c9cdd0", 0.8, blur=1)
    sheet.tint(sheet.area(hole), "#000000", 0.95)


def _bag(sheet: Sheet, seed: int) -> None:
    rows, columns = np.nonzero(sheet.alpha > 0.5)
    u = 1 / sheet.scale
    x0, x1 = max(16.0, columns.min() * u - 60), min(984.0, columns.max() * u + 60)
    y0, y1 = max(14.0, rows.min() * u - 44), min(746.0, rows.max() * u + 44)
    outline = box(x0, y0, x1 - x0, y1 - y0, 14)
    mask = sheet.area(outline)
    folds = grain(sheet.shape, seed + 9, size=64 * sheet.scale, stretch=3.2)
    folds = folds + 0.35 * grain(sheet.shape, seed + 10, size=26 * sheet.scale, stretch=2.4)
    slope = cv2.Sobel(folds, cv2.CV_32F, 1, 2, ksize=5) + cv2.Sobel(folds, cv2.CV_32F, 0, 1, ksize=5)
    slope = slope / max(1e-6, float(np.percentile(np.abs(slope), 99)))
    shine = np.clip((slope - 0.34) * 1.5, 0, 0.8).astype(np.float32)
    sheet.film(mask, 0.09, np.asarray(cv2.GaussianBlur(shine, (0, 0), max(0.8, 2.2 * sheet.scale)), np.float32))
    sheet.film(sheet.line(outline, 5, closed=True), 0.35, np.zeros(sheet.shape, np.float32))
    sheet.film(sheet.area(box(x0, y0 + 24, x1 - x0, 10, 2)), 0.28, np.zeros(sheet.shape, np.float32))
    sheet.text((x0 + x1) / 2, y1 - 26, "KEEP AWAY FROM CHILDREN", 20, "#39434a", opacity=0.7)


def _boxed(scene: str, scale: float, seed: int, *, torn: bool) -> Sheet:
    name, accent = _NAMES[scene]
    sheet = Sheet(scale)
    face = sheet.area(box(170, 60, 660, 640, 8))
    sheet.part(face, "#d8dad7", edge=9, gloss=0.05, sheen=0.12)
    sheet.noise(face, 50, 0.012, size=1.5)
    sheet.tint(sheet.area(box(178, 566, 644, 126, 4)), accent, 0.96)
    print_ = Sheet(scale * 0.52)
    GOODS[scene](print_)
    sheet.lay(print_.pixels, print_.alpha, round(240 * scale), round(150 * scale))
    sheet.text(500, 630, name, 62, "#ffffff")
    _seal(sheet, seed, torn=torn)
    return sheet


def _seal(sheet: Sheet, seed: int, *, torn: bool) -> None:
    strip: list[Mask] = [sheet.area(box(410, 34, 180, 150, 10))]
    if torn:
        random = np.random.default_rng(seed + 31)
        teeth = [(400 + 20 * k, 112 + random.uniform(-15, 15)) for k in range(11)]
        upper = sheet.area([(400, 0), *teeth, (600, 0)])
        lower = sheet.area([(400, 300), *[(px + 6, py + 22) for px, py in teeth], (606, 300)])
        strip = [np.minimum(strip[0], upper), np.minimum(strip[0], lower)]
    for piece in strip:
        sheet.part(piece, "#c8102e", edge=3, gloss=0.25, shadow=0.55 if torn else 0.25)
    whole = np.maximum.reduce(strip)
    for k in range(6):
        stripe = sheet.area([(416 + 34 * k, 40), (430 + 34 * k, 40), (400 + 34 * k, 62), (386 + 34 * k, 62)])
        sheet.tint(np.minimum(stripe, whole), "#ffffff", 0.9)
    sheet.text(500, 92, "SECURITY", 27, "#ffffff")
    sheet.text(500, 156, "SEAL", 30, "#ffffff")
    if torn:
        gap = sheet.line([(px + 3, py + 11) for px, py in teeth], 12)
        sheet.tint(gap, "#efe6d2", 0.95)
        sheet.groove([(px, py) for px, py in teeth], 2, depth=0.4)
