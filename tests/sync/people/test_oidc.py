"""The company's sign-in against a real provider over HTTP: the right way in, and each attack refused."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from station.errors import InvalidInput
from station.people import Role
from sync.server.people.oidc import BROWSER_COOKIE
from sync.server.people.oidc_provider import OidcSettings, read_oidc
from tests.sync.people.conftest import MakeServer
from tests.sync.people.material import PeopleServer, SetClock, cookie_of
from tests.sync.people.provider import CLIENT, ED, OTHER_RSA, FakeProvider


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    made = FakeProvider()
    yield made
    made.close()


@pytest.fixture
def server(make_server: MakeServer, provider: FakeProvider) -> PeopleServer:
    settings = OidcSettings(
        provider.issuer, CLIENT, "http://127.0.0.1/v1/session/oidc/callback",
        {"leads": ["lead"], "it": ["admin", "auditor"]},
    )  # fmt: skip
    return make_server(oidc=settings)


def come_back(server: PeopleServer, state: str, code: str, browser: str) -> httpx.Response:
    path = "/v1/session/oidc/callback?" + urlencode({"state": state, "code": code})
    return server.ask("GET", path, headers={"Cookie": f"{BROWSER_COOKIE}={browser}"})


def begin(server: PeopleServer) -> tuple[str, str]:
    """Where the browser is sent, and the cookie it got."""
    answer = server.ask("GET", "/v1/session/oidc")
    assert answer.status_code == 302
    return answer.headers["location"], cookie_of(answer, BROWSER_COOKIE)


def sign_in(server: PeopleServer, provider: FakeProvider) -> httpx.Response:
    url, browser = begin(server)
    return come_back(server, *provider.visit(url), browser)


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_somebody_new_comes_in_with_the_roles_of_the_groups(
    server: PeopleServer, provider: FakeProvider, algorithm: str
) -> None:
    if algorithm == "EdDSA":
        provider.algorithm, provider.kid, provider.key = "EdDSA", "ed", ED
    answer = sign_in(server, provider)
    assert answer.status_code == 200, answer.text
    cookie = cookie_of(answer)
    assert "samesite=strict" in next(h for h in answer.headers.get_list("set-cookie") if cookie in h).lower()
    who = server.ask("GET", "/v1/session", cookie).json()
    assert (who["name"], who["roles"]) == ("Mia Berg", ["lead"])


def test_roles_follow_the_groups_with_their_history_and_others_stay(
    server: PeopleServer, provider: FakeProvider
) -> None:
    sign_in(server, provider)
    (person,) = server.people.register.everybody("main")
    server.people.register.give("main", person.id, Role.INSPECTOR, by="ida")
    server.clock.forward(3600)
    provider.claims["groups"] = ["it", "canteen"]
    cookie = cookie_of(sign_in(server, provider))
    assert server.ask("GET", "/v1/session", cookie).json()["roles"] == ["admin", "auditor", "inspector"]
    ended = [one.role for one in server.people.register.person("main", person.id).roles if one.until is not None]
    assert ended == ["lead"]
    # out of all groups: not let in, and what the groups gave is over
    server.add("ida", Role.ADMIN)
    provider.claims["groups"] = []
    assert sign_in(server, provider).status_code == 401
    held = [one.role for one in server.people.register.person("main", person.id).roles if one.until is None]
    assert held == ["inspector"]


def test_somebody_disabled_here_stays_out_whatever_the_provider_says(
    server: PeopleServer, provider: FakeProvider
) -> None:
    sign_in(server, provider)
    (person,) = server.people.register.everybody("main")
    server.people.register.set_active("main", person.id, False, by="ida")
    assert sign_in(server, provider).status_code == 401


LIES: dict[str, dict[str, Any]] = {
    "wrong issuer": {"claims": {"iss": "https://login.example"}},
    "wrong audience": {"claims": {"aud": "another-program"}},
    "one of several audiences": {"claims": {"aud": [CLIENT, "another-program"]}},
    "made for another": {"claims": {"azp": "another-program"}},
    "expired": {"claims": {"iat": int(time.time()) - 400, "exp": int(time.time()) - 100}},
    "issued long ago": {"claims": {"iat": int(time.time()) - 3600}},
    "not yet": {"claims": {"iat": int(time.time()) + 3600}},
    "wrong nonce": {"claims": {"nonce": "of another sign-in"}},
    "no nonce": {"claims": {"nonce": None}},
    "no expiry": {"claims": {"exp": None}},
    "no subject": {"claims": {"sub": None}},
    "no group": {"claims": {"groups": ["canteen"]}},
    "groups as text": {"claims": {"groups": "leads"}},
    "unsigned": {"raw_token": "none"},
    "public key as a secret": {"raw_token": "public key as a secret"},
    "changed after signing": {"raw_token": "changed"},
    "another key under a known name": {"key": OTHER_RSA},
    "unknown key": {"kid": "made-up"},
    "key of another kind": {"kid": "ed"},
    "no token at all": {"raw_token": "x.y.z"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_lies_opens_nothing(
    server: PeopleServer, provider: FakeProvider, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sync.server.security")
    for name, value in LIES[lie].items():
        setattr(provider, name, provider.claims | value if name == "claims" else value)
    answer = sign_in(server, provider)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "the company's sign-in does not let you in here"
    assert BROWSER_COOKIE not in str(answer.headers.get_list("set-cookie"))
    assert server.people.register.everybody("main") == []
    assert [vars(one)["event"] for one in caplog.records if one.name.endswith("security")] == ["sign_in_refused"]


def test_a_code_that_comes_twice_finds_nothing(server: PeopleServer, provider: FakeProvider) -> None:
    url, browser = begin(server)
    state, code = provider.visit(url)
    assert come_back(server, state, code, browser).status_code == 200
    provider.codes[code] = {}  # even if the provider would take it again
    assert come_back(server, state, code, browser).status_code == 401


def test_another_browser_cannot_end_a_sign_in(server: PeopleServer, provider: FakeProvider) -> None:
    """Nor be made to: the attacker's code with the victim's browser."""
    url, _ = begin(server)
    _, victims = begin(server)
    state, code = provider.visit(url)
    assert come_back(server, state, code, victims).status_code == 401
    assert come_back(server, state, code, "").status_code == 401


@pytest.mark.parametrize("changed", ["state", "code"])
def test_made_up_states_and_codes(server: PeopleServer, provider: FakeProvider, changed: str) -> None:
    url, browser = begin(server)
    state, code = provider.visit(url)
    given = {"state": state, "code": code} | {changed: "made up"}
    assert come_back(server, given["state"], given["code"], browser).status_code == 401


def test_a_code_of_another_sign_in_fails_at_the_challenge(server: PeopleServer, provider: FakeProvider) -> None:
    url, browser = begin(server)
    state, _ = provider.visit(url)
    _, stolen = provider.visit(begin(server)[0])
    assert come_back(server, state, stolen, browser).status_code == 401


def test_a_sign_in_must_end_within_ten_minutes(server: PeopleServer, provider: FakeProvider) -> None:
    url, browser = begin(server)
    state, code = provider.visit(url)
    server.clock.forward(601)
    assert come_back(server, state, code, browser).status_code == 401


def test_made_up_key_names_do_not_make_us_ask_for_keys_again_and_again(
    server: PeopleServer, provider: FakeProvider
) -> None:
    provider.kid = "made-up"
    for _ in range(4):
        assert sign_in(server, provider).status_code == 401
    assert provider.asked.count("/keys") == 1


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "https://login.example"}, {"token_endpoint": "http://169.254.169.254/"}, {"jwks_uri": "file:///etc/x"},
     {"authorization_endpoint": "javascript:alert(1)"}],
    ids=["another issuer", "no https", "a file", "a script"],
)  # fmt: skip
def test_a_provider_that_names_unsafe_places_is_not_used(
    server: PeopleServer, provider: FakeProvider, discovery: dict[str, str], expected_warnings: Any
) -> None:
    expected_warnings("the provider (names|calls itself)")
    provider.discovery = discovery
    assert server.ask("GET", "/v1/session/oidc").status_code == 503


def test_a_provider_that_is_away_is_said_calmly(make_server: MakeServer, expected_warnings: Any) -> None:
    expected_warnings("the provider at .* cannot be reached")
    away = OidcSettings("http://127.0.0.1:9", CLIENT, "http://127.0.0.1/callback", {"leads": ["lead"]})
    server = make_server(oidc=away, clock=SetClock())
    assert server.ask("GET", "/v1/session/oidc").status_code == 503


def test_a_server_without_a_provider_says_so(make_server: MakeServer) -> None:
    server = make_server()
    assert server.ask("GET", "/v1/session/oidc").status_code == 404
    assert server.ask("GET", "/v1/session/oidc/callback?state=a&code=b").status_code == 404


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('issuer = "http://login.example"', "expected https://"),
        ('issuer = "https://a:b@login.example"', "expected https://"),
        ('redirect_uri = "ftp://x"', "expected https://"),
        ("roles = {}", r"\[roles\]"),
        ('roles = {x = ["boss"]}', "boss"),
        ('scope = "profile"', "openid"),
        ("surprise = 1", "surprise"),
    ],
    ids=range(7),
)
def test_a_configuration_that_is_wrong_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    good = {"issuer": '"https://login.example"', "client_id": '"x"', "redirect_uri": '"https://here/cb"',
            "roles": '{leads = ["lead"]}'}  # fmt: skip
    key, _, value = text.partition(" = ")
    lines = [f"{name} = {each}" for name, each in (good | {key: value}).items()]
    (tmp_path / "oidc.toml").write_text("\n".join(lines))
    with pytest.raises(InvalidInput, match=message):
        read_oidc(tmp_path)
    (tmp_path / "oidc.toml").write_text("\n".join(f"{name} = {each}" for name, each in good.items()))
    assert read_oidc(tmp_path) is not None
