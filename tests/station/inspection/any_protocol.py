"""Random protocols, from plain ones to nonsense that is still well-formed; a plain module for the tests beside it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from station.inspection.protocol import Protocol
from station.inspection.protocol_file import protocol_of
from station.toml_file import TomlFile

AXES = {"function": 6, "cosmetics": 9, "packaging": 5}
TRAITS = ("lithium", "data_bearing", "hygiene")
REASONS = ("defective", "unwanted")
GATES = ("lithium", "data_bearing", "hygiene", "contaminated", "expired")
KINDS = ("choice", "yes_no", "number", "text", "scan")


def read(table: dict[str, Any]) -> Protocol:
    """A table as it would come from a file."""
    return protocol_of(TomlFile("random.toml", "", table, "0" * 64))


def _effects(draw: st.DrawFn) -> dict[str, Any]:
    effects: dict[str, Any] = {}
    axes = draw(st.lists(st.sampled_from(sorted(AXES)), unique=True, max_size=3))
    if axes:
        effects["axes"] = {axis: draw(st.integers(1, AXES[axis])) for axis in axes}
    for key in ("gates", "clears"):
        if draw(st.integers(0, 4)) == 0:
            effects[key] = [draw(st.sampled_from(GATES))]
    if draw(st.integers(0, 5)) == 0:
        effects["defects"] = [{"kind": draw(st.sampled_from(["superficial", "missing_part"])), "severity": "minor"}]
    if draw(st.integers(0, 5)) == 0:
        effects["second_look"] = True
    if draw(st.integers(0, 3)) == 0:
        effects["reason"] = "Something was found"
        effects["rework_minutes"] = draw(st.integers(0, 30))
    if draw(st.integers(0, 6)) == 0:
        effects["found_reason"] = draw(st.sampled_from(REASONS))
    return effects


def _when(draw: st.DrawFn, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    when: dict[str, Any] = {}
    if earlier and draw(st.booleans()):
        asked = draw(st.sampled_from(earlier))
        ids = [choice["id"] for choice in asked["choices"]]
        when["answers"] = {asked["id"]: draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))}
    if draw(st.integers(0, 4)) == 0:
        when["traits"] = draw(st.lists(st.sampled_from(TRAITS), min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 5)) == 0:
        when["reasons"] = [draw(st.sampled_from(REASONS))]
    return when


def _question(draw: st.DrawFn, number: int, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    question: dict[str, Any] = {"id": f"q{number}", "text": "How is it?", "why": "Look once", "type": kind}
    ids = [f"c{place}" for place in range(draw(st.integers(1, 3)))]
    entered: list[dict[str, Any]] = []
    match kind:
        case "yes_no":
            ids = ["yes", "no", *draw(st.sampled_from([[], ["cannot_tell"]]))]
        case "number":
            cut = draw(st.integers(1, 99))
            question["number"] = {"unit": "%", "decimals": draw(st.integers(0, 2)), "least": 0, "most": 100}
            entered = [{"id": "low", "range": [0, cut - 1]}, {"id": "high", "range": [cut, 100]}]
        case "text":
            entered = [{"id": "said", "takes": "text"}]
        case "scan":
            question["expects"] = draw(st.sampled_from(["serial", "gtin", "any"]))
            takes = ["any"] if question["expects"] == "any" else ["same", "different", "unknown"]
            entered = [{"id": one, "takes": one} for one in takes]
    question["choices"] = [
        {"label": f"Answer {one['id']}", "hint": "it looks so", **one, **_effects(draw)}
        for one in (*entered, *({"id": name} for name in ids))
    ]
    question["when"] = _when(draw, earlier)
    if earlier and draw(st.integers(0, 3)) == 0:
        question["rework"] = {"task": "Wipe it", "minutes": 2}
        question["choices"][0]["mends"] = [draw(st.sampled_from(earlier))["id"]]
    return question


@st.composite
def tables(draw: st.DrawFn, most_questions: int = 5) -> dict[str, Any]:
    """A protocol's table."""
    questions: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, most_questions))):
        questions.append(_question(draw, number, questions))
    shots = [
        {"id": f"s{number}", "title": "Front", "guide": "Lay it flat", "when": _when(draw, questions)}
        for number in range(draw(st.integers(0, 2)))
    ]
    return {
        "kind": "protocol",
        "id": "random",
        "version": 1,
        "title": "Random",
        "categories": ["random"],
        "shots": shots,
        "questions": questions,
    }


@st.composite
def protocols(draw: st.DrawFn, most_questions: int = 5) -> Protocol:
    """A well-formed protocol."""
    return read(draw(tables(most_questions)))
