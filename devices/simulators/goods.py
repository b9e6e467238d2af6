"""The goods that customers send back, drawn part by part on a sheet of 1000 × 760 units, lying on the mat."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from devices.simulators.drawing import Sheet, box, grain, oval, smooth, turned

STEEL = ((0.0, 0.55), (0.12, 0.95), (0.22, 1.25), (0.34, 0.82), (0.55, 0.74), (0.72, 1.08), (0.86, 0.9), (1.0, 0.5))
ROUND = ((0.0, 0.6), (0.2, 1.02), (0.34, 1.14), (0.6, 0.95), (1.0, 0.55))


def headphones(s: Sheet) -> None:
    arc = oval(500, 430, 268, 330, 190, 350)
    s.part(s.line(arc, 66), "#23282d", edge=34, gloss=0.35)
    s.part(s.line(oval(500, 436, 252, 312, 214, 326), 30), "#3b4249", edge=16, gloss=0.05, shadow=0.25)
    s.groove(oval(500, 430, 284, 346, 205, 335), 3, depth=0.6)
    for side in (-1, 1):
        x = 500 + side * 262
        tilt = -side * 5
        about = (x, 470.0)
        slider = turned(box(x - 17, 330, 34, 120, 12), tilt, about)
        s.part(s.area(slider), "#b9c0c6", edge=9, gloss=0.5, bands=STEEL)
        yoke = turned(box(x - 34, 400, 68, 46, 20), tilt, about)
        s.part(s.area(yoke), "#2c3238", edge=14, gloss=0.3)
        cushion = turned(oval(x - side * 20, 512, 104, 146), tilt, about)
        s.part(s.area(cushion), "#15181b", edge=40, gloss=0.16, shadow=0.6)
        shell = turned(oval(x + side * 8, 512, 96, 138), tilt, about)
        s.part(s.area(shell), "#2a3036", edge=30, gloss=0.4)
        ring = turned(oval(x + side * 8, 512, 72, 106), tilt, about)
        s.part(s.area(ring), "#c3cad0", edge=6, gloss=0.5, bands=STEEL, shadow=0.3)
        face = turned(oval(x + side * 8, 512, 65, 98), tilt, about)
        s.part(s.area(face), "#1e2327", edge=5, gloss=0.2, sheen=0.35, shadow=0.0)
        s.noise(s.area(face), 11 + side, 0.10, size=1.2)
        s.text(x + side * 8, 512, "halden", 30, "#dfe5ea", opacity=0.85)
    s.tint(s.area(oval(748, 632, 5, 5)), "#6ee7b0", 1.0)


def phone(s: Sheet) -> None:
    if s.plain:
        _phone_back(s)
        return
    s.part(s.area(box(330, 40, 340, 690, 54)), "#aeb6bd", edge=10, gloss=0.6, bands=STEEL)
    s.part(s.area(box(664, 210, 12, 96, 5)), "#8f979e", edge=4, gloss=0.5, shadow=0)
    s.part(s.area(box(339, 49, 322, 672, 46)), "#0b0e11", edge=4, gloss=0.25, shadow=0)
    glass = s.area(box(352, 64, 296, 642, 34))
    s.part(glass, "#12304a", edge=1, gloss=0.0, sheen=0.9, shadow=0)
    for x, y, rx, ry, tone in (
        (420, 600, 260, 170, "#2a6f97"),
        (610, 500, 220, 200, "#61a5c2"),
        (380, 690, 240, 120, "#e9c46a"),
    ):
        wash = s.area(oval(x, y, rx, ry))
        s.tint(np.minimum(wash, glass), tone, 0.55, blur=34)
    s.text(500, 190, "10:17", 96, "#ffffff", opacity=0.95)
    s.text(500, 262, "Thursday 12 March", 26, "#ffffff", heavy=False, opacity=0.85)
    for k in range(4):
        s.part(
            s.area(box(374 + 66 * k, 620, 54, 54, 15)),
            ("#2a9d8f", "#f4f6f8", "#e76f51", "#457b9d")[k],
            edge=4,
            shadow=0.2,
        )
    s.part(s.area(oval(500, 88, 11, 11)), "#020304", edge=4, gloss=0.5, shadow=0)
    shine = s.area([(352, 64), (500, 64), (352, 420)])
    s.tint(np.minimum(shine, glass), "#ffffff", 0.10)


def _phone_back(s: Sheet) -> None:
    s.part(s.area(box(330, 40, 340, 690, 54)), "#aeb6bd", edge=10, gloss=0.6, bands=STEEL)
    back = s.area(box(337, 47, 326, 676, 48))
    s.part(back, "#3d4f5c", edge=14, gloss=0.3, sheen=0.5, shadow=0)
    s.part(s.area(box(362, 72, 170, 176, 42)), "#2b3943", edge=9, gloss=0.35, shadow=0.5)
    for x, y in ((408, 118), (486, 118), (408, 200)):
        s.part(s.area(oval(x, y, 33, 33)), "#11161a", edge=8, gloss=0.4)
        s.part(s.area(oval(x, y, 20, 20)), "#0a1c33", edge=20, gloss=0.9, shadow=0)
    s.tint(s.area(oval(486, 200, 13, 13)), "#f7e9c0", 0.9)


def t_shirt(s: Sheet) -> None:
    half = [
        (500, 96),
        (430, 82),
        (392, 62),
        (300, 96),
        (150, 190),
        (66, 330),
        (172, 404),
        (262, 330),
        (268, 520),
        (258, 712),
    ]
    outline = [*half, *[(1000 - x, y) for x, y in reversed(half[1:])]]
    body = s.area(outline)
    folds = (
        grain(s.shape, 5, size=90 * s.scale, stretch=0.6) * 9 * s.scale
        + grain(s.shape, 6, size=34 * s.scale) * 2.4 * s.scale
    )
    s.part(body, "#d9593d", edge=7, gloss=0.0, sheen=0.10, texture=folds)
    s.noise(body, 3, 0.055, size=1.3)
    neck = smooth([(392, 62), (430, 120), (500, 142), (570, 120), (608, 62)], closed=False)
    s.part(s.area([*neck, (570, 82), (500, 96), (430, 82)]), "#8f3524", edge=4, gloss=0, shadow=0.2)
    s.part(s.line(neck, 20), "#cf5238", edge=7, gloss=0.0, shadow=0.4)
    s.part(s.area(box(474, 92, 52, 26, 3)), "#f5f1e8", edge=2, shadow=0.2)
    for side in (-1, 1):
        s.groove([(500 + side * 112, 70), (500 + side * 172, 200), (500 + side * 238, 330)], 3, depth=0.25)
        s.groove([(500 + side * 420, 322), (500 + side * 320, 392)], 2.5, depth=0.22)
    s.groove([(262, 688), (738, 688)], 2.5, depth=0.22)
    if s.plain:
        return
    s.tint(s.area(oval(500, 330, 96, 96)), "#f5ead6", 0.9)
    s.tint(
        s.area(
            smooth([(404, 350), (450, 316), (500, 356), (550, 312), (596, 350), (560, 404), (500, 426), (440, 404)])
        ),
        "#2e5266",
        0.9,
    )
    s.text(500, 466, "FJORD ROWING", 36, "#f5ead6", opacity=0.95)


def shoe(s: Sheet) -> None:
    upper = [(104, 560), (92, 470), (84, 380), (82, 290), (112, 246), (150, 262), (210, 300), (280, 300), (330, 250)]
    upper += [(384, 262), (440, 326), (560, 408), (700, 462), (840, 490), (912, 548), (700, 590), (380, 584)]
    s.part(s.area(smooth(upper)), "#2f6f8f", edge=44, gloss=0.08, shadow=0.4)
    s.noise(s.area(smooth(upper)), 21, 0.07, size=1.6)
    toe = smooth([(706, 470), (800, 480), (890, 516), (916, 560), (800, 584), (690, 580), (672, 520)])
    s.part(s.area(toe), "#e9eef1", edge=26, gloss=0.12, shadow=0.35)
    heel = smooth([(88, 430), (150, 410), (216, 446), (236, 560), (110, 572), (94, 500)])
    s.part(s.area(heel), "#e9eef1", edge=20, gloss=0.12, shadow=0.35)
    collar = smooth([(98, 268), (150, 276), (212, 314), (284, 314), (320, 276)], closed=False)
    s.part(s.line(collar, 46), "#1d4a61", edge=24, gloss=0.05, shadow=0.3)
    s.part(s.line([(106, 262), (112, 330)], 26), "#f2b134", edge=12, gloss=0.1, shadow=0.3)
    tongue = smooth([(306, 300), (330, 224), (392, 222), (424, 276), (456, 330), (400, 366), (336, 344)])
    s.part(s.area(tongue), "#28607c", edge=22, gloss=0.05)
    for k in range(5):
        x, y = 372 + 62 * k, 330 + 33 * k
        lace = smooth([(x - 34, y + 52), (x - 4, y + 6), (x + 44, y - 10)], closed=False)
        s.part(s.line(lace, 17), "#f7f9fa", edge=9, gloss=0.1)
        s.part(s.area(oval(x - 36, y + 56, 8, 8)), "#c9d1d6", edge=4, gloss=0.5, shadow=0.2)
    wave = smooth([(250, 530), (360, 486), (470, 500), (620, 556), (520, 556), (400, 534), (290, 560)])
    s.part(s.area(wave), "#f2b134", edge=5, gloss=0.1, shadow=0.25)
    sole = [(92, 600), (70, 548), (120, 520), (420, 546), (700, 560), (900, 536), (936, 566), (916, 622), (700, 640)]
    s.part(s.area(smooth([*sole, (300, 640)])), "#f4f6f7", edge=24, gloss=0.1, shadow=0.6)
    s.groove(smooth([(96, 566), (420, 582), (700, 596), (920, 572)], closed=False), 4, depth=0.28)
    for k in range(22):
        s.groove([(150 + 34 * k, 618), (140 + 34 * k, 638)], 5, depth=0.35)


def mug(s: Sheet) -> None:
    s.part(
        s.line(smooth([(640, 270), (786, 270), (820, 400), (770, 510), (630, 530)], closed=False), 50),
        "#e8ecee",
        edge=26,
        gloss=0.4,
    )
    body = s.area([*oval(470, 190, 205, 62, 180, 360), (668, 580), *oval(470, 600, 192, 64, 0, 180), (272, 580)])
    s.part(body, "#edf0f2", edge=18, gloss=0.25, bands=ROUND)
    stripe = s.area([(266, 420), *oval(470, 424, 203, 58, 180, 0), (676, 548), *oval(470, 548, 200, 58, 0, 180)])
    s.tint(np.minimum(stripe, body), "#2e6f63", 0.92)
    light = s.area(box(320, 180, 60, 480, 30))
    s.tint(np.minimum(light, body), "#ffffff", 0.22, blur=14)
    s.text(470, 528, "GOOD MORNING", 40, "#f6f3ea", opacity=0.95)
    s.part(s.area(oval(470, 190, 205, 66)), "#f6f8f9", edge=14, gloss=0.5, shadow=0.1)
    s.part(s.area(oval(470, 194, 183, 54)), "#8f979b", edge=40, gloss=0.0, sheen=-0.5, shadow=0.0)
    s.tint(s.area(oval(470, 214, 160, 34)), "#5f676b", 0.5, blur=12)


def desk_lamp(s: Sheet) -> None:
    s.part(s.area(oval(640, 636, 190, 74)), "#2f3438", edge=26, gloss=0.35)
    s.part(s.area(oval(640, 622, 168, 56)), "#3d444a", edge=12, gloss=0.3, shadow=0.1)
    s.part(s.line([(640, 610), (770, 372)], 30), "#c3a15c", edge=15, gloss=0.6)
    s.part(s.line([(770, 372), (470, 180)], 30), "#c3a15c", edge=15, gloss=0.6)
    s.part(s.area(oval(770, 372, 36, 36)), "#2f3438", edge=16, gloss=0.4)
    s.part(s.area(oval(770, 372, 14, 14)), "#d8c18a", edge=8, gloss=0.6, shadow=0.2)
    s.part(s.area(oval(640, 606, 30, 26)), "#2f3438", edge=14, gloss=0.4)
    about = (440.0, 170.0)
    s.part(s.area(turned(box(398, 96, 84, 92, 22), 32, about)), "#2f3438", edge=18, gloss=0.4)
    shade = [(388, 170), (492, 170), (610, 392), *oval(440, 392, 170, 44, 0, 180), (270, 392)]
    s.part(s.area(turned(shade, 32, about)), "#35607a", edge=16, gloss=0.3, bands=ROUND)
    s.part(s.area(turned(oval(440, 392, 168, 44), 32, about)), "#f4ead0", edge=6, gloss=0.2, shadow=0.0)
    s.part(s.area(turned(oval(440, 398, 148, 34), 32, about)), "#d9c89a", edge=16, gloss=0.0, sheen=-0.3, shadow=0.0)
    s.part(s.area(turned(oval(440, 402, 46, 22), 32, about)), "#fffdf2", edge=18, gloss=0.4, shadow=0.2)
    s.part(
        s.line(smooth([(820, 650), (880, 690), (930, 660), (968, 716)], closed=False), 12), "#24282b", edge=6, gloss=0.3
    )


def power_bank(s: Sheet) -> None:
    slab = s.area(box(210, 190, 580, 380, 62))
    s.part(slab, "#2b3238", edge=26, gloss=0.25, sheen=0.25)
    s.noise(slab, 8, 0.06, size=1.1)
    s.groove(box(236, 216, 528, 328, 44), 3, closed=True, depth=0.4)
    s.text(500, 330, "volta", 92, "#e8edf0", opacity=0.92)
    s.text(500, 408, "20 000 mAh   ·   65 W", 32, "#a9b6c0", heavy=False, opacity=0.95)
    for k in range(0 if s.plain else 4):
        s.tint(s.area(oval(440 + 40 * k, 474, 9, 9)), "#7bd8b0" if k < 3 else "#3f4a52", 1.0)
    s.part(s.area(box(782, 300, 16, 60, 6)), "#0c0f11", edge=3, shadow=0)
    s.part(s.area(box(782, 392, 16, 84, 5)), "#0c0f11", edge=3, shadow=0)
    s.part(s.area(box(300, 180, 70, 14, 6)), "#4a545c", edge=5, gloss=0.3, shadow=0.2)


def drill(s: Sheet) -> None:
    s.part(s.line([(60, 246), (196, 246)], 17), "#a7adb2", edge=9, gloss=0.7, bands=STEEL, upright=True)
    s.part(s.area(box(176, 200, 122, 92, 16)), "#2a2e31", edge=26, gloss=0.3, bands=ROUND, upright=True)
    for k in range(5):
        s.groove([(196 + 19 * k, 206), (196 + 19 * k, 286)], 5, depth=0.45)
    s.part(s.area(box(288, 182, 74, 128, 18)), "#8b9196", edge=22, gloss=0.5, bands=ROUND, upright=True)
    grip = smooth([(500, 300), (664, 300), (704, 420), (740, 600), (590, 620), (556, 470), (524, 400)])
    s.part(s.area(grip), "#26292c", edge=40, gloss=0.1)
    s.noise(s.area(grip), 4, 0.12, size=2.2)
    trigger = smooth([(498, 330), (552, 330), (556, 420), (522, 418), (490, 380)])
    s.part(s.area(trigger), "#c7382c", edge=16, gloss=0.25)
    body = smooth(
        [(352, 170), (520, 150), (720, 156), (806, 186), (820, 246), (800, 312), (700, 332), (520, 330), (352, 316)]
    )
    s.part(s.area(body), "#12807a", edge=38, gloss=0.28)
    s.part(
        s.area(smooth([(700, 160), (806, 186), (820, 246), (800, 312), (700, 330), (680, 246)])),
        "#1d2326",
        edge=24,
        gloss=0.2,
        shadow=0.2,
    )
    for k in range(4):
        s.groove([(724 + 19 * k, 212), (724 + 19 * k, 284)], 7, depth=0.6)
    s.text(520, 244, "TORQ 18V", 58, "#f3f6f6", opacity=0.95)
    s.part(s.area(box(530, 594, 290, 112, 26)), "#1c2123", edge=22, gloss=0.2)
    s.part(s.area(box(530, 594, 290, 30, 12)), "#12807a", edge=9, gloss=0.25, shadow=0.1)
    s.text(676, 664, "4.0 Ah  Li-ion", 32, "#d7dfe0", opacity=0.9)


def kettle(s: Sheet) -> None:
    s.part(
        s.area(smooth([(270, 330), (180, 250), (206, 226), (300, 250), (330, 330)])),
        "#b7bec4",
        edge=20,
        gloss=0.6,
        bands=STEEL,
    )
    handle = smooth([(560, 150), (740, 150), (800, 250), (780, 440), (700, 540)], closed=False)
    s.part(s.line(handle, 62), "#1d2124", edge=32, gloss=0.3)
    body = [
        (330, 190),
        (590, 190),
        *smooth([(650, 330), (700, 560), (696, 620)], closed=False),
        (260, 620),
        *smooth([(256, 560), (292, 330)], closed=False),
    ]
    mask = s.area(body)
    s.part(mask, "#c6ccd1", edge=12, gloss=0.25, bands=STEEL)
    s.noise(mask, 15, 0.035, size=1.2, stretch=20)
    s.part(
        s.area([(326, 194), (594, 194), (560, 140), (500, 122), (410, 122), (358, 140)]), "#23282b", edge=18, gloss=0.35
    )
    s.part(s.area(box(430, 92, 62, 40, 16)), "#23282b", edge=14, gloss=0.4)
    s.part(s.area(box(244, 606, 470, 62, 20)), "#23282b", edge=18, gloss=0.3)
    s.part(s.area(box(452, 300, 44, 250, 20)), "#3f5a68", edge=9, gloss=0.5, sheen=0.5)
    for k in range(6):
        s.tint(s.line([(460, 330 + 38 * k), (474, 330 + 38 * k)], 4), "#dfe9ee", 0.9)
    s.text(390, 560, "1.7 L", 34, "#3c444a", opacity=0.8)


def book(s: Sheet) -> None:
    s.part(s.area(box(268, 74, 482, 636, 8)), "#efe8d8", edge=8, gloss=0.0)
    for k in range(5):
        s.groove([(742 + k * 1.6, 90), (742 + k * 1.6, 700)], 1.2, depth=0.25)
    cover = s.area(box(252, 58, 482, 636, 8))
    s.part(cover, "#274c5e", edge=7, gloss=0.15, sheen=0.16)
    s.noise(cover, 30, 0.04, size=1.4)
    s.groove([(296, 62), (296, 690)], 6, depth=0.35)
    if s.plain:
        return
    sun = s.area(oval(524, 330, 130, 130))
    s.tint(sun, "#f2b134", 0.95)
    for k, tone in enumerate(("#e76f51", "#c8553d", "#8f3b2e")):
        y = 380 + 56 * k
        hill = s.area(
            [
                *smooth([(300, y + 40), (400, y - 30), (520, y + 22), (640, y - 40), (734, y + 10)], closed=False),
                (734, 600),
                (300, 600),
            ]
        )
        s.tint(np.minimum(hill, cover), tone, 0.95)
    s.text(516, 138, "THE LONG", 60, "#f6f1e4")
    s.text(516, 200, "WAY BACK", 60, "#f6f1e4")
    s.text(516, 646, "M. Aldana", 34, "#f6f1e4", heavy=False, opacity=0.9)


def carton(s: Sheet) -> None:
    face = s.area(box(190, 110, 620, 540, 5))
    s.part(face, "#b98a5b", edge=9, gloss=0.0, sheen=0.14)
    s.noise(face, 40, 0.05, size=2.0, stretch=6)
    s.noise(face, 41, 0.035, size=40)
    s.groove([(192, 380), (808, 380)], 5, depth=0.5)
    tape = s.area(box(190, 342, 620, 76, 2))
    s.tint(tape, "#d9b98a", 0.6)
    s.tint(s.area(box(190, 346, 620, 12, 2)), "#ffffff", 0.2)
    for drawing in ((0, -26, 0, 26), (-16, -10, 0, -26), (16, -10, 0, -26)):
        x = 262
        s.tint(
            s.line([(x + drawing[0], 560 + drawing[1]), (x + drawing[2], 560 + drawing[3])], 9),
            "#4a331d",
            0.8,
        )
    s.tint(s.line([(236, 600), (288, 600)], 9), "#4a331d", 0.8)
    s.text(690, 560, "FRAGILE", 46, "#4a331d", opacity=0.8)


GOODS: Mapping[str, Callable[[Sheet], None]] = {
    "headphones": headphones,
    "phone": phone,
    "t_shirt": t_shirt,
    "shoe": shoe,
    "mug": mug,
    "desk_lamp": desk_lamp,
    "power_bank": power_bank,
    "drill": drill,
    "kettle": kettle,
    "book": book,
    "carton": carton,
}
"""Scene name → drawing."""
