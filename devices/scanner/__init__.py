"""Scanners: bytes to whole scans, never half a one, never one twice. ``station.identify`` decides what a scan means."""

from devices.scanner.framer import Framing
from devices.scanner.line import Scanner

__all__ = ["Framing", "Scanner"]
