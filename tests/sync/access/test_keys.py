"""Where keys lie, how they change, and what happens when one is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import keyring
import pytest
from click.testing import CliRunner

from station.clock import SystemClock
from station.errors import InvalidInput, OperatorError, StoreFault, SyncFault
from station.journal.seal import is_countersigned
from station.private_file import read_private, write_private
from sync.client.api import HttpApi, Outcome
from sync.client.decide import Verdict
from sync.client.enrol import enrol, rotate
from sync.client.identity import ENROLMENT, load_identity, read_enrolment
from sync.client.vault import Rung, Vault
from sync.protocol import EnrolAnswer, RotateAnswer
from sync.server.access.signing import KEY_FILE, KEYS, load_key, pass_on_key
from tests.conftest import WarningsOnTheLog
from tests.sync.access.material import TOKEN, Bench, DoorServer, join, open_bench
from ui.cli.group import station


@dataclass
class Store:
    """A system's key store, as it may be found."""

    breaks: str = ""
    kept: dict[str, str] = field(default_factory=dict)

    def get_password(self, service: str, username: str) -> str | None:
        if self.breaks == "get":
            raise RuntimeError("the wallet is closed")
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.breaks == "set":
            raise KeyError("no backend")
        if self.breaks != "forgets":
            self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.breaks == "delete":
            raise OSError("locked")
        del self.kept[username]


# the ladder


def test_a_working_key_store_is_the_first_rung(tmp_path: Path) -> None:
    store = Store()
    vault = Vault(tmp_path, store)
    assert vault.keep("station-key", "secret") is Rung.KEYRING
    assert vault.read("station-key") == ("secret", Rung.KEYRING)
    assert not list(tmp_path.rglob("*key*"))
    assert Vault(tmp_path / "another", store).read("station-key") is None  # homes do not share
    vault.forget("station-key")
    vault.forget("station-key")
    assert vault.read("station-key") is None


