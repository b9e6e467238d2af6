"""A real process with a desk over a real store: one JSON line in, one JSON line with the screen out. To be killed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from station.identify.commands import Command
from station.inspection.view import BenchView
from tests.station.inspection.bench import Bench, open_store


def screen(view: BenchView) -> dict[str, object]:
    """What must be the same after a restart."""
    return {
        "state": view.state.value,
        "question": view.question.id if view.question is not None else None,
        "shots": [slot.photo.sha256 if slot.photo is not None else None for slot in view.shots],
        "weight": view.weight.gross_mg if view.weight is not None else None,
        "lpn": view.lpn,
        "recent": [unit.inspection_id for unit in view.recent],
        "item": msgspec.to_builtins(view.item),
        "mismatch": view.mismatch.scanned_text if view.mismatch is not None else None,
        "decision": view.decision.disposition.value if view.decision is not None else None,
    }


def main(home: Path) -> None:
    """Serve until killed."""
    with open_store(home) as store:
        bench = Bench(store)
        say(screen(bench.desk.show().view))
        for line in sys.stdin:
            act, argument = json.loads(line)
            if act == "scan":
                bench.scan(argument)
            elif act == "weigh":
                bench.weigh(argument)
            elif act == "photo":
                bench.photos = argument
                bench.photograph()
            elif act == "command":
                bench.give(Command(argument))
            say(screen(bench.last.view))


def say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
