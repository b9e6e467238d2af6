"""The people of a site: added, changed, disabled; each change is in the benches' feed in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from station.clock import Clock
from station.errors import InvalidInput, OperatorError
from station.people import RFC9106_LOW_MEMORY, BadgeCode, Cost, Person, Role, RoleSpan, make_verifier, new_badge
from sync.protocol import Topic
from sync.protocol.people import HeldRole, PersonAnswer, PersonRequest
from sync.server.feed import Change, Feed
from sync.server.people.audit import Event, note
from sync.server.people.key import PeopleKey
from sync.server.people.passwords import Hasher, check_password
from sync.server.storage import Database
from sync.server.storage.rows_people import people, person_roles, sessions


class Register:
    """Adds and changes people. Blocks on the database; call it on a thread."""

    def __init__(
        self, database: Database, feed: Feed, key: PeopleKey, hasher: Hasher, clock: Clock,
        pin_cost: Cost = RFC9106_LOW_MEMORY,
    ) -> None:  # fmt: skip
        self._database = database
        self._feed = feed
        self._key = key
        self._hasher = hasher
        self._clock = clock
        self._pin_cost = pin_cost

    def put(self, site_id: str, person_id: str, wanted: PersonRequest, *, by: str, subject: str | None = None) -> bool:
        """Add somebody, or change name, login and merchant.

        Returns:
            Whether this person is new.

        Raises:
            InvalidInput: somebody else has the login.
        """
        at = self._clock.now()
        values = {"name": wanted.name, "login": wanted.login, "merchant_id": wanted.merchant, "changed_at": at}
        fresh = {
            "site_id": site_id, "id": person_id, "subject": subject, "active": True, "badge": None, "pin": None,
            "password": None, "created_at": at, **values,
        }  # fmt: skip
        try:
            with self._database.writing() as connection:
                before = _find(connection, site_id, person_id)
                if before is None:
                    connection.execute(people.insert(), fresh)
                else:
                    connection.execute(update(people).where(*_this(site_id, person_id)).values(**values))
                    if before.merchant_id != wanted.merchant:
                        end_sessions(connection, site_id, person_id)
                self._publish(connection, site_id, person_id, at)
        except IntegrityError as error:
            raise InvalidInput(f"the login {wanted.login!r} is taken: choose another") from error
        note(Event.PERSON_CHANGED, site_id, person=person_id, by=by, new=int(before is None))
        return before is None

    def give(self, site_id: str, person_id: str, role: Role, *, by: str) -> bool:
        """Let a role hold from now on; False = it holds already.

        Raises:
            OperatorError: nobody has this id.
        """

        def change(connection: Connection, at: datetime) -> bool:
            if connection.scalar(select(func.count()).where(*_held(site_id, person_id, role, at))):
                return False
            row = {
                "site_id": site_id, "person_id": person_id, "role": role.value, "since": at, "until": None,
                "given_by": by, "ended_by": None,
            }  # fmt: skip
            self._database.insert_all(connection, person_roles, [row])
            return True

        return self._change(site_id, person_id, change, Event.ROLE_GIVEN, by, role=role.value)

    def end(self, site_id: str, person_id: str, role: Role, *, by: str) -> bool:
        """Let a role hold no longer; False = it does not hold.

        Raises:
            OperatorError: nobody has this id, or nobody would be left to manage people.
        """

        def change(connection: Connection, at: datetime) -> bool:
            if role is Role.ADMIN:
                _keep_an_admin(connection, site_id, person_id, at)
            ended = connection.execute(
                update(person_roles).where(*_held(site_id, person_id, role, at)).values(until=at, ended_by=by)
            )
            return ended.rowcount > 0

        return self._change(site_id, person_id, change, Event.ROLE_ENDED, by, role=role.value)

    def set_active(self, site_id: str, person_id: str, active: bool, *, by: str) -> bool:
        """Let somebody in again, or nowhere any more; the roles stay as they are. False = it is so already.

        Raises:
            OperatorError: nobody has this id, or nobody would be left to manage people.
        """

        def change(connection: Connection, at: datetime) -> bool:
            if not active:
                _keep_an_admin(connection, site_id, person_id, at)
            changed = connection.execute(
                update(people)
                .where(*_this(site_id, person_id), people.c.active.is_not(active))
                .values(active=active, changed_at=at)
            )
            return changed.rowcount > 0

        event = Event.PERSON_ENABLED if active else Event.PERSON_DISABLED
        return self._change(site_id, person_id, change, event, by)

    def issue_badge(self, site_id: str, person_id: str, *, by: str) -> BadgeCode:
        """Give somebody a new badge; the one before is worth nothing from now on.

        Returns:
            The code, known to nobody but the caller: print it now.

        Raises:
            OperatorError: nobody has this id.
        """
        code = new_badge()
        self._set(site_id, person_id, "badge", self._key.site(site_id).badge(code), Event.BADGE_ISSUED, by, keep=True)
        return code

    def set_pin(self, site_id: str, person_id: str, pin: str, *, by: str) -> None:
        """Set the PIN for benches.

        Raises:
            InvalidInput: the PIN is not allowed.
            OperatorError: nobody has this id.
        """
        verifier = make_verifier(self._key.site(site_id), person_id, pin, self._pin_cost)
        self._set(site_id, person_id, "pin", verifier, Event.PIN_SET, by, keep=True)

    def set_password(self, site_id: str, person_id: str, password: str, *, by: str) -> None:
        """Set the password for the server; ends all sessions of this person.

        Raises:
            InvalidInput: the password is not allowed, or there is no login to go with it.
            OperatorError: nobody has this id.
        """
        found = self.person(site_id, person_id)
        if found.login is None:
            raise InvalidInput(f"{person_id!r} has no login to sign in with: give one first")
        kept = self._hasher.hash(check_password(password, found.name, found.login, person_id))
        self._set(site_id, person_id, "password", kept, Event.PASSWORD_SET, by)

    def person(self, site_id: str, person_id: str) -> PersonAnswer:
        """One person.

        Raises:
            OperatorError: nobody has this id.
        """
        with self._database.reading() as connection:
            found = _find(connection, site_id, person_id)
            if found is None:
                raise _nobody(person_id)
            return _answers(connection, site_id, [found])[0]

    def everybody(self, site_id: str) -> list[PersonAnswer]:
        """All people of a site, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(select(people).where(people.c.site_id == site_id).order_by(people.c.id)).all()
            return _answers(connection, site_id, rows)

    def site_key(self, site_id: str) -> str:
        """For the benches of a site, in hex."""
        return self._key.site(site_id).key.hex()

    def _set(
        self, site_id: str, person_id: str, column: str, value: str, event: Event, by: str, *, keep: bool = False
    ) -> None:
        def change(connection: Connection, at: datetime) -> bool:
            connection.execute(
                update(people).where(*_this(site_id, person_id)).values({column: value, "changed_at": at})
            )
            return True

        self._change(site_id, person_id, change, event, by, keep=keep)

    def _change(
        self, site_id: str, person_id: str, change: Callable[[Connection, datetime], bool], event: Event, by: str,
        *, keep: bool = False, **fields: str,
    ) -> bool:  # fmt: skip
        """In one transaction: the change, the end of the person's sessions, the feed."""
        at = self._clock.now()
        with self._database.writing() as connection:
            if _find(connection, site_id, person_id) is None:
                raise _nobody(person_id)
            if not change(connection, at):
                return False
            if not keep:
                end_sessions(connection, site_id, person_id)
            self._publish(connection, site_id, person_id, at)
        note(event, site_id, person=person_id, by=by, **fields)
        return True

    def _publish(self, connection: Connection, site_id: str, person_id: str, at: datetime) -> None:
        row = _find(connection, site_id, person_id)
        assert row is not None
        spans = [RoleSpan(held.role, held.since, held.until) for held in _spans(connection, site_id, [person_id])]
        body = Person(row.id, row.name, row.active, spans, row.badge, row.pin)
        self._feed.put(connection, site_id, Topic.PEOPLE, [Change(person_id, body)], at)


