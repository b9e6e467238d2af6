"""Rules as they were when a decision was made, or as they would be with one thing changed.

A decision names every file it was made by with version and hash. As far as those files are still here, the same rules
can be put together again; what is not here is named, never replaced in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from station.decision.books import ReasonBook, RouteBook, ToteBook
from station.decision.gates import GateBook
from station.decision.recall import NO_RECALLS, RecallBook
from station.decision.recovery import NO_RECOVERY, RecoveryBook, ready
from station.decision.rules import OUTCOMES, Book, Rules
from station.decision.scheme import AxisBook, GradingScheme
from station.errors import InvalidInput
from station.inspection.protocol import Protocol
from station.returns.policy import Policy

Versions = tuple[tuple[str, str], ...]
_OWN = ("protocol", "scheme", "policy")
"""What a decision names for its unit; everything else it names is a book of the station."""


class RulesGone(InvalidInput):
    """Some file that a decision was made by is not here."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(f"not here: {', '.join(missing)}; put the files of then into rules/ to decide it again")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different. Everything that is not named stays as each unit had it."""

    protocols: tuple[Protocol, ...] = ()
    policies: tuple[Policy, ...] = ()
    schemes: tuple[GradingScheme, ...] = ()
    books: tuple[tuple[str, Book], ...] = ()
    policy_for_all: str | None = None
    """A policy of a new name: no merchant has it yet, so every unit is decided by it."""
    scheme_for_all: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.protocols or self.policies or self.schemes or self.books)

    @property
    def names(self) -> tuple[str, ...]:
        """As ``id@version``, for a headline."""
        return (
            *(f"{one.id}@{one.version}" for one in self.protocols),
            *(f"{one.name}@{one.version}" for one in self.policies),
            *(f"{one.name}@{one.version}" for one in self.schemes),
            *(f"{kind}@{book.version}" for kind, book in self.books),
        )


def change_of(rules: Rules, before: Rules) -> Change:
    """What some rules have that others had not.

    Args:
        rules: the rules with the new files on top.
        before: the rules without them.
    """
    policies = tuple(one for key, one in rules.policies.items() if key not in before.policies)
    schemes = tuple(one for key, one in rules.schemes.items() if key not in before.schemes)
    return Change(
        protocols=tuple(one for key, one in rules.protocols.items() if key not in before.protocols),
        policies=policies,
        schemes=schemes,
        books=tuple(
            (kind, book) for (kind, version), book in rules.books.items() if (kind, version) not in before.books
        ),
        policy_for_all=next((one.name for one in policies if one.name not in before.policy_names()), None),
        scheme_for_all=next((one.name for one in schemes if one.name not in before.scheme_names()), None),
    )


def rules_as_of(rules: Rules, versions: Versions) -> Rules:
    """The rules that a decision names.

    Raises:
        RulesGone: some of them are not here; names them.
    """
    missing: list[str] = []
    policies: list[Policy] = []
    schemes: list[GradingScheme] = []
    books: dict[str, Book] = {}
    learned = dict(rules.book_versions).get(OUTCOMES)
    for what, text in versions:
        name, version, sha256 = _read(text)
        found: Protocol | Policy | GradingScheme | Book | None
        if what == "protocol":
            found = rules.protocols.get((name, version))
        elif what == "policy":
            found = rules.policies.get((name, version))
            policies += [found] if found is not None else []
        elif what == "scheme":
            found = rules.schemes.get((name, version))
            schemes += [found] if found is not None else []
        elif what == OUTCOMES:
            if text != learned:
                missing.append(f"what the station had learned by then ({text.partition(' ')[0]})")
            continue
        else:
            found = rules.books.get((what, version))
            if found is not None:
                books[what] = found
        if found is None or found.sha256 != sha256:
            missing.append(f"{what} {name}@{version}")
    if missing:
        raise RulesGone(tuple(missing))
    used = tuple((what, text) for what, text in versions if what not in _OWN)
    return _with(rules, policies, schemes, books, used, complete=True)


def changed(rules: Rules, change: Change) -> Rules:
    """The rules with the change in force."""
    books = dict(change.books)
    used = tuple(
        (what, f"{what}@{books[what].version} {books[what].sha256}" if what in books else text)
        for what, text in rules.book_versions
    )
    new = tuple(
        (what, f"{what}@{book.version} {book.sha256}") for what, book in books.items() if what not in dict(used)
    )
    return _with(rules, change.policies, change.schemes, books, (*used, *new), complete=False)


def _with(
    rules: Rules,
    policies: Iterable[Policy],
    schemes: Iterable[GradingScheme],
    books: Mapping[str, Book],
    used: Versions,
    *,
    complete: bool,
) -> Rules:
    """The rules with these files current.

    Args:
        complete: books that are not named did not exist.
    """

    def book(kind: str, now: Book, absent: Book | None = None) -> Book:
        return books.get(kind, absent if complete and absent is not None else now)

    axes, gates = book("axes", rules.axes), book("gates", rules.gates)
    routes, reasons = book("routes", rules.routes), book("reasons", rules.reasons)
    totes, recalls = book("totes", rules.totes), book("recalls", rules.recalls, NO_RECALLS)
    recovery = book("recovery", rules.recovery.book, NO_RECOVERY.book)
    assert isinstance(axes, AxisBook)
    assert isinstance(gates, GateBook)
    assert isinstance(routes, RouteBook)
    assert isinstance(reasons, ReasonBook)
    assert isinstance(totes, ToteBook)
    assert isinstance(recalls, RecallBook)
    assert isinstance(recovery, RecoveryBook)
    keeps_learned = OUTCOMES in dict(used) or recovery is rules.recovery.book
    return replace(
        rules,
        axes=axes,
        gates=gates,
        routes=routes,
        reasons=reasons,
        totes=totes,
        recalls=recalls,
        recovery=rules.recovery if keeps_learned else NO_RECOVERY if recovery is NO_RECOVERY.book else ready(recovery),
        book_versions=used,
        _current_policies={**rules.current_policies} | {policy.name: policy for policy in policies},
        _current_schemes={**rules.current_schemes} | {scheme.name: scheme for scheme in schemes},
        _quiet=frozenset(rule.id for rule in gates.gates if rule.quiet),
    )


def _read(text: str) -> tuple[str, int, str]:
    name, _, rest = text.partition("@")
    version, _, sha256 = rest.partition(" ")
    if not (name and version.isascii() and version.isdigit()):
        raise InvalidInput(f"the record names a rule file {text!r}; expected id@version and its hash")
    return name, int(version), sha256
