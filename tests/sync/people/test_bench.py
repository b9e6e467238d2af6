"""Badge and PIN at a real bench: people through the real feed, tries on a real disk, keys in a real vault."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.errors import OperatorError
from station.people import Proof, Reason, Refused, Role, SignedIn
from station.store import Store, backup
from sync.client.api import HttpApi
from sync.client.enrol import enrol
from sync.client.identity import Identity
from sync.client.loop import SyncLoop
from sync.client.people import PEPPER, SITE_KEY, PeopleKeys, SignIn
from sync.client.vault import Vault
from sync.protocol.people import PersonRequest
from sync.server.access.register import Register
from tests.conftest import WarningsOnTheLog
from tests.sync.material import SWIFT
from tests.sync.people.conftest import MakeServer
from tests.sync.people.material import KEY, PeopleServer

PIN = "409127"
STATION = "bench-1"


class NoKeyring:
    """A key store that forgets: secrets go into files."""

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        pass

    def delete_password(self, service: str, username: str) -> None:
        pass


class Moved(SystemClock):
    """Real time, put forward by the tests."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()


@dataclass
class Bench:
    """An enrolled folder with its store open."""

    home: Path
    server: PeopleServer
    identity: Identity
    clock: Moved
    store: Store
    boot: str = "boot-1"

    def __post_init__(self) -> None:
        self.open_keys()

    def open_keys(self) -> None:
        self.keys = PeopleKeys(self.store, Vault(self.home, NoKeyring()))
        self.door = SignIn(self.store, self.keys, self.clock, lambda: self.boot)

    def restart(self, boot: str | None = None) -> None:
        self.store.close()
        self.boot = boot or self.boot
        self.store = open_store(self.home, self.clock)
        self.open_keys()

    def fetch(self) -> None:
        """Run the loop until everything that the centre has of people is here."""
        api = HttpApi(self.server.url, token=None, clock=self.clock, identity=self.identity)
        loop = SyncLoop(self.store, api, self.clock, random.Random(5), SWIFT, feed=self.store, people=self.keys)
        before, end = self.store.feed_mark("people").complete_at, time.monotonic() + 20

        def done() -> bool:
            assert time.monotonic() < end, "the people did not come"
            mark = self.store.feed_mark("people")
            return not mark.refetching and mark.complete_at not in (None, before)

        try:
            loop.run(done, lambda state: None)
        finally:
            api.close()


def open_store(home: Path, clock: Moved) -> Store:
    return Store.open(home, station=STATION, clock=clock, ballast_bytes=0)


def a_person(server: PeopleServer, person: str, *roles: Role, pin: str | None = PIN) -> str:
    """Somebody of this site; returns the badge."""
    register = server.people.register
    register.put("main", person, PersonRequest(person.title()), by="test")
    for role in roles:
        register.give("main", person, role, by="test")
    if pin is not None:
        register.set_pin("main", person, pin, by="test")
    return register.issue_badge("main", person, by="test")


@pytest.fixture
def server(make_server: MakeServer) -> PeopleServer:
    return make_server(clock=SystemClock())


@pytest.fixture
def bench(server: PeopleServer, tmp_path: Path) -> Iterator[Bench]:
    clock, home = Moved(), tmp_path / "bench"
    code = Register(server.service.database, SystemClock()).open_code("main", STATION, "test").code
    api = HttpApi(server.url, token=None, clock=clock)
    identity = enrol(home, server.url, code, api, clock, Vault(home, NoKeyring()))
    api.close()
    made = Bench(home, server, identity, clock, open_store(home, clock))
    yield made
    made.store.close()


def refusal(found: SignedIn | Refused) -> Reason:
    assert isinstance(found, Refused), found
    assert found.text
    return found.reason


# who gets in


def test_badge_and_pin_through_the_real_feed(server: PeopleServer, bench: Bench) -> None:
    badge = a_person(server, "mia", Role.INSPECTOR)
    assert refusal(bench.door.sign_in(badge, PIN)) is Reason.NOT_READY
    bench.fetch()
    found = bench.door.sign_in(badge, PIN)
    assert found == SignedIn("mia", "Mia", frozenset({Role.INSPECTOR}), Proof.BADGE_AND_PIN, verified=True)
    assert refusal(bench.door.sign_in("BDG-0000000000", PIN)) in (Reason.NOT_A_BADGE, Reason.UNKNOWN_BADGE)
    assert refusal(bench.door.sign_in("4006381333931")) is Reason.NOT_A_BADGE
    unset = a_person(server, "tom", Role.INSPECTOR, pin=None)
    nobody = a_person(server, "eve")
    bench.fetch()
    assert refusal(bench.door.sign_in(unset, PIN)) is Reason.NO_PIN_SET
    assert refusal(bench.door.sign_in(nobody, PIN)) is Reason.NO_ROLE
    by_badge = bench.door.sign_in(unset)
    assert isinstance(by_badge, SignedIn)
    assert not by_badge.proven


