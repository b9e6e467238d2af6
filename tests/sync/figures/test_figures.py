"""Figures against an oracle, rebuilt figures against kept ones, after random histories on both databases."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from station.errors import InvalidInput
from sync.protocol import QueueKind
from sync.server.figures import catch_up, count_late, keeping, listing, settle, views
from sync.server.figures.builds import read_builds
from sync.server.figures.following import count_some
from sync.server.journal import Journal
from sync.server.projection import project
from sync.server.rebuild import BUILT, rebuild
from sync.server.storage import Database
from sync.server.storage.rows_figures import figure_units
from tests.sync.figures import oracle
from tests.sync.figures.history import START, STATIONS, Floor, Push, deliveries

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "inspect", "inspect", "inspect", "void", "correct", "clone", "park", "close"]),
        st.sampled_from(STATIONS),
    ),
    max_size=40,
)
SINCE, UNTIL = START.date() - timedelta(days=2), START.date() + timedelta(days=40)
some = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink a history takes minutes
)
NewSite = Callable[[], str]


def lived(steps: list[tuple[str, str]], seed: int) -> tuple[list[Push], list[oracle.Received]]:
    floor = Floor(random.Random(seed))
    for what, station in steps:
        floor.step(what, station)
    received: list[oracle.Received] = []
    return list(deliveries(floor, received)), received


def push(database: Database, site: str, pushes: list[Push], dice: random.Random | None = None) -> None:
    """Push, and count at any moment some of what has come; at the end everything has been counted."""
    journal = Journal(database, (project,), late=(count_late,))
    for each in pushes:
        journal.push(site, each.station, each.entries, each.at)
        if dice is not None and dice.random() < 0.5:
            count_some(database, site, dice.randrange(1, 9))
    catch_up(database, site)


def dump(database: Database, site: str) -> dict[str, list[str]]:
    """All rows of the live build, sorted, as text."""
    with database.reading() as connection:
        live = read_builds(connection, site).live
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in connection.execute(
                    select(*(c for c in table.columns if c.name not in ("site_id", "build")))
                    .where(table.c.site_id == site, table.c.build == live)
                )
            )
            for table in BUILT
        }  # fmt: skip


def ask(database: Database, site: str, view: str, by: str = "total", **filters: str) -> views.FiguresAnswer:
    with database.reading() as connection:
        return views.answer(connection, site, views.Question(view, SINCE, UNTIL, by, filters))


def differences(database: Database, site: str, received: list[oracle.Received]) -> list[str]:
    """Where the server's figures are not the oracle's."""
    wrong: list[str] = []
    everything = oracle.seen(received)

    def compare(where: str, figures: dict[str, views.Figure], group: list[oracle.Seen]) -> None:
        exact = oracle.kpis(group)
        wrong.extend(
            f"{where} {name}: {figures[name].value}, expected {value}"
            for name, value in exact.items()
            if name in figures and figures[name].value != value
        )
        for name, value in oracle.times(group).items():
            if name in figures and (figure := figures[name]) is not None:
                fits = value is None if figure.value is None else (
                    value is not None and (figure.low or -1) < max(value, 0) and value <= (figure.high or value)
                )  # fmt: skip
                if not fits:
                    wrong.append(f"{where} {name}: {figure}, expected {value}")

    groupings: dict[str, Callable[[oracle.Seen], str]] = {
        "day": lambda one: one.day.isoformat(),
        "station": lambda one: one.by.station,
        "inspector": lambda one: one.by.actor,
        "merchant": lambda one: one.inspection.merchant_id or "",
        "category": lambda one: one.inspection.category or "",
    }
    for view in ("throughput", "times", "dispositions", "checks", "refunds"):
        total = ask(database, site, view).total
        assert total is not None
        compare(view, total.figures, everything)
        for by, key in groupings.items():
            if view == "throughput" and by in ("merchant", "category"):
                continue
            groups: dict[str, list[oracle.Seen]] = defaultdict(list)
            for one in everything:
                groups[key(one)].append(one)
            answered = {row.key[0]: row.figures for row in ask(database, site, view, by).rows}
            for name in answered.keys() - groups.keys():
                wrong.append(f"{view} by {by}: {name!r} is nowhere in the records")
            for name, group in groups.items():
                if name in answered:
                    compare(f"{view} {by}={name}", answered[name], group)
                elif any(one.stands or one.voided or one.corrections for one in group):
                    wrong.append(f"{view} by {by}: {name!r} is missing")
    wrong += money_differences(database, site, everything)
    return wrong


def money_differences(database: Database, site: str, everything: list[oracle.Seen]) -> list[str]:
    wrong: list[str] = []
    labels: dict[str, Callable[[oracle.Seen], tuple[str, ...]]] = {
        "grades": lambda one: (one.inspection.decision.grade.code, one.inspection.decision.disposition.value),
        "reasons": lambda one: (one.inspection.declared_reason or "", one.inspection.decision.found_reason or ""),
        "skus": lambda one: (one.inspection.sku or "", ""),
    }
    for view, key in labels.items():
        groups: dict[tuple[str, ...], list[oracle.Seen]] = defaultdict(list)
        for one in everything:
            if one.stands and (view != "skus" or one.inspection.merchant_id == "acme"):
                groups[*key(one), oracle.currency(one)].append(one)
        asked = {"merchant": "acme"} if view == "skus" else {}
        answered = {
            tuple(row.key): {name: figure.value for name, figure in row.figures.items()}
            for row in ask(database, site, view, "label", **asked).rows
        }
        expected = {name: oracle.money(group) for name, group in groups.items()}
        if answered != expected:
            wrong.append(f"{view}: {answered}, expected {expected}")
    return wrong


def open_items(database: Database, site: str) -> set[tuple[str, str]]:
    found = set()
    with database.reading() as connection:
        for kind in QueueKind:
            after = None
            while True:
                page = listing.queue(connection, site, listing.QueueQuestion(kind, after=after, limit=3))
                found |= {(item.kind.value, item.item_id) for item in page.items}
                after = page.after
                if after is None:
                    break
    return found


@some
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_figures_are_the_oracles(
    database: Database, new_site: NewSite, steps: list[tuple[str, str]], seed: int
) -> None:
    site, (pushes, received) = new_site(), lived(steps, seed)
    push(database, site, pushes, random.Random(seed))
    assert differences(database, site, received) == []
    assert open_items(database, site) == oracle.waiting(received)


@some
@given(steps=STEPS, seed=st.integers(0, 2**32), rounds=st.integers(0, 40))
def test_rebuilt_is_kept_byte_for_byte(
    database: Database, new_site: NewSite, steps: list[tuple[str, str]], seed: int, rounds: int
) -> None:
    site, (pushes, received) = new_site(), lived(steps, seed)
    push(database, site, pushes[:rounds], random.Random(seed))
    rebuild(database, site)
    push(database, site, pushes[rounds:], random.Random(seed + 1))
    kept = dump(database, site)
    rebuild(database, site)
    assert dump(database, site) == kept
    assert len(kept["figure_units"]) >= len({one.inspection.inspection_id for one in oracle.seen(received)})


@pytest.mark.slow
@settings(some, max_examples=1500)
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_many_histories(database: Database, new_site: NewSite, steps: list[tuple[str, str]], seed: int) -> None:
    site, (pushes, received) = new_site(), lived(steps * 3, seed)
    push(database, site, pushes, random.Random(seed))
    assert differences(database, site, received) == []
    assert open_items(database, site) == oracle.waiting(received)
    kept = dump(database, site)
    rebuild(database, site)
    assert dump(database, site) == kept


def a_day(seed: int = 5) -> tuple[list[Push], list[oracle.Received]]:
    steps = [
        (what, STATIONS[n % 3]) for n in range(16) for what in ("open", "inspect", "inspect", "correct", "park", "void")
    ]
    return lived(steps, seed)


def test_the_comparison_sees_a_wrong_sum(
    database: Database, new_site: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: an applier that forgets what was counted before is caught by both checks."""
    site, (pushes, received) = new_site(), a_day()
    plain = keeping.Cells.change
    monkeypatch.setattr(keeping.Cells, "change", lambda self, before, after: plain(self, keeping.State(), after))
    push(database, site, pushes)
    monkeypatch.undo()
    kept = dump(database, site)
    assert differences(database, site, received) != []
    rebuild(database, site)
    assert dump(database, site) != kept


