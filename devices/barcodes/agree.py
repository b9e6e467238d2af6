"""When what a camera sees counts: two looks in a row must say the same. Pure: no pictures, no clock."""

from __future__ import annotations

from collections.abc import Iterable

from devices.barcodes.found import Found


class TwoFrames:
    """Lets a text through once when two consecutive looks agree on it.

    A look is one live frame, or the photo that follows it. The same text again is let through only after it has been
    out of sight for a while, so that a label that lies under the camera speaks once.

    >>> from devices.barcodes.found import FoundBy
    >>> corners = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    >>> one = Found("A1", b"A1", "QR Code", "]Q1", corners, FoundBy.WHOLE)
    >>> rule = TwoFrames()
    >>> [len(rule.look([one])) for _ in range(3)]
    [0, 1, 0]
    """

    def __init__(self, forget_after: int = 5) -> None:
        """
        Args:
            forget_after: looks without a text after which it may speak again.
        """
        self._forget_after = forget_after
        self._before: frozenset[tuple[str, str]] = frozenset()
        self._spoken: dict[tuple[str, str], int] = {}

    def look(self, found: Iterable[Found]) -> tuple[Found, ...]:
        """Take one look; returns what two in a row agree on and was not said before."""
        now = {(one.aim, one.text): one for one in found}
        for key in list(self._spoken):
            self._spoken[key] = 0 if key in now else self._spoken[key] + 1
            if self._spoken[key] >= self._forget_after:
                del self._spoken[key]
        agreed = tuple(one for key, one in now.items() if key in self._before and key not in self._spoken)
        self._spoken.update({(one.aim, one.text): 0 for one in agreed})
        self._before = frozenset(now)
        return agreed

    def knows(self, one: Found) -> bool:
        """The look before said the same, or two looks in a row did not long ago."""
        key = (one.aim, one.text)
        return key in self._before or key in self._spoken

    def restart(self) -> None:
        """Another item lies there: what was seen before counts no more."""
        self._before = frozenset()
        self._spoken.clear()