def test_offline_after_a_restart_and_marked_when_the_news_is_old(server: PeopleServer, bench: Bench) -> None:
    badge = a_person(server, "mia", Role.LEAD)
    bench.fetch()
    server.stop()
    try:
        bench.restart("boot-2")
        found = bench.door.sign_in(badge, PIN)
        assert isinstance(found, SignedIn)
        assert found.proven
        bench.clock.ahead = timedelta(days=15)
        old = bench.door.sign_in(badge, PIN)
        assert isinstance(old, SignedIn)
        assert (old.verified, old.proven) == (False, False)
    finally:
        server._start()


@pytest.mark.parametrize("how", ["disabled", "role ended", "badge replaced", "pin replaced"])
def test_what_the_centre_took_away_is_gone_when_the_feed_came(server: PeopleServer, bench: Bench, how: str) -> None:
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    register = server.people.register
    expected = Reason.DISABLED
    if how == "disabled":
        register.set_active("main", "mia", False, by="test")
    elif how == "role ended":
        register.end("main", "mia", Role.INSPECTOR, by="test")
        expected = Reason.NO_ROLE
    elif how == "badge replaced":
        register.issue_badge("main", "mia", by="test")
        expected = Reason.UNKNOWN_BADGE
    else:
        register.set_pin("main", "mia", "770315", by="test")
        expected = Reason.WRONG_PIN
    assert isinstance(bench.door.sign_in(badge, PIN), SignedIn), "before the feed came: the bench cannot know"
    bench.fetch()
    assert refusal(bench.door.sign_in(badge, PIN)) is expected


# guessing


def lock(bench: Bench, badge: str) -> float:
    for _ in range(4):
        assert refusal(bench.door.sign_in(badge, "000001")) is Reason.WRONG_PIN
    last = bench.door.sign_in(badge, "000001")
    assert isinstance(last, Refused)
    return last.wait_s


def test_the_wait_survives_a_restart_of_the_program_and_of_the_machine(server: PeopleServer, bench: Bench) -> None:
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    assert lock(bench, badge) == 30.0
    bench.restart()
    assert refusal(bench.door.sign_in(badge, PIN)) is Reason.LOCKED
    bench.clock.ahead += timedelta(seconds=20)
    bench.restart("boot-2")
    found = bench.door.sign_in(badge, PIN)
    assert isinstance(found, Refused)
    assert 29.0 < found.wait_s <= 30.0, "after a reboot the wait begins again"
    bench.clock.ahead += timedelta(seconds=31)
    assert isinstance(bench.door.sign_in(badge, PIN), SignedIn)
    assert bench.store.lockouts.state("mia").failures == 0


def test_without_the_table_a_restart_would_end_the_wait(server: PeopleServer, bench: Bench) -> None:
    """Negative control: counts in memory are gone with the program."""
    from station.people import MemoryLockouts, Moment, Roster, open_sealed

    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    keys, people = bench.keys.keys(), [open_sealed(one.body) for one in bench.store.feed_items("people")]
    assert keys is not None

    def roster() -> Roster:
        return Roster(people, keys, MemoryLockouts(), bench.clock.now())

    now = Moment(bench.clock.now(), bench.clock.monotonic(), "boot-1")
    first = roster()
    for _ in range(5):
        first.sign_in(badge, "000001", now)
    assert refusal(first.sign_in(badge, PIN, now)) is Reason.LOCKED
    assert isinstance(roster().sign_in(badge, PIN, now), SignedIn)


KILLED = """
import sys
from pathlib import Path
from station.clock import SystemClock
from station.store import Store
from sync.client.people import PeopleKeys, SignIn
from sync.client.vault import Vault
from tests.sync.people.test_bench import NoKeyring, STATION

home, badge = Path(sys.argv[1]), sys.stdin.readline().strip()
store = Store.open(home, station=STATION, clock=SystemClock(), ballast_bytes=0)
door = SignIn(store, PeopleKeys(store, Vault(home, NoKeyring())), SystemClock(), lambda: "boot-1")
while True:
    print(door.sign_in(badge, "000001").reason, flush=True)
"""


