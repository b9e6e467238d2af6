"""Turns control lines into frames: goods that come, turn and go, and a camera that misbehaves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

import cv2
import numpy as np

from devices.simulators.drawing import Pixels
from devices.simulators.scenes import GOODS, Sprite, Stage, Variant, hand_sprite, sensor_noise
from devices.simulators.steps import Step, seconds
from station.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

CAMERA_STEPS = {
    "place": frozenset({"scene", "variant", "seed", "serial"}),
    "turn": frozenset({"variant", "seed", "serial"}),
    "remove": frozenset[str](),
    "wait": frozenset({"seconds"}),
    "blur": frozenset({"seconds"}),
    "dark": frozenset({"seconds"}),
    "black": frozenset({"seconds"}),
    "white": frozenset({"seconds"}),
    "noise": frozenset({"seconds", "sigma"}),
    "expose": frozenset({"seconds", "factor"}),
    "drift": frozenset({"seconds", "factor"}),
    "tint": frozenset({"seconds", "factor"}),
    "hunt": frozenset({"seconds"}),
    "freeze": frozenset({"seconds"}),
    "stall": frozenset({"seconds"}),
    "truncate": frozenset({"seconds"}),
    "unplug": frozenset({"seconds"}),
    "quit": frozenset[str](),
}
_MOTION_S = 0.55
_NOISES = 6
_SIGMA = 2.6
_GAMMA = 2.2

T = TypeVar("T")


class Director(Generic[T]):
    """Turns steps into frames. Still frames are made once for each of a few noises and then shown again."""

    def __init__(
        self, size: tuple[int, int], fps: float, seed: int, make: Callable[[Image], T], *, live: bool = False
    ) -> None:
        self.fps = fps
        self._live = live
        """Somebody is watching: the picture goes on while the next thing is being drawn."""
        self._stage = Stage(*size)
        self._seed = seed
        self._make = make
        self._noise = [_rounded(sensor_noise((size[1], size[0]), seed + k, _SIGMA)) for k in range(_NOISES)]
        self._count = 0
        self._item: Sprite | None = None
        self._what: tuple[str, int] = ("", seed)
        self._light, self._blur = 1.0, 0.0
        self._gain, self._red, self._sigma = 1.0, 1.0, 0.0
        self._still: dict[int, T] = {}
        self._clean: Image | None = None

    def still(self) -> T:
        """The next frame of a bench on which nothing moves."""
        self._count += 1
        index = self._count % _NOISES
        if index not in self._still:
            if self._clean is None:
                self._clean = self._stage.compose(self._item, light=self._light)
            self._still[index] = self._develop(self._clean)
        return self._still[index]

    def play(self, step: Step) -> Iterator[T]:
        """The frames of one step, from its first movement until all is still again.

        Raises:
            InvalidInput: a scene or variant that does not exist.
        """
        match step["do"]:
            case "place":
                yield from self._place(step)
            case "turn":
                yield from self._turn(step)
            case "remove":
                yield from self._leave()
            case "blur":
                yield from self._spell(step, blur=4.0 * self._stage.height / 720)
            case "dark":
                yield from self._spell(step, light=0.2)
            case "black":
                yield from self._spell(step, light=0.0)
            case "white":
                yield from self._spell(step, gain=1000.0)
            case "noise":
                yield from self._spell(step, sigma=_number(step, "sigma", 25.0))
            case "expose":
                yield from self._spell(step, gain=_number(step, "factor", 0.5))
            case "tint":
                yield from self._spell(step, red=_number(step, "factor", 1.3))
            case "drift":
                yield from self._drift(step)
            case "hunt":
                yield from self._hunt(step)
            case "freeze":
                frozen = self.still()
                yield from itertools.repeat(frozen, self._frames(seconds(step)))
            case _:
                for _ in range(self._frames(seconds(step))):
                    yield self.still()

    def _frames(self, length_s: float) -> int:
        return max(1, round(length_s * self.fps))

    def _spell(
        self,
        step: Step,
        *,
        light: float = 1.0,
        blur: float = 0.0,
        gain: float = 1.0,
        red: float = 1.0,
        sigma: float = 0.0,
    ) -> Iterator[T]:
        self._light, self._blur, self._gain, self._red, self._sigma = light, blur, gain, red, sigma
        self._changed()
        for _ in range(self._frames(seconds(step))):
            yield self.still()
        self._calm()

    def _drift(self, step: Step) -> Iterator[T]:
        """Exposure creeps away, like an automatic one that follows something, and comes back at the end."""
        count, factor = self._frames(seconds(step)), _number(step, "factor", 1.5)
        for k in range(count):
            self._gain = factor ** ((k + 1) / count)
            self._changed()
            yield self.still()
        self._calm()

    def _hunt(self, step: Step) -> Iterator[T]:
        """Focus goes to and fro, one and a half times a second, as where there is no contrast to hold on to."""
        for k in range(self._frames(seconds(step))):
            self._blur = 3.0 * self._stage.height / 720 * (1.0 - float(np.cos(3.0 * np.pi * k / self.fps)))
            self._changed()
            yield self.still()
        self._calm()

    def _calm(self) -> None:
        self._light, self._blur, self._gain, self._red, self._sigma = 1.0, 0.0, 1.0, 1.0, 0.0
        self._changed()

    def _changed(self) -> None:
        self._still.clear()
        self._clean = None

    def _read_item(self, step: Step, scene: str) -> tuple[str, Variant, int, str | None]:
        variant, seed, serial = step.get("variant", "front"), step.get("seed", self._what[1]), step.get("serial")
        if scene not in GOODS:
            raise InvalidInput(f"no scene is called {scene!r}; expected one of {', '.join(GOODS)}")
        if variant not in set(Variant):
            raise InvalidInput(f"no variant is called {variant!r}; expected one of {', '.join(Variant)}")
        if not isinstance(seed, int):
            raise InvalidInput(f"seed is {seed!r}, expected a whole number")
        return scene, Variant(str(variant)), seed, None if serial is None else str(serial)

    def _draw(self, scene: str, variant: Variant, seed: int, serial: str | None) -> Generator[T, None, Sprite]:
        """Draw a thing (and the hand that brings it); when live, still frames go on meanwhile."""

        def draw() -> Sprite:
            hand_sprite(self._stage.height)
            return self._stage.item(scene, variant, seed, serial)

        if not self._live:
            return draw()
        with ThreadPoolExecutor(1, "draw") as pool:
            drawing = pool.submit(draw)
            while not drawing.done():
                yield self.still()
            return drawing.result()

    def _place(self, step: Step) -> Iterator[T]:
        scene, variant, seed, serial = self._read_item(step, str(step.get("scene", "")))
        item = yield from self._draw(scene, variant, seed, serial)
        if self._item is not None:
            yield from self._leave()
        count = self._frames(_MOTION_S)
        for k in range(count):
            part = (k + 1) / count
            coming = _ease(min(1.0, part / 0.65))
            leaving = _ease(max(0.0, (part - 0.6) / 0.4))
            yield self._moving(item, drop=1.0 - coming, hand=leaving)
        self._item, self._what = item, (scene, seed)
        self._changed()

    def _turn(self, step: Step) -> Iterator[T]:
        if self._item is None:
            raise InvalidInput('nothing lies there to be turned; {"do": "place", …} comes first')
        scene, variant, seed, serial = self._read_item({"variant": "turned", **step}, self._what[0])
        before = self._item
        after = yield from self._draw(scene, variant, seed, serial)
        count = self._frames(_MOTION_S)
        for k in range(count):
            part = (k + 1) / count
            over = np.cos(np.pi * min(1.0, part / 0.8))
            hand = 0.0 if part < 0.6 else _ease((part - 0.6) / 0.4)
            yield self._moving(before if over > 0 else after, squeeze=abs(float(over)), hand=hand)
        self._item, self._what = after, (scene, seed)
        self._changed()

    def _leave(self) -> Iterator[T]:
        item, self._item = self._item, None
        count = self._frames(_MOTION_S * 0.7)
        for k in range(count if item is not None else 0):
            yield self._moving(item, drop=_ease((k + 1) / count) * 1.1, hand=0.0)
        self._changed()

    def _moving(self, item: Sprite | None, *, drop: float = 0.0, squeeze: float = 1.0, hand: float | None = None) -> T:
        self._count += 1
        image = self._stage.compose(item, drop=drop, squeeze=squeeze, hand=hand, light=self._light)
        return self._develop(image)

    def _develop(self, clean: Image) -> T:
        """Lens and sensor: blur, noise, the final format."""
        image = cv2.GaussianBlur(clean, (0, 0), self._blur) if self._blur > 0.3 else clean
        noise = self._noise[self._count % _NOISES]
        if self._sigma:
            noise = _rounded(sensor_noise(image.shape, self._seed + self._count, self._sigma))
        if (self._gain, self._red) != (1.0, 1.0):
            # On the sensor, before its curve: twice the light is 37 % more in the picture.
            gains = np.array([1.0, 1.0, self._red], np.float32) * self._gain ** (1 / _GAMMA)
            image = np.asarray(np.clip(image * gains, 0, 255), np.uint8)
            noise = noise if self._gain < 100.0 else np.zeros_like(noise)
        noisy = np.add(image, noise, dtype=np.int16)
        return self._make(np.asarray(np.clip(noisy, 0 if self._light else 4, 255 if self._light else 7), np.uint8))


def _rounded(noise: Pixels) -> NDArray[np.int16]:
    return np.asarray(np.round(noise), np.int16)


def _number(step: Step, key: str, default: float) -> float:
    value = step.get(key, default)
    if isinstance(value, (str, bool)) or not 0 < value <= 100:
        raise InvalidInput(f"step {step['do']!r}: {key} is {value!r}, expected a number above 0, at most 100")
    return float(value)


def _ease(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)