def end_sessions(connection: Connection, site_id: str, person_id: str) -> int:
    """End all sessions of a person; how many there were."""
    gone = connection.execute(delete(sessions).where(sessions.c.site_id == site_id, sessions.c.person_id == person_id))
    return gone.rowcount


def roles_now(connection: Connection, site_id: str, person_id: str, at: datetime) -> frozenset[str]:
    """The roles that hold."""
    query = select(person_roles.c.role).where(
        person_roles.c.site_id == site_id, person_roles.c.person_id == person_id, _holds(at)
    )
    return frozenset(connection.scalars(query))


def _find(connection: Connection, site_id: str, person_id: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(people).where(*_this(site_id, person_id))).one_or_none()


def _this(site_id: str, person_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return people.c.site_id == site_id, people.c.id == person_id


def _holds(at: datetime) -> ColumnElement[bool]:
    return and_(person_roles.c.since <= at, or_(person_roles.c.until.is_(None), person_roles.c.until > at))


def _held(site_id: str, person_id: str, role: Role, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        person_roles.c.site_id == site_id, person_roles.c.person_id == person_id,
        person_roles.c.role == role.value, _holds(at),
    )  # fmt: skip


def _keep_an_admin(connection: Connection, site_id: str, person_id: str, at: datetime) -> None:
    others = (
        select(func.count())
        .select_from(person_roles)
        .join(people, and_(people.c.site_id == person_roles.c.site_id, people.c.id == person_roles.c.person_id))
        .where(
            person_roles.c.site_id == site_id, person_roles.c.role == Role.ADMIN.value, _holds(at),
            people.c.active.is_(True),
        )
    )  # fmt: skip
    mine = connection.scalar(others.where(person_roles.c.person_id == person_id))
    if mine and not connection.scalar(others.where(person_roles.c.person_id != person_id)):
        raise OperatorError(f"{person_id!r} is the only admin of this site: make somebody else one first")


def _spans(connection: Connection, site_id: str, ids: Sequence[str]) -> Sequence[Row[tuple[object, ...]]]:
    here = (person_roles.c.site_id == site_id, person_roles.c.person_id.in_(ids))
    order = (person_roles.c.person_id, person_roles.c.since, person_roles.c.role)
    return connection.execute(select(person_roles).where(*here).order_by(*order)).all()


def _answers(connection: Connection, site_id: str, rows: Sequence[Row[tuple[object, ...]]]) -> list[PersonAnswer]:
    held: dict[str, list[HeldRole]] = {}
    for first in range(0, len(rows), 500):
        for span in _spans(connection, site_id, [row.id for row in rows[first : first + 500]]):
            role = HeldRole(span.role, span.since, span.given_by, span.until, span.ended_by)
            held.setdefault(span.person_id, []).append(role)
    return [
        PersonAnswer(
            row.id, row.name, row.active, held.get(row.id, []), row.login, row.merchant_id, row.badge is not None,
            row.pin is not None, row.password is not None,
        )
        for row in rows
    ]  # fmt: skip


def _nobody(person_id: str) -> OperatorError:
    return OperatorError(f"nobody here has the id {person_id[:80]!r}: see station people list")
