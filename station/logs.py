"""One place that configures logging for all five packages: JSON lines to a file, warnings to stderr.

Never logged: photos, tokens, customers' names. INFO is what an auditor asks, WARNING the environment, ERROR work
given up.
"""

from __future__ import annotations

import logging
import sys
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

import msgspec

PACKAGES = ("station", "devices", "sync", "ui", "resources")


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str | int] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "room": record.name,
            "event": record.getMessage(),
            "thread": record.threadName or "",
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure_logging(home: Path | None, *, debug: bool = False, to_stderr: int = logging.WARNING) -> None:
    """Set up the five root loggers; calling it again replaces the handlers.

    Args:
        home: folder that gets ``logs/station.log`` (10 MB × 10); None = stderr only.
        debug: include every byte of the devices (a field log can be replayed).
        to_stderr: lowest level that is shown to people; the demo's own unplugs are no news.
    """
    level = logging.DEBUG if debug else logging.INFO
    to_people = logging.StreamHandler(sys.stderr)
    to_people.setLevel(to_stderr)
    to_people.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handlers: list[logging.Handler] = [to_people]
    if home is not None:
        folder = home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        to_file = RotatingFileHandler(folder / "station.log", maxBytes=10_000_000, backupCount=10, encoding="utf-8")
        to_file.setFormatter(JsonLines())
        handlers.append(to_file)
    for name in PACKAGES:
        logger = logging.getLogger(name)
        for old in logger.handlers[:]:
            logger.removeHandler(old)
            old.close()
        logger.setLevel(level)
        logger.propagate = False
        for handler in handlers:
            logger.addHandler(handler)


def log_uncaught() -> None:
    """Write what nobody caught, on any thread, to the log with its traceback; the program goes on if it can."""
    logger = logging.getLogger(__name__)

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        logger.critical("uncaught: %s", error, exc_info=(kind, error, trace))

    def uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
