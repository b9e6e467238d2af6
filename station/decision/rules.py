"""All rule files, loaded once and checked against each other: protocols, schemes, policies, gates, routes, totes.

A file says what it is by its ``kind``; the folder it lies in means nothing, so a merchant's own folder can hold all of
it. Later folders come on top: a file with a new name or a higher version adds to what is there. One name and version
always means one content. Gates, routes, axes, reasons and totes are one book each: the highest version counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from station.assets import asset
from station.canonical import canonical_json
from station.decision.books import ReasonBook, RouteBook, ToteBook, check_reasons
from station.decision.decay import check_decay
from station.decision.gates import GateBook, check_gates
from station.decision.model import Disposition
from station.decision.outward import OutwardMap, check_outward
from station.decision.recall import NO_RECALLS, RecallBook, check_recalls
from station.decision.recovery import NO_RECOVERY, Cell, Recovery, RecoveryBook, check_recovery, ready
from station.decision.scheme import AxisBook, GradingScheme, check_scheme
from station.errors import InvalidInput
from station.inspection.protocol import Condition, Protocol
from station.inspection.protocol_file import protocol_of
from station.inspection.protocol_selection import AmbiguousPrecedence, Selection, select_protocol, ties
from station.returns.model import CatalogueItem, Trait
from station.returns.policy import Policy
from station.toml_file import TomlFile, did_you_mean, read_toml, typed

V = TypeVar("V")
Book: TypeAlias = AxisBook | GateBook | RouteBook | ReasonBook | ToteBook | RecallBook | RecoveryBook
B = TypeVar("B", AxisBook, GateBook, RouteBook, ReasonBook, ToteBook, RecallBook, RecoveryBook)

KINDS = (
    "protocol", "policy", "grading_scheme", "axes", "gates", "routes", "reasons", "totes", "recalls", "recovery",
    "outward",
)  # fmt: skip

OUTCOMES = "outcomes"
"""Name under which a decision's versions say what the station had learned: number of outcomes and the hash of their
sums."""

_TRAITS = tuple(trait.value for trait in Trait)


def default_folders() -> tuple[Path, ...]:
    """The folders of this installation."""
    return (asset("protocols"), asset("policies"), asset("grading"))


def folders_for(home: Path) -> tuple[Path, ...]:
    """The installation's folders, and the site's own ``rules`` folder on top where there is one."""
    own = home / "rules"
    return (*default_folders(), own) if own.is_dir() else default_folders()


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision is made by."""

    protocols: Mapping[tuple[str, int], Protocol]
    latest: tuple[Protocol, ...]
    """The highest version of each protocol."""
    policies: Mapping[tuple[str, int], Policy]
    schemes: Mapping[tuple[str, int], GradingScheme]
    axes: AxisBook
    gates: GateBook
    routes: RouteBook
    reasons: ReasonBook
    totes: ToteBook
    sources: Mapping[tuple[str, str, int], str]
    """(kind, name, version) → file."""
    book_versions: tuple[tuple[str, str], ...] = ()
    recovery: Recovery = NO_RECOVERY
    """What was learned from outcomes; a station without such a file goes by the schemes' own shares."""
    recalls: RecallBook = NO_RECALLS
    outward: tuple[OutwardMap, ...] = ()
    """The newest of each table of others' words, by name. No decision looks at them."""
    books: Mapping[tuple[str, int], Book] = field(default_factory=dict)
    """(kind, version) → every version of the books that was found; the newest counts unless a decision of then is made
    again (``station.decision.as_of``)."""
    _current_policies: dict[str, Policy] = field(default_factory=dict, repr=False, compare=False)
    _current_schemes: dict[str, GradingScheme] = field(default_factory=dict, repr=False, compare=False)
    _quiet: frozenset[str] = frozenset()

    def protocol_for(self, item: CatalogueItem) -> Protocol | None:
        """The protocol that fits best (SKU, then merchant + category, then category); None = unmapped: hold."""
        return self.select(item).protocol

    def select(self, item: CatalogueItem) -> Selection:
        """The protocol for an article, and why this one."""
        return select_protocol(self.latest, item.merchant_id, item.sku, item.category)

    def protocol(self, protocol_id: str, version: int) -> Protocol | None:
        """One protocol as it was; None = this station does not have it."""
        return self.protocols.get((protocol_id, version))

    def policy(self, name: str) -> Policy:
        """The newest version of a policy.

        Raises:
            InvalidInput: there is none of that name.
        """
        return _named(self._current_policies, name, "policy")

    def scheme(self, name: str) -> GradingScheme:
        """The newest version of a grading scheme.

        Raises:
            InvalidInput: there is none of that name.
        """
        return _named(self._current_schemes, name, "grading scheme")

    def policy_names(self) -> tuple[str, ...]:
        return tuple(sorted(self._current_policies))

    def scheme_names(self) -> tuple[str, ...]:
        return tuple(sorted(self._current_schemes))

    @property
    def current_policies(self) -> Mapping[str, Policy]:
        """Name → the version that counts."""
        return self._current_policies

    @property
    def current_schemes(self) -> Mapping[str, GradingScheme]:
        """Name → the version that counts."""
        return self._current_schemes

    def with_outcomes(self, cells: Sequence[Cell]) -> Rules:
        """These rules with what a station has learned on top of the recovery file; the version names what it was."""
        if not cells:
            return self
        book = self.recovery.book
        learned = ready(msgspec.structs.replace(book, cells=(*book.cells, *cells)))
        count = sum(cell.n for cell in cells)
        digest = hashlib.sha256(canonical_json(msgspec.to_builtins(tuple(cells)))).hexdigest()
        return replace(
            self, recovery=learned, book_versions=(*self.book_versions, (OUTCOMES, f"{OUTCOMES}@{count} {digest}"))
        )

    def is_quiet(self, gate_id: str) -> bool:
        return gate_id in self._quiet