def test_a_killed_program_gives_no_try_back(server: PeopleServer, bench: Bench) -> None:
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    bench.store.close()
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(bench.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(badge + "\n")
        child.stdin.flush()
        said = [child.stdout.readline().strip() for _ in range(6)]
        child.send_signal(signal.SIGKILL)
    assert said == ["wrong_pin"] * 5 + ["locked"]
    bench.store = open_store(bench.home, bench.clock)
    bench.open_keys()
    assert refusal(bench.door.sign_in(badge, PIN)) is Reason.LOCKED
    assert bench.store.lockouts.state("mia").failures == 5


def test_tries_at_once_are_all_counted(server: PeopleServer, bench: Bench) -> None:
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    found: list[Reason] = []
    tries = [threading.Thread(target=lambda: found.append(refusal(bench.door.sign_in(badge, "1")))) for _ in range(8)]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert sorted(found) == [Reason.LOCKED] * 3 + [Reason.WRONG_PIN] * 5


def test_only_a_proven_lead_ends_a_wait(server: PeopleServer, bench: Bench) -> None:
    badge, lead = a_person(server, "mia", Role.INSPECTOR), a_person(server, "ida", Role.LEAD, pin="770315")
    bench.fetch()
    lock(bench, badge)
    claims, proves = bench.door.sign_in(lead), bench.door.sign_in(lead, "770315")
    assert isinstance(claims, SignedIn)
    assert isinstance(proves, SignedIn)
    with pytest.raises(OperatorError, match="needs your PIN"):
        bench.door.unlock("mia", claims)
    bench.door.unlock("mia", proves)
    assert isinstance(bench.door.sign_in(badge, PIN), SignedIn)


# keys


def test_people_are_not_asked_for_before_the_keys_are_here(server: PeopleServer, bench: Bench) -> None:
    a_person(server, "mia", Role.INSPECTOR)
    api = HttpApi(server.url, token=None, clock=bench.clock, identity=bench.identity)
    loop = SyncLoop(bench.store, api, bench.clock, random.Random(5), SWIFT, feed=bench.store)  # nothing that seals
    end = time.monotonic() + 20

    def others_are_here() -> bool:
        assert time.monotonic() < end
        return bench.store.feed_mark("settings").complete_at is not None

    loop.run(others_are_here, lambda state: None)
    api.close()
    assert bench.store.feed_items("people") == ()
    assert bench.store.feed_mark("people").cursor is None


@pytest.mark.parametrize("lost", ["pepper", "everything", "pepper is garbage"])
def test_people_come_again_when_the_keys_are_others(server: PeopleServer, bench: Bench, lost: str) -> None:
    """A vault that was lost, or a database that came from another PC: sealed anew, and nobody before that."""
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    before = bench.store.feed_items("people")
    vault = Vault(bench.home, NoKeyring())
    if lost == "pepper is garbage":
        vault.keep(PEPPER, "x" * 64)
    else:
        vault.forget(PEPPER)
        if lost == "everything":
            vault.forget(SITE_KEY)
    bench.restart()
    assert refusal(bench.door.sign_in(badge, PIN)) is Reason.NOT_READY
    bench.fetch()
    assert isinstance(bench.door.sign_in(badge, PIN), SignedIn)
    assert bench.store.feed_items("people") != before


def test_a_person_of_a_newer_centre_is_counted_and_never_let_in(
    server: PeopleServer, bench: Bench, expected_warnings: WarningsOnTheLog
) -> None:
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    with server.service.database.writing() as connection:
        from sync.protocol import Topic
        from sync.server.feed import Change

        change = Change("mia", {"id": "mia", "name": "Mia", "active": "perhaps", "roles": [], "pin": "new kind"})
        server.service.feed.put(connection, "main", Topic.PEOPLE, [change], SystemClock().now())
    bench.fetch()
    assert [record.body for record in bench.store.feed_items("people")] == [b"null"]
    assert refusal(bench.door.sign_in(badge, PIN)) is Reason.UNKNOWN_BADGE
    expected_warnings("cannot sign in here")


# secrets


def test_no_secret_is_in_database_log_or_backup(
    server: PeopleServer, bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    badge = a_person(server, "mia", Role.INSPECTOR)
    bench.fetch()
    for pin in ("000001", PIN):
        bench.door.sign_in(badge, pin)
    backup.back_up(bench.home, tmp_path / "backup", SystemClock())
    backup.export_unsent(bench.home, tmp_path / "unsent.zip")
    bench.store.close()
    site = KEY.site("main")
    with server.service.database.reading() as connection:
        (row,) = connection.exec_driver_sql("SELECT badge, pin FROM people").all()
    keys = bench.keys.keys()
    assert keys is not None
    digest = row.pin.rpartition("$")[2]
    secrets = {
        "PIN": PIN, "badge": badge, "badge's HMAC": row.badge, "verifier": row.pin, "its hash": digest,
        "site key": site.key.hex(), "pepper": keys.pepper.hex(),
    }  # fmt: skip
    raw = {"site key": site.key, "pepper": keys.pepper}
    kept = bench.home / "secrets"
    files = [path for path in (*bench.home.rglob("*"), *tmp_path.rglob("backup/**/*"), tmp_path / "unsent.zip")
             if path.is_file() and kept not in path.parents]  # fmt: skip
    assert any(path.name == "station.db" for path in files)
    found = [
        (name, path.name)
        for path in files
        for content in [path.read_bytes()]
        for name, secret in [*secrets.items(), *raw.items()]
        if (secret.encode() if isinstance(secret, str) else secret) in content
    ]
    assert found == []
    assert not [name for name, secret in secrets.items() if secret in caplog.text]
    # negative control: the scan does find what is there
    assert any(keys.pepper.hex().encode() in path.read_bytes() for path in kept.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.iterdir())
