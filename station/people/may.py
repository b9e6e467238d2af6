"""Who may what: one table, asked by the bench to be helpful and by the server to be safe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from station.errors import OperatorError
from station.people.person import Role


class Act(StrEnum):
    """What somebody wants to do at a bench or at the centre."""

    INSPECT = "inspect"
    VOID_OWN = "void_own"
    """Undo what one confirmed oneself."""
    VOID_ANY = "void_any"
    OVERRIDE = "override"
    """Choose another route than the one proposed. Passes no gate."""
    PASS_GATE = "pass_gate"
    """Use a recorded derogation."""
    DECIDE_HELD = "decide_held"
    """Settle a contested or held unit."""
    UNLOCK = "unlock"
    """End somebody's wait after wrong PINs."""
    SET_UP_BENCH = "set_up_bench"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_BENCHES = "manage_benches"
    READ_FIGURES = "read_figures"
    READ_RECORD = "read_record"


@dataclass(frozen=True, slots=True)
class Permission:
    """What one act asks for."""

    roles: frozenset[Role]
    needs_pin: bool = True
    """A badge alone is a claim; this act needs the proof."""
    second_person: bool = False
    """Somebody else with one of the roles must agree. Source: OWASP ASVS 5.0, 2.3.5."""


def _by(*roles: Role, needs_pin: bool = True, second_person: bool = False) -> Permission:
    return Permission(frozenset(roles), needs_pin, second_person)


PERMISSIONS: Final[dict[Act, Permission]] = {
    Act.INSPECT: _by(Role.INSPECTOR, Role.LEAD, needs_pin=False),
    Act.VOID_OWN: _by(Role.INSPECTOR, Role.LEAD, needs_pin=False),
    Act.VOID_ANY: _by(Role.LEAD),
    Act.OVERRIDE: _by(Role.INSPECTOR, Role.LEAD),
    Act.PASS_GATE: _by(Role.LEAD, second_person=True),
    Act.DECIDE_HELD: _by(Role.LEAD),
    Act.UNLOCK: _by(Role.LEAD, Role.ADMIN),
    Act.SET_UP_BENCH: _by(Role.ADMIN),
    Act.MANAGE_PEOPLE: _by(Role.ADMIN),
    Act.MANAGE_BENCHES: _by(Role.ADMIN),
    Act.READ_FIGURES: _by(Role.LEAD, Role.ADMIN, Role.AUDITOR),
    Act.READ_RECORD: _by(Role.LEAD, Role.AUDITOR),
}


def permit(
    act: Act,
    roles: Iterable[Role],
    *,
    person_id: str,
    proven: bool,
    second: tuple[str, Iterable[Role]] | None = None,
) -> None:
    """Go on only if this person may do this.

    Args:
        roles: at the time of the act.
        proven: by PIN, or by a password at the centre.
        second: who else agreed, proven too: id and roles.

    Raises:
        OperatorError: says who could.
    """
    needed = PERMISSIONS[act]
    wanted = " or ".join(sorted(needed.roles))
    if needed.roles.isdisjoint(roles):
        raise OperatorError(f"{act.value!r} needs the role {wanted}: ask somebody who has it")
    if needed.needs_pin and not proven:
        raise OperatorError(f"{act.value!r} needs your PIN as well as your badge")
    if not needed.second_person:
        return
    if second is None or second[0] == person_id or needed.roles.isdisjoint(second[1]):
        raise OperatorError(f"{act.value!r} needs a second person with the role {wanted}: ask one to sign in too")