def _named(table: Mapping[str, V], name: str, what: str) -> V:
    found = table.get(name)
    if found is None:
        raise InvalidInput(f"no {what} {name!r}; {did_you_mean(name, list(table))}")
    return found


def load_rules(folders: Sequence[Path] | None = None) -> Rules:
    """Read all rule files below some folders (or single files) and check them against each other.

    Args:
        folders: later ones come on top; None = those of this installation.

    Raises:
        InvalidInput: a file is wrong in itself, two files disagree, or something names what does not exist.
    """
    found = _Found()
    for folder in default_folders() if folders is None else folders:
        if not folder.exists():
            raise InvalidInput(f"{folder}: no such file or folder of rules")
        for path in sorted(folder.rglob("*.toml")) if folder.is_dir() else [folder]:
            found.add(read_toml(path))
    return found.rules()


class _Found:
    """Files as they come in."""

    def __init__(self) -> None:
        self.protocols: dict[tuple[str, int], Protocol] = {}
        self.policies: dict[tuple[str, int], Policy] = {}
        self.schemes: dict[tuple[str, int], GradingScheme] = {}
        self.axes: dict[int, AxisBook] = {}
        self.gates: dict[int, GateBook] = {}
        self.routes: dict[int, RouteBook] = {}
        self.reasons: dict[int, ReasonBook] = {}
        self.totes: dict[int, ToteBook] = {}
        self.recovery: dict[int, RecoveryBook] = {}
        self.recalls: dict[int, RecallBook] = {}
        self.outward: dict[tuple[str, int], OutwardMap] = {}
        self.sources: dict[tuple[str, str, int], str] = {}
        self._hashes: dict[tuple[str, str, int], str] = {}

    def add(self, file: TomlFile) -> None:
        kind = file.table.get("kind")
        if kind == "protocol":
            protocol = protocol_of(file)
            self._note("protocol", protocol.id, protocol.version, file)
            self.protocols[protocol.id, protocol.version] = protocol
        elif kind == "policy":
            policy = msgspec.structs.replace(_plain(file, Policy), sha256=file.sha256)
            self._note("policy", policy.name, policy.version, file)
            self.policies[policy.name, policy.version] = policy
        elif kind == "grading_scheme":
            scheme = msgspec.structs.replace(_plain(file, GradingScheme), sha256=file.sha256)
            self._note("grading_scheme", scheme.name, scheme.version, file)
            self.schemes[scheme.name, scheme.version] = scheme
        elif kind == "axes":
            self._book(file, AxisBook, self.axes)
        elif kind == "gates":
            self._book(file, GateBook, self.gates)
        elif kind == "routes":
            self._book(file, RouteBook, self.routes)
        elif kind == "reasons":
            self._book(file, ReasonBook, self.reasons)
        elif kind == "totes":
            self._book(file, ToteBook, self.totes)
        elif kind == "recovery":
            self._book(file, RecoveryBook, self.recovery)
        elif kind == "recalls":
            self._book(file, RecallBook, self.recalls)
        elif kind == "outward":
            table = msgspec.structs.replace(_plain(file, OutwardMap), sha256=file.sha256)
            self._note("outward", table.name, table.version, file)
            self.outward[table.name, table.version] = table
        elif kind is None:
            raise InvalidInput(f"{file.source}: 'kind' is missing; the file must say what it is: {', '.join(KINDS)}")
        else:
            raise InvalidInput(f"{file.source}: kind = {kind!r}; {did_you_mean(str(kind), KINDS)}")

    def _book(self, file: TomlFile, type_: type[B], table: dict[int, B]) -> None:
        book = msgspec.structs.replace(_plain(file, type_), sha256=file.sha256)
        self._note(str(file.table["kind"]), "", book.version, file)
        table[book.version] = book

    def _note(self, kind: str, name: str, version: int, file: TomlFile) -> None:
        key = (kind, name, version)
        before = self._hashes.get(key)
        if before is not None and before != file.sha256:
            title = f"{kind} {name}".strip()
            raise InvalidInput(
                f"{file.source}: {title} version {version} is already in {self.sources[key]} with other content; "
                f"raise 'version' instead of changing what was used"
            )
        self._hashes[key] = file.sha256
        self.sources.setdefault(key, file.source)

    def rules(self) -> Rules:
        axes, gates = self._newest(self.axes, "axes"), self._newest(self.gates, "gates")
        routes, reasons = self._newest(self.routes, "routes"), self._newest(self.reasons, "reasons")
        totes = self._newest(self.totes, "totes")
        check_gates(gates, self.sources["gates", "", gates.version])
        self._check_routes(routes, axes)
        check_reasons(reasons, self.sources["reasons", "", reasons.version])
        for reason in reasons.reasons:
            axes.check_levels(reason.evidence, f"{self.sources['reasons', '', reasons.version]}: {reason.code!r}")
        for (name, version), scheme in self.schemes.items():
            check_scheme(scheme, axes, self.sources["grading_scheme", name, version])
        for policy in self.policies.values():
            self._check_policy(policy, axes, reasons)
        for protocol in self.protocols.values():
            self._check_protocol(protocol, axes, gates, reasons)
        latest = _newest_by_name(self.protocols)
        self._check_precedence(latest)
        recalls = self.recalls[max(self.recalls)] if self.recalls else NO_RECALLS
        listed = (("recalls", recalls),) if self.recalls else ()
        learned = self.recovery[max(self.recovery)] if self.recovery else NO_RECOVERY.book
        check_recovery(learned, self.sources.get(("recovery", "", learned.version), "recovery"))
        recovered = (("recovery", learned),) if self.recovery else ()
        check_recalls(recalls, self.sources.get(("recalls", "", recalls.version), "recalls"))
        books = (("axes", axes), ("gates", gates), ("routes", routes), ("reasons", reasons), ("totes", totes))
        return Rules(
            protocols=self.protocols,
            latest=tuple(latest.values()),
            policies=self.policies,
            schemes=self.schemes,
            axes=axes,
            gates=gates,
            routes=routes,
            reasons=reasons,
            totes=totes,
            sources=self.sources,
            book_versions=tuple(
                (name, f"{name}@{book.version} {book.sha256}") for name, book in (*books, *listed, *recovered)
            ),
            recovery=ready(learned) if self.recovery else NO_RECOVERY,
            recalls=recalls,
            outward=self._outward(reasons),
            books=self._books(),
            _current_policies=_newest_by_name(self.policies),
            _current_schemes=_newest_by_name(self.schemes),
            _quiet=frozenset(rule.id for rule in gates.gates if rule.quiet),
        )

    def _outward(self, reasons: ReasonBook) -> tuple[OutwardMap, ...]:
        schemes, codes = tuple(_newest_by_name(self.schemes).values()), [reason.code for reason in reasons.reasons]
        for (name, version), table in self.outward.items():
            check_outward(table, schemes, codes, self.sources["outward", name, version])
        return tuple(_newest_by_name(self.outward).values())

    def _books(self) -> dict[tuple[str, int], Book]:
        tables: tuple[tuple[str, Mapping[int, Book]], ...] = (
            ("axes", self.axes), ("gates", self.gates), ("routes", self.routes), ("reasons", self.reasons),
            ("totes", self.totes), ("recalls", self.recalls), ("recovery", self.recovery),
        )  # fmt: skip
        return {(kind, version): book for kind, table in tables for version, book in table.items()}

    @staticmethod
    def _newest(table: Mapping[int, B], kind: str) -> B:
        if not table:
            raise InvalidInput(f"no rule file of kind {kind!r} was found; one is needed")
        return table[max(table)]

    def _check_routes(self, book: RouteBook, axes: AxisBook) -> None:
        source = self.sources["routes", "", book.version]
        seen: set[Disposition] = set()
        for route in book.routes:
            where = f"{source}: route {route.disposition.value!r}"
            if route.disposition in seen:
                raise InvalidInput(f"{where} is there twice")
            if route.only_found and not route.only_found_text:
                raise InvalidInput(f"{where}: say why in 'only_found_text'")
            if route.disposition in (Disposition.QUARANTINE, Disposition.MISSING):
                raise InvalidInput(f"{where} is no way to choose by value: leave it out")
            seen.add(route.disposition)
            axes.check_levels(route.needs, where)
            axes.check_levels(route.pointless_at, where)
            if (route.needs and not route.needs_text) or (route.pointless_at and not route.pointless_text):
                raise InvalidInput(f"{where}: say why in 'needs_text' and 'pointless_text'")
        for decay in book.decays:
            check_decay(decay, source)

    def _check_policy(self, policy: Policy, axes: AxisBook, reasons: ReasonBook) -> None:
        where = self.sources["policy", policy.name, policy.version]
        for deduction in policy.deductions:
            axes.check_levels({deduction.axis: deduction.at_most}, f"{where}: deduction {deduction.reason!r}")
        axes.check_levels(policy.customs.unused_needs, f"{where}: customs.unused_needs")
        for code in (*policy.shipping.by_reason, *policy.fees.unless_reasons, *policy.customs.used_reasons):
            if reasons.reason(code) is None:
                known = [reason.code for reason in reasons.reasons]
                raise InvalidInput(f"{where}: unknown reason {code!r}; {did_you_mean(code, known)}")

    def _check_protocol(self, protocol: Protocol, axes: AxisBook, gates: GateBook, reasons: ReasonBook) -> None:
        source = self.sources["protocol", protocol.id, protocol.version]
        codes, ids = [reason.code for reason in reasons.reasons], [rule.id for rule in gates.gates]

        def known(words: Sequence[str], table: Sequence[str], what: str, where: str) -> None:
            for word in words:
                if word not in table:
                    raise InvalidInput(f"{source}: {where}: unknown {what} {word!r}; {did_you_mean(word, list(table))}")

        def check(condition: Condition, where: str) -> None:
            known(condition.reasons, codes, "reason", where)
            known(condition.traits, _TRAITS, "trait", where)

        known(protocol.axes, [axis.id for axis in axes.axes], "axis", "axes")
        known(protocol.unasked, ids, "gate", "unasked")
        for shot in protocol.shots:
            check(shot.when, f"shot {shot.id!r}")
        for shortcut in protocol.shortcuts:
            known(shortcut.unless_reasons, codes, "reason", f"shortcut {shortcut.code!r}")
        for question in protocol.questions:
            check(question.when, f"question {question.id!r}")
            for choice in question.choices:
                where = f"choice {choice.id!r} of question {question.id!r}"
                axes.check_levels(choice.axes or {}, f"{source}: {where}")
                unjudged = [axis for axis in choice.axes or {} if not protocol.judges(axis)]
                if unjudged:
                    raise InvalidInput(f"{source}: {where}: {unjudged[0]!r} is not in 'axes' of this protocol")
                known((*choice.gates, *choice.clears), ids, "gate", where)
                known((choice.found_reason,) if choice.found_reason is not None else (), codes, "reason", where)

    def _check_precedence(self, latest: Mapping[str, Protocol]) -> None:
        for tie in ties(latest.values()):
            later = latest[tie.protocols[-1]]
            source = self.sources["protocol", later.id, later.version]
            raise AmbiguousPrecedence(
                f"{source}: {tie.applies} already belongs to protocol {tie.protocols[0]!r}; one of them must give way"
            )


def _plain(file: TomlFile, type_: type[V]) -> V:
    if "sha256" in file.table:
        raise InvalidInput(f"{file.source}: unknown key 'sha256': the hash is computed, leave it out")
    return typed(file, type_)


def _newest_by_name(table: Mapping[tuple[str, int], V]) -> dict[str, V]:
    newest: dict[str, V] = {}
    for name, version in sorted(table):
        newest[name] = table[name, version]
    return newest
