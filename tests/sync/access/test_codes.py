"""One-time codes: good once, for a while, and not to be guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from station.errors import InvalidInput
from station.journal.seal import to_base64
from sync.client.identity import make_key
from sync.server.access.codes import code_hash, make_code, read_code
from sync.server.access.register import Register
from sync.server.errors import ApiError
from sync.server.storage import Database, database_url, open_database
from sync.server.storage.rows_access import enrol_codes


class HeldClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}"))
    yield made
    made.close()


@pytest.fixture
def either_register(either_database: URL, clock: HeldClock) -> Iterator[Register]:
    made = open_database(either_database)
    yield Register(made, clock)
    made.close()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def register(database: Database, clock: HeldClock) -> Register:
    return Register(database, clock)


def a_key() -> str:
    return to_base64(make_key().public)


def refusal(register: Register, code: str, key: str | None = None, source: str = "10.0.0.9") -> str:
    with pytest.raises(ApiError) as caught:
        register.enrol(code, key or a_key(), source)
    return caught.value.code


def test_a_code_is_80_bits_and_fits_a_barcode() -> None:
    codes = {make_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert code.isascii()
        assert code == code.upper()  # Code 128 subset B
        assert len(read_code(code)) * 5 == 80
        assert read_code(code.lower().replace("-", " ").replace("join ", "")) == read_code(code)


@pytest.mark.parametrize(
    "text",
    ["", "JOIN-", "JOIN-7K2M", "7K2MX94D0RTP6W3", "7K2MX94D0RTP6W3EE", "7K2M-X94D-0RTP-6W3U", "4006381333931",
     "7K2M\x00X94D0RTP6W3E"],
)  # fmt: skip
def test_what_is_no_code_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_code(text)
    assert not text or text not in str(caught.value).replace("JOIN-7K2M-X94D-0RTP-6W3E", "")


def test_a_good_code_is_good_once(either_register: Register) -> None:
    register = either_register
    made = register.open_code("main", "bench-1", "it")
    mine = a_key()
    enrolled = register.enrol(made.code, mine, "10.0.0.9")
    assert (enrolled.station, enrolled.site_id) == ("bench-1", "main")
    assert register.enrol(made.code, mine, "10.0.0.9") == enrolled  # the answer was lost on the way
    assert refusal(register, made.code) == "bad_code"  # somebody who saw the code


def test_a_code_ends_with_time_and_with_the_next_one(register: Register, clock: HeldClock) -> None:
    first = register.open_code("main", "bench-1", "it")
    second = register.open_code("main", "bench-1", "it")
    assert refusal(register, first.code) == "bad_code"
    clock.at += timedelta(minutes=15)
    assert refusal(register, second.code) == "bad_code"
    third = register.open_code("main", "bench-1", "it")
    clock.at += timedelta(minutes=14, seconds=59)
    assert register.enrol(third.code, a_key(), "10.0.0.9").station == "bench-1"


def test_a_used_code_does_not_answer_for_ever(register: Register, clock: HeldClock) -> None:
    made = register.open_code("main", "bench-1", "it")
    mine = a_key()
    register.enrol(made.code, mine, "10.0.0.9")
    clock.at += timedelta(minutes=16)
    assert refusal(register, made.code, mine) == "bad_code"


def test_guessing_is_locked_out_for_that_address_alone(either_register: Register, clock: HeldClock) -> None:
    register = either_register
    made = register.open_code("main", "bench-1", "it", minutes=60)
    for _ in range(10):
        assert refusal(register, make_code()) == "bad_code"
    assert refusal(register, made.code) == "too_many"  # even the right one
    assert register.enrol(made.code, a_key(), "10.0.0.10").station == "bench-1"
    again = register.open_code("main", "bench-2", "it", minutes=60)
    assert refusal(register, again.code) == "too_many"
    clock.at += timedelta(minutes=15, seconds=1)
    assert register.enrol(again.code, a_key(), "10.0.0.9").station == "bench-2"


def test_the_lockout_survives_a_restart(register: Register, database: Database, clock: HeldClock) -> None:
    for _ in range(10):
        refusal(register, "nonsense")
    assert refusal(Register(database, clock), make_code()) == "too_many"


def test_of_a_code_only_its_hash_is_kept(register: Register, database: Database) -> None:
    made = register.open_code("main", "bench-1", "it")
    with database.reading() as connection:
        rows = connection.execute(enrol_codes.select()).all()
    assert [row.code_hash for row in rows] == [code_hash(read_code(made.code))]
    assert made.code.replace("-", "")[4:] not in repr(rows)


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "é" * 43])
def test_what_is_no_key_is_refused_and_the_code_stays_good(register: Register, key: str) -> None:
    made = register.open_code("main", "bench-1", "it")
    with pytest.raises(InvalidInput):
        register.enrol(made.code, key, "10.0.0.9")
    assert register.enrol(made.code, a_key(), "10.0.0.9").station == "bench-1"


@pytest.mark.parametrize("name", ["", " bench", "b" * 65, "a\x00b", "a\nb"])
def test_a_station_needs_a_name(register: Register, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        register.open_code("main", name, "it")


def test_a_revoked_station_needs_more_than_a_code(either_register: Register) -> None:
    register = either_register
    register.enrol(register.open_code("main", "bench-1", "it").code, a_key(), "10.0.0.9")
    assert register.revoke("main", "bench-1", "it")
    assert not register.revoke("main", "bench-1", "it")
    code = register.open_code("main", "bench-1", "it").code
    assert refusal(register, code) == "device_revoked"
    assert register.restore("main", "bench-1", "it")
    assert register.enrol(code, a_key(), "10.0.0.9").station == "bench-1"


def test_nobody_revokes_what_is_not_there(register: Register) -> None:
    with pytest.raises(ApiError, match="no station 'bench-9'"):
        register.revoke("main", "bench-9", "it")
