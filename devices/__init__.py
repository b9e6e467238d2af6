"""What stands on the bench: scanners, scales, cameras, label printers. No Qt, no database.

One file per instrument protocol: a pure incremental parser plus the bytes that ask for an answer. Bytes come from a
``Transport`` (``ports.py``); one owner thread per port runs a ``Supervisor`` that reconnects and says how the device
is. What leaves this room are the station's own values (``RawScan``, ``WeightReading``, JPEG bytes), never frames.
"""
