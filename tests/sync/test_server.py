"""The server process over HTTP: start, stop, refusals, caps, photos."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner

import sync.server.storage.migrations
from station.errors import EnvironmentFault, InvalidInput, StoreFault
from sync.client.api import encode_push
from sync.server.photos import PhotoFolder, photo_folder
from sync.server.run import ServerSettings, choose_authenticator, parse_listen, serve
from sync.server.storage import database_url
from sync.server.storage.database import HEAD
from sync.server.storage.rows import metadata
from sync.server.storage.sqlite import SqliteDatabase as Database
from tests.sync.material import STATION, ServerProcess, jpeg_of, some_entries, until
from ui.cli.server import server as server_command

VERSION = {"Station-Protocol": "1"}


def ask(server: ServerProcess, method: str, path: str, **given: object) -> httpx.Response:
    headers = VERSION | given.pop("headers", {})
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        return client.request(method, path, headers=headers, **given)


# start and stop


def test_it_says_where_it_listens_and_ends_with_zero_on_sigterm(own_server: ServerProcess) -> None:
    assert own_server.url.startswith("http://127.0.0.1:")
    assert own_server.get("/v1/health").json() == {"live": True, "ready": True}
    assert own_server.stop() == 0
    for line in own_server.log().splitlines():
        json.loads(line)


def test_a_second_server_on_the_same_home_is_refused(shared_server: ServerProcess) -> None:
    with pytest.raises(EnvironmentFault, match=r"another server already uses the database .*sqlite3'"):
        serve(ServerSettings(shared_server.home, "127.0.0.1:0"), ready=lambda url: None)
    assert shared_server.get("/v1/health").status_code == 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"listen": "0.0.0.0:0"}, "without a token"),
        ({"listen": "0.0.0.0:0", "token": "short"}, "at least 16 printable"),
        ({"listen": "nonsense"}, "expected HOST:PORT"),
        ({"listen": "127.0.0.1:99999"}, "expected HOST:PORT"),
        ({"workers": 2}, "SQLite has one writer"),
        ({"database": "postgresql://db"}, "names no database"),
        ({"database": "oracle://db"}, "'oracle' is not supported"),
        ({"database": "::"}, "is not a URL"),
        ({"database": "sqlite://"}, "names no file"),
        ({"photos": "az://container"}, "az: is not supported"),
        ({"photos": "s3://key:secret@bucket"}, "credentials do not belong"),
    ],
)
def test_wrong_settings_are_refused_with_advice(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    given = {"listen": "127.0.0.1:0"} | settings
    with pytest.raises(InvalidInput, match=message):
        serve(ServerSettings(tmp_path, **given), ready=lambda url: pytest.fail("it listened"))


def test_with_a_token_it_may_listen_to_the_network() -> None:
    choose_authenticator("0.0.0.0", "x" * 16)
    choose_authenticator("::1", None)
    assert parse_listen("[::]:80") == ("::", 80)


def test_a_taken_port_is_the_environments_fault(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EnvironmentFault, match="is another server running"):
            serve(ServerSettings(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}"), ready=lambda url: None)


def test_the_command_has_help() -> None:
    shown = CliRunner().invoke(server_command, ["--help"])
    assert shown.exit_code == 0
    assert "--database" in shown.output


# who may ask what


def test_the_token_is_required_and_never_logged(tmp_path: Path) -> None:
    secret = "a-long-secret-of-the-floor"
    with ServerProcess(tmp_path / "home", environment={"STATION_SERVER_TOKEN": secret}) as server:
        assert ask(server, "GET", "/v1/health").status_code == 200
        for path in ("/v1/hello", "/v1/status"):
            refused = ask(server, "GET", path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert "STATION_SERVER_TOKEN" in refused.json()["error"]["advice"]
            assert (
                ask(server, "GET", path, headers={"Authorization": "Bearer wrong-secret-of-floor"}).status_code == 401
            )
            assert ask(server, "GET", path, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        assert ask(server, "POST", "/v1/journal", content=b"{}").status_code == 401
        assert ask(server, "PUT", f"/v1/photos/{'0' * 64}", content=b"x").status_code == 401
        assert secret not in server.log()


def test_another_version_is_told_so(shared_server: ServerProcess) -> None:
    assert ask(shared_server, "GET", "/v1/hello", headers={"Station-Protocol": "2"}).status_code == 426


@pytest.mark.parametrize("path", ["/v1/health", "/v1/hello", "/v1/status", "/v1/nothing", "/v1/journal"])
def test_nothing_is_cached(shared_server: ServerProcess, path: str) -> None:
    assert ask(shared_server, "GET", path).headers["cache-control"] == "no-store"


# bodies that mean harm


def bomb() -> bytes:
    """Half a gigabyte in three megabytes; made by the test that sends it, not by everyone who reads this file."""
    return gzip.compress(b"\x00" * 500_000_000, 1, mtime=0)[:3_000_000]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"", "", 400),
        (b"not json", "", 400),
        (b'{"station":"bench-1"}', "", 400),
        (b'{"station":"","entries":[]}', "", 400),
        (b'{"station":"bench-1","entries":[{}]}', "", 400),
        (b'{"station":"bench-1","entries":' + b"[" * 100_000, "", 400),
        (b'{"station":"bench-1","entries":[' + b"{}," * 401 + b"{}]}", "", 413),
        (b"\xff\xfe", "", 400),
        (b"not gzip", "gzip", 400),
        (gzip.compress(b'{"station":"b","entries":[]}')[:-4], "gzip", 400),
        (gzip.compress(b"x" * 5_000_000, mtime=0), "gzip", 413),
        (bomb, "gzip", 413),
        (b"x" * 5_000_000, "", 413),
        (zlib.compress(b"{}"), "deflate", 415),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, bytes) else getattr(value, "__name__", str(value)),
)
def test_bad_bodies_are_refused(
    shared_server: ServerProcess, body: bytes | Callable[[], bytes], encoding: str, status: int
) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    content = body if isinstance(body, bytes) else body()
    answer = ask(shared_server, "POST", "/v1/journal", content=content, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "advice"}
    assert answer.headers["cache-control"] == "no-store"
    assert shared_server.get("/v1/health").status_code == 200


def test_random_bytes_never_break_it(shared_server: ServerProcess) -> None:
    rng = random.Random(7)
    good = encode_push(STATION, some_entries(2)[0])
    for _ in range(60):
        body = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        assert ask(shared_server, "POST", "/v1/journal", content=bytes(body)).status_code in (200, 400)
    assert '"ERROR"' not in shared_server.log()


def test_an_empty_push_is_answered(shared_server: ServerProcess) -> None:
    answer = ask(shared_server, "POST", "/v1/journal", content=b'{"station":"bench-9","entries":[]}')
    assert (answer.status_code, answer.json()["results"]) == (200, [])


# photos


def test_a_photo_is_stored_under_its_hash_once(shared_server: ServerProcess) -> None:
    jpeg = jpeg_of(1)
    name = hashlib.sha256(jpeg).hexdigest()
    asked = ask(shared_server, "POST", "/v1/photos/missing", json={"hashes": [name, "0" * 64]}).json()
    assert asked == {"missing": [name, "0" * 64], "held": []}
    assert ask(shared_server, "PUT", f"/v1/photos/{name}", content=jpeg).status_code == 201
    assert ask(shared_server, "PUT", f"/v1/photos/{name}", content=jpeg).json()["status"] == "duplicate"
    asked = ask(shared_server, "POST", "/v1/photos/missing", json={"hashes": [name, "0" * 64]}).json()
    assert asked == {"missing": ["0" * 64], "held": [name]}
    assert (shared_server.photo_folder / name[:2] / f"{name}.jpg").read_bytes() == jpeg


def test_a_photo_whose_file_is_gone_is_missing_again(shared_server: ServerProcess) -> None:
    jpeg = jpeg_of(2)
    name = hashlib.sha256(jpeg).hexdigest()
    ask(shared_server, "PUT", f"/v1/photos/{name}", content=jpeg)
    (shared_server.photo_folder / name[:2] / f"{name}.jpg").unlink()
    assert ask(shared_server, "POST", "/v1/photos/missing", json={"hashes": [name]}).json()["missing"] == [name]
    assert ask(shared_server, "PUT", f"/v1/photos/{name}", content=jpeg).status_code == 201


@pytest.mark.parametrize(
    ("content", "status"),
    [(jpeg_of(4), 422), (b"\x89PNG", 422), (b"", 422), (b"\xff\xd8\xff" + b"x" * (8 * 1024 * 1024), 413)],
)
def test_bytes_that_are_not_this_photo_are_refused_and_leave_nothing(
    shared_server: ServerProcess, content: bytes, status: int
) -> None:
    name = hashlib.sha256(b"something else").hexdigest()
    assert ask(shared_server, "PUT", f"/v1/photos/{name}", content=content).status_code == status
    assert list((shared_server.photo_folder / "incoming").iterdir()) == []
    assert not (shared_server.photo_folder / name[:2] / f"{name}.jpg").exists()


def test_a_cut_upload_leaves_nothing(shared_server: ServerProcess) -> None:
    jpeg = jpeg_of(5, 600_000)
    name = hashlib.sha256(jpeg).hexdigest()
    head = f"PUT /v1/photos/{name} HTTP/1.1\r\nHost: x\r\nStation-Protocol: 1\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared_server.port)) as line:
        line.sendall(head.encode() + jpeg[:300_000])
    assert ask(shared_server, "POST", "/v1/photos/missing", json={"hashes": [name]}).json()["missing"] == [name]
    assert ask(shared_server, "PUT", f"/v1/photos/{name}", content=jpeg).status_code == 201
    until(lambda: not list((shared_server.photo_folder / "incoming").iterdir()), 5, "the half is cleared away")
    assert '"ERROR"' not in shared_server.log(), "a sender that goes away is no error of the server"


@pytest.mark.parametrize("name", ["..%2f..%2fetc", "ABC", "0" * 63, "0" * 65, "A" * 64])
def test_a_name_that_is_no_hash_never_becomes_a_path(shared_server: ServerProcess, name: str) -> None:
    assert ask(shared_server, "PUT", f"/v1/photos/{name}", content=jpeg_of(1)).status_code in (400, 404)


def test_uploads_that_a_kill_cut_short_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "x.part").write_bytes(b"half")
    os.utime(tmp_path / "incoming" / "x.part", (1, 1))
    PhotoFolder(tmp_path)
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_file_url_names_a_folder() -> None:
    assert photo_folder("file:///srv/a%20b") == Path("/srv/a b")


# the database


def test_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database(database_url(f"sqlite:///{tmp_path / 'x.sqlite3'}"))
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()
    folder = Path(sync.server.storage.migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD


def test_every_primary_key_begins_with_the_site() -> None:
    assert {next(iter(table.primary_key.columns)).name for table in metadata.sorted_tables} == {"site_id"}


def test_a_migration_that_is_killed_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    code = f"""
import os
from sqlalchemy import event
from sync.server.storage import database, sqlite
from sync.server.storage.migrations import runner
upgrade = runner.upgrade
def killed(connection):
    made = 0
    @event.listens_for(connection, "before_cursor_execute")
    def count(*arguments):
        nonlocal made
        made += "CREATE TABLE" in arguments[2]
        if made == 5:
            os.kill(os.getpid(), 9)
    upgrade(connection)
runner.upgrade = killed
sqlite.SqliteDatabase(database.database_url("sqlite:///{path}"))
"""
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == -9
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == []
    raw.close()
    database = Database(database_url(f"sqlite:///{path}"))
    assert len(database.epoch) == 32
    database.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    url = database_url(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    Database(url).close()
    with sqlite3.connect(tmp_path / "x.sqlite3") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreFault, match="newer version"):
        Database(url)


def test_a_damaged_database_is_a_store_fault(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreFault, match="cannot be used"):
        Database(database_url(f"sqlite:///{tmp_path / 'x.sqlite3'}"))


def test_it_waits_with_full_synchronisation(tmp_path: Path) -> None:
    database = Database(database_url(f"sqlite:///{tmp_path / 'x.sqlite3'}"))
    with database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()
