"""Who may come in with what: tokens of a bench against the real server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from station.clock import SystemClock
from sync.client.api import HttpApi
from sync.client.decide import Verdict
from sync.client.identity import PrivateKey, key_from, load_identity, make_key
from sync.client.vault import Vault
from sync.protocol import TOKEN_TIME
from tests.sync.access.material import TOKEN, Bench, DoorServer, ShiftedClock, a_bench


def ask(server: DoorServer, token: str | None, path: str = "/v1/hello") -> httpx.Response:
    headers = {"Station-Protocol": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.get(server.url + path, headers=headers, trust_env=False)


def private(bench: Bench) -> PrivateKey:
    found = Vault(bench.home).read("station-key")
    assert found is not None
    return key_from(found[0])


def claims(bench: Bench, **changes: object) -> dict[str, object]:
    now = int(time.time())
    enrolment = bench.identity.enrolment
    plain = {"iss": enrolment.station, "site": enrolment.site, "aud": enrolment.server, "iat": now, "exp": now + 300}
    return {key: value for key, value in (plain | changes).items() if value is not None}


def signed(bench: Bench, key: PrivateKey | None = None, kid: str | None = None, **changes: object) -> str:
    key = key or private(bench)
    headers = {"kid": kid or key.id}
    return jwt.encode(claims(bench, **changes), key.private, algorithm="EdDSA", headers=headers)


def unsigned(bench: Bench) -> str:
    return jwt.encode(claims(bench), None, algorithm="none", headers={"kid": bench.identity.key_id})


def hmac_with_public_key(bench: Bench) -> str:
    """The classic confusion: the public key taken as a shared secret."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": bench.identity.key_id}).encode())
    text = f"{head}.{part(json.dumps(claims(bench)).encode())}"
    return f"{text}.{part(hmac.new(private(bench).public, text.encode(), hashlib.sha256).digest())}"


def cut(bench: Bench) -> str:
    return signed(bench)[:-4]


def other_claims_under_the_signature(bench: Bench) -> str:
    head, _, signature = signed(bench).split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims(bench, iss="bench-2")).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


BAD: dict[str, Callable[[Bench], str]] = {
    "of another key": lambda bench: signed(bench, make_key()),
    "of another key under the right name": lambda bench: signed(bench, make_key(), kid=bench.identity.key_id),
    "not signed": unsigned,
    "hmac with the public key": hmac_with_public_key,
    "cut": cut,
    "other claims": other_claims_under_the_signature,
    "another station": lambda bench: signed(bench, iss="bench-2"),
    "another site": lambda bench: signed(bench, site="other"),
    "another server": lambda bench: signed(bench, aud="0" * 16),
    "no audience": lambda bench: signed(bench, aud=None),
    "no station": lambda bench: signed(bench, iss=None),
    "a station that cannot be": lambda bench: signed(bench, iss="a\x00b"),
    "no end": lambda bench: signed(bench, exp=None),
    "good for an hour": lambda bench: signed(bench, exp=int(time.time()) + 3600),
    "ends before it begins": lambda bench: signed(bench, exp=int(time.time()) - 1),
    "times that are texts": lambda bench: signed(bench, iat="now"),
    "replayed an hour later": lambda bench: signed(bench, iat=int(time.time()) - 3600, exp=int(time.time()) - 3300),
    "of tomorrow": lambda bench: signed(bench, iat=int(time.time()) + 86400, exp=int(time.time()) + 86700),
    "garbage": lambda bench: "eyJhbGciOiJFZERTQSJ9.e30.AAAA",
    "not even that": lambda bench: "eyJ.\xff.",
}


def test_every_wrong_token_is_refused_and_the_right_one_is_not(door: DoorServer, bench: Bench) -> None:
    assert ask(door, signed(bench)).status_code == 200  # the control: the same helper, unchanged
    now = int(time.time())
    assert ask(door, signed(bench, iat=now + 100, exp=now + 400)).status_code == 200  # clocks may differ a little
    answers = {name: ask(door, make(bench)).status_code for name, make in BAD.items() if name != "not even that"}
    assert answers == dict.fromkeys(answers, 401)
    assert httpx.get(
        door.url + "/v1/hello",
        headers=[(b"Station-Protocol", b"1"), (b"Authorization", b"Bearer eyJ.\xff.")],
        trust_env=False,
    ).status_code == 401  # fmt: skip


def test_a_wrong_time_is_said_to_be_one(door: DoorServer, bench: Bench) -> None:
    refused = ask(door, BAD["of tomorrow"](bench))
    assert refused.json()["error"]["code"] == TOKEN_TIME
    assert "date" in refused.headers


def test_a_bench_may_not_speak_for_another(door: DoorServer, bench: Bench, tmp_path: Path) -> None:
    with a_bench(door, tmp_path / "other", "bench-2") as other:
        assert ask(door, other.identity.token(), "/v1/hello?station=bench-2").status_code == 200
        assert ask(door, other.identity.token(), "/v1/hello?station=bench-1").status_code == 403
        packed = other.api.pack("bench-1", bench.record(1))
        outcome = other.api.push(packed)
        assert (outcome.verdict, outcome.code) == (Verdict.DENIED, "foreign_station")
        assert door.status_of("main") == 0


def test_the_shared_token_still_works_for_others_but_not_for_an_enrolled_bench(door: DoorServer, bench: Bench) -> None:
    shared = HttpApi(door.url, token=TOKEN, clock=SystemClock())
    try:
        entries = bench.record(2)
        outcome = shared.push(shared.pack("bench-1", entries))
        assert (outcome.verdict, outcome.code) == (Verdict.DENIED, "enrolled")
        assert door.status_of("main") == 0
        assert shared.hello("bench-7").verdict is Verdict.PROGRESS
    finally:
        shared.close()
    bench.sync()
    assert door.status_of("main") == 2


@pytest.mark.parametrize("by", [timedelta(days=1), timedelta(days=-1), timedelta(days=3650), timedelta(minutes=-119)],
                         ids=["+1d", "-1d", "+10y", "-2min"])  # fmt: skip
def test_a_bench_whose_clock_is_wrong_comes_in(door: DoorServer, bench: Bench, by: timedelta) -> None:
    clock = ShiftedClock(by)
    identity = load_identity(bench.home, clock)
    assert identity is not None
    api = HttpApi(door.url, token=None, clock=clock, identity=identity)
    try:
        assert api.hello("bench-1").verdict is Verdict.PROGRESS
        assert abs(identity.clock_is_off_by + by) < timedelta(seconds=10)
        clock.by += timedelta(days=2)  # it jumps in the middle of a shift
        assert api.hello("bench-1").verdict is Verdict.PROGRESS
    finally:
        api.close()


def test_without_the_servers_time_such_a_bench_would_stay_out(door: DoorServer, bench: Bench) -> None:
    """The control: the token that its own clock makes is refused."""
    identity = load_identity(bench.home, ShiftedClock(timedelta(days=1)))
    assert identity is not None
    assert ask(door, identity.token()).json()["error"]["code"] == TOKEN_TIME
