"""Python's cycle collector, kept on the GUI thread.

Context: the collector runs on whichever thread happens to allocate; when it finds a dead Qt object there, Qt destroys
it on the wrong thread ("Timers cannot be stopped from another thread"), and sooner or later the process crashes
(measured in our own tests: one segmentation fault in three runs). Decision: automatic collection is off while a bench
runs, and the GUI thread collects on a timer. What lives since the start is frozen out, so that a full collection stays
short. Price: a worker's cycles wait up to a quarter of a second.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

_LOOK_EVERY_MS = 250
_SETTLED_AFTER_MS = 5_000


class CycleCollector(QObject):
    """Collects cycles on the thread that it lives on, as often as Python would."""

    def __init__(self) -> None:
        super().__init__()
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_EVERY_MS)
        self._look.timeout.connect(self.collect)
        self._look.start()
        QTimer.singleShot(_SETTLED_AFTER_MS, self, self.freeze)

    @Slot()
    def collect(self) -> None:
        """Collect the oldest generation that is due."""
        for generation in (2, 1, 0):
            threshold = self._thresholds[generation]
            if threshold and gc.get_count()[generation] > threshold:
                gc.collect(generation)
                return

    @Slot()
    def freeze(self) -> None:
        """The start is over: what lives now lives to the end and is not looked at again."""
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Collect what is left, here, and give collection back to Python."""
        self._look.stop()
        gc.unfreeze()
        gc.collect()
        gc.enable()