@pytest.mark.parametrize("breaks", ["get", "set", "forgets"])
def test_one_that_does_not_work_is_passed_over(
    tmp_path: Path, breaks: str, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("key store does not", required=False)
    vault = Vault(tmp_path, Store(breaks))
    assert vault.keep("station-key", "secret") is Rung.FILE
    assert vault.read("station-key") == ("secret", Rung.FILE)
    path = tmp_path / "secrets" / "station-key"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_machine_without_a_key_store_gets_a_file(tmp_path: Path) -> None:
    """What a headless machine has: the real package with its backend that always fails."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[attr-defined]
    try:
        assert Vault(tmp_path).keep("station-key", "secret") is Rung.FILE
        assert Vault(tmp_path).read("station-key") == ("secret", Rung.FILE)
    finally:
        keyring.set_keyring(before)


def test_a_better_rung_leaves_nothing_on_the_lower(tmp_path: Path) -> None:
    Vault(tmp_path, Store("forgets")).keep("station-key", "old")
    vault = Vault(tmp_path, Store())
    assert vault.keep("station-key", "new") is Rung.KEYRING
    assert not (tmp_path / "secrets" / "station-key").exists()
    assert vault.read("station-key") == ("new", Rung.KEYRING)


def test_a_secret_that_others_could_read_is_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "x"
    write_private(path, b"secret")
    path.chmod(0o644)
    path.parent.chmod(0o755)
    assert read_private(path) == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not write_private(path, b"other", replace=False)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_private(path) == b"secret"


# joining


class LosesAnswers(HttpApi):
    """The request arrives, the answer does not."""

    lost = 0

    def enrol(self, code: str, public_key: str) -> Outcome[EnrolAnswer]:
        super().enrol(code, public_key)
        self.lost += 1
        return Outcome(Verdict.UNREACHABLE, "cut")

    def rotate(self, public_key: str, endorsement: str, possession: str) -> Outcome[RotateAnswer]:
        super().rotate(public_key, endorsement, possession)
        self.lost += 1
        return Outcome(Verdict.UNREACHABLE, "cut")


def test_a_lost_answer_to_the_enrolment_costs_no_code(door: DoorServer, tmp_path: Path) -> None:
    code, home, clock = door.code(), tmp_path / "bench", SystemClock()
    cut, whole = (kind(door.url, token=None, clock=clock) for kind in (LosesAnswers, HttpApi))
    try:
        with pytest.raises(SyncFault, match="did not come through: cut"):
            enrol(home, door.url, code, cut, clock)
        assert read_enrolment(home) is None
        identity = enrol(home, door.url, code.lower(), whole, clock)
        assert identity.key_id == door.table("SELECT key_id FROM stations")[0][0]
        with pytest.raises(OperatorError, match="this code is not good"):
            enrol(tmp_path / "thief", door.url, code, whole, clock)
    finally:
        cut.close()
        whole.close()


def test_a_folder_without_its_key_says_what_to_do(door: DoorServer, tmp_path: Path) -> None:
    join(door, tmp_path / "bench")
    (tmp_path / "bench" / "secrets" / "station-key").unlink()
    with pytest.raises(StoreFault, match=r"key of station 'bench-1' is not on this machine .* enrol the bench again"):
        load_identity(tmp_path / "bench", SystemClock())
    write_private(tmp_path / "bench" / "secrets" / "station-key", b"hunter2-is-no-key")
    with pytest.raises(InvalidInput, match="key is damaged") as caught:
        load_identity(tmp_path / "bench", SystemClock())
    assert "hunter2" not in str(caught.value)
    (tmp_path / "bench" / ENROLMENT).write_text("{")
    with pytest.raises(StoreFault, match="is damaged"):
        load_identity(tmp_path / "bench", SystemClock())
    assert load_identity(tmp_path / "nobody", SystemClock()) is None


def test_a_new_code_for_the_same_bench_ends_the_old_key(door: DoorServer, bench: Bench, tmp_path: Path) -> None:
    """The old PC died, or was stolen: the new one takes its place."""
    join(door, tmp_path / "new-pc")
    assert bench.api.hello("bench-1").verdict is Verdict.DENIED
    fresh = open_bench(door, tmp_path / "new-pc")
    try:
        assert fresh.api.hello("bench-1").verdict is Verdict.PROGRESS
    finally:
        fresh.close()


# a bench's next key


def test_a_bench_passes_its_key_on(door: DoorServer, bench: Bench) -> None:
    bench.record(2)
    bench.sync()
    before, token = bench.identity.key_id, bench.identity.token()
    rotate(bench.home, bench.identity, bench.api)
    assert bench.identity.key_id != before
    bench.record(2, first=10)
    bench.sync()
    loaded = load_identity(bench.home, SystemClock())
    assert loaded is not None
    assert loaded.key_id == bench.identity.key_id
    headers = {"Station-Protocol": "1", "Authorization": f"Bearer {token}"}
    assert httpx.get(door.url + "/v1/hello", headers=headers, trust_env=False).status_code == 401
    keys = door.table("SELECT key_id, follows FROM station_keys ORDER BY since")
    assert keys == [(before, None), (bench.identity.key_id, before)]
    assert [row[0] for row in door.table("SELECT key_id FROM batch_seals ORDER BY seq")] == [
        before, bench.identity.key_id
    ]  # fmt: skip


def test_a_rotation_that_was_cut_short_is_finished_the_next_time(door: DoorServer, bench: Bench) -> None:
    api = LosesAnswers(door.url, token=None, clock=SystemClock(), identity=bench.identity)
    try:
        with pytest.raises(SyncFault):
            rotate(bench.home, bench.identity, api)
    finally:
        api.close()
    assert bench.api.hello("bench-1").verdict is Verdict.DENIED  # the server has the next one already
    rotate(bench.home, bench.identity, bench.api)
    assert bench.api.hello("bench-1").verdict is Verdict.PROGRESS
    assert not (bench.home / "secrets" / "next-key").exists()


def test_nobody_else_can_give_a_bench_a_key(door: DoorServer, bench: Bench, tmp_path: Path) -> None:
    join(door, tmp_path / "other", "bench-2")
    other = load_identity(tmp_path / "other", SystemClock())
    assert other is not None
    from station.journal.seal import to_base64
    from sync.client.identity import make_key

    new = make_key()
    endorsement, possession = other.succeed(new)  # right in itself, but not this station's
    outcome = bench.api.rotate(to_base64(new.public), endorsement, possession)
    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "bad_signature")
    mine, _ = bench.identity.succeed(new)
    assert bench.api.rotate(to_base64(new.public), mine, mine).code == "bad_signature"  # not proven to be held
    assert bench.api.hello("bench-1").verdict is Verdict.PROGRESS


# the server's key


def test_the_servers_key_is_made_once_and_lies_apart(door: DoorServer) -> None:
    path = door.home / "server" / KEYS / KEY_FILE
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    first = load_key(path.parent)
    assert load_key(path.parent).id == first.id
    path.write_bytes(b"-----BEGIN NONSENSE-----")
    with pytest.raises(StoreFault, match="is damaged; put its copy back"):
        load_key(path.parent)


def test_a_server_key_that_was_passed_on_is_trusted(door: DoorServer, bench: Bench) -> None:
    bench.record(1)
    bench.sync()
    pinned = bench.identity.enrolment.server_key
    port = door.port
    with door.register() as register:
        old, new, endorsement = pass_on_key(door.home / "server" / KEYS, register.server_id)
        register.adopt(new, endorsement, old)
    door.stop()
    door.start(f"127.0.0.1:{port}")
    bench.record(1, first=5)
    bench.sync()
    assert bench.identity.enrolment.server_key != pinned
    (signed,) = bench.store.countersigned()
    assert signed.key == bench.identity.enrolment.server_key
    assert is_countersigned(signed)
    assert load_identity(bench.home, SystemClock()).enrolment == bench.identity.enrolment  # type: ignore[union-attr]


def test_a_server_key_that_was_lost_does_not_stop_the_line(
    door: DoorServer, bench: Bench, expected_warnings: WarningsOnTheLog
) -> None:
    """Records go on being taken; what the unknown key signs does not count, until IT enrols the bench again."""
    expected_warnings("another key, which the one before did not sign")
    expected_warnings("a countersignature does not count here")
    bench.record(1)
    bench.sync()
    (before,) = bench.store.countersigned()
    port = door.port
    door.stop()
    (door.home / "server" / KEYS / KEY_FILE).unlink()
    door.start(f"127.0.0.1:{port}")
    bench.record(1, first=5)
    assert bench.sync()[-1].unsent.entries == 0
    assert bench.store.countersigned() == (before,)
    keys = door.table("SELECT key_id, follows, endorsement FROM server_keys ORDER BY since")
    assert [(follows, endorsement) for _, follows, endorsement in keys] == [(None, None), (keys[0][0], None)]
    bench.close()
    join(door, bench.home)
    again = open_bench(door, bench.home)
    again.record(1, first=9)
    again.sync()
    assert again.store.countersigned()[-1].seq == 3
    bench.store, bench.api, bench.identity = again.store, again.api, again.identity


# nothing secret anywhere


def test_no_secret_is_in_a_log_a_database_or_an_answer(
    door: DoorServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    home = tmp_path / "bench"
    runner = CliRunner()
    named = ["--home", str(door.home), "server"]
    code = runner.invoke(station, [*named, "enrol-code", "--station", "bench-1"]).stdout.strip()
    shown = runner.invoke(station, ["--home", str(home), "enrol", code, "--server", door.url])
    assert "this bench is 'bench-1' of site 'main'" in shown.output
    assert "in a file that only this user may read" in shown.output
    refused = runner.invoke(station, ["--home", str(tmp_path / "x"), "enrol", code, "--server", door.url])
    assert isinstance(refused.exception, OperatorError)
    assert runner.invoke(station, ["--home", str(home), "enrol", "--new-key"]).exit_code == 0
    bench = open_bench(door, home)
    tokens = [bench.identity.token()]
    bench.record(3)
    bench.sync()
    assert "bench-1: enrolled key" in runner.invoke(station, [*named, "stations"]).output
    assert "is shut out" in runner.invoke(station, [*named, "revoke", "bench-1", "--reason", "lost"]).output
    assert bench.api.hello("bench-1").verdict is Verdict.REVOKED
    assert "may come in again" in runner.invoke(station, [*named, "unrevoke", "bench-1"]).output
    assert "signs with key" in runner.invoke(station, [*named, "rotate-key"]).output
    bench.close()
    secrets = [path for path in home.rglob("*") if path.parent.name == "secrets"]
    assert [path.name for path in secrets] == ["station-key"]
    letters = code.removeprefix("JOIN-")
    needles = [letters, letters.replace("-", ""), TOKEN, *tokens, secrets[0].read_text()]
    needles += [path.read_text().splitlines()[1] for path in (door.home / "server" / KEYS).glob("server-signing*")]
    assert len(needles) == 7
    places = {"log": caplog.text.encode(), "output": (shown.output + refused.output).encode()}
    places |= {
        str(path): path.read_bytes()
        for folder in (door.home, home)
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name not in (KEYS, "secrets")
    }
    assert any(name.endswith("server.sqlite3") for name in places)
    assert any(name.endswith("station.db") for name in places)
    leaks = [(name, needle[:6]) for name, content in places.items() for needle in needles if needle.encode() in content]
    assert leaks == []
    assert secrets[0].read_text() not in repr(bench.identity.__dict__)
    with closing(sqlite3.connect(door.database)) as db:  # the control: what is public is found by the same search
        public = db.execute("SELECT public_key FROM station_keys").fetchone()[0]
    assert any(public.encode() in content for content in places.values())