def test_pushes_go_on_while_it_rebuilds(database: Database, new_site: NewSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two transactions of a rebuild another push comes; afterwards nothing is missing or counted twice."""
    site, (pushes, received) = new_site(), a_day()
    push(database, site, pushes[:12])
    rest = iter(pushes[12:])
    monkeypatch.setattr("sync.server.rebuild._BATCH", 7)

    def another(_count: int) -> None:
        for each in rest:
            push(database, site, [each])
            return

    rebuild(database, site, progress=another)
    push(database, site, list(rest))
    assert differences(database, site, received) == []
    kept = dump(database, site)
    rebuild(database, site)
    assert dump(database, site) == kept


class Killed(BaseException):
    """Like SIGKILL for the rebuild: nothing of it runs any more."""


@pytest.mark.parametrize("at", [1, 5])
def test_a_killed_rebuild_is_taken_up(
    database: Database, new_site: NewSite, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    site, (pushes, received) = new_site(), a_day(at)
    half = len(pushes) // 2
    push(database, site, pushes[:half])
    before = dump(database, site)
    monkeypatch.setattr("sync.server.rebuild._BATCH", 7)
    calls = 0

    def die(_count: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed

    with pytest.raises(Killed):
        rebuild(database, site, progress=die)
    assert dump(database, site) == before  # what is read is the old one still
    push(database, site, pushes[half:])
    kept = dump(database, site)
    assert rebuild(database, site).entries < len(received) + 10 * 7
    assert dump(database, site) == kept
    assert differences(database, site, received) == []
    with database.reading() as connection:
        builds = set(connection.scalars(select(figure_units.c.build).where(figure_units.c.site_id == site)))
    assert len(builds) == 1


def test_what_a_lead_settled_stays_settled(database: Database, new_site: NewSite) -> None:
    site, (pushes, received) = new_site(), a_day()
    push(database, site, pushes)
    kind, item_id = sorted(item for item in open_items(database, site) if item[0] == "second_look")[0]
    at = START + timedelta(days=9)
    with database.writing() as connection:
        assert settle(database, connection, site, QueueKind(kind), item_id, by="L-1", outcome="agreed", at=at)
    with database.writing() as connection:
        assert not settle(database, connection, site, QueueKind(kind), item_id, by="L-2", outcome="again", at=at)
    rebuild(database, site)
    assert open_items(database, site) == oracle.waiting(received) - {(kind, item_id)}
    (row,) = ask(database, site, "review").rows
    inspection = next(one.inspection for one in oracle.seen(received) if one.inspection.inspection_id == item_id)
    waited = (at - inspection.confirmed_at) // timedelta(milliseconds=1)
    assert (row.key, row.figures["settled"].value, row.figures["waited_ms"].value) == (["agreed"], 1, waited)


def test_units_behind_a_figure(database: Database, new_site: NewSite) -> None:
    site, (pushes, received) = new_site(), a_day()
    push(database, site, pushes)
    standing = [one for one in oracle.seen(received) if one.stands and one.inspection.merchant_id == "acme"]
    found: list[str] = []
    after = None
    question = views.Question("checks", START.date(), START.date() + timedelta(days=30), filters={"merchant": "acme"})
    while True:
        with database.reading() as connection:
            page = listing.units(connection, site, question, "second_look", after, 2)
        found += [unit.inspection_id for unit in page.units]
        after = page.after
        if after is None:
            break
    inside = [one for one in standing if question.since <= one.day <= question.until]
    expected = {one.inspection.inspection_id for one in inside if one.inspection.decision.second_look}
    assert len(found) == len(expected) > 2  # more than one page
    assert set(found) == expected


@pytest.mark.parametrize(
    ("view", "by", "filters", "says"),
    [
        ("nonsense", "total", {}, "there are: throughput"),
        ("times", "sku", {}, "goes by total, day, station"),
        ("checks", "station", {"merchant": "acme"}, "cannot be asked together"),
        ("skus", "label", {}, "name a merchant"),
    ],
)
def test_a_question_that_cannot_be_asked(
    database: Database, new_site: NewSite, view: str, by: str, filters: dict[str, str], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        ask(database, new_site(), view, by, **filters)


def test_every_figure_has_its_definition(database: Database, new_site: NewSite) -> None:
    site = new_site()
    for view in views.index().views:
        answer = ask(database, site, view.view, **({"merchant": "acme"} if view.view == "skus" else {}))
        assert answer.definitions == view.definitions
        assert answer.current
        names = {definition.name for definition in answer.definitions}
        assert all(definition.text.endswith(".") for definition in answer.definitions)
        for row in [*answer.rows, *([answer.total] if answer.total else [])]:
            assert row.figures.keys() == names
    assert date(2026, 11, 1) == views.EPOCH + timedelta(days=20758)
