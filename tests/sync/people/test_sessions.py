"""Signing in and out over HTTP: what gets in, how long it lasts, what an attacker learns (nothing)."""

from __future__ import annotations

import concurrent.futures
import hashlib
import logging

import pytest

from station.people import Role
from sync.protocol.people import SESSION_COOKIE
from sync.server.people.passwords import Hasher
from sync.server.storage.rows_people import people, sessions
from tests.sync.people.conftest import MakeServer
from tests.sync.people.material import CHEAP, PASSWORD, PeopleServer, cookie_of


def test_a_lead_signs_in_and_out(server_on_either: PeopleServer) -> None:
    server = server_on_either
    server.add("mia", Role.LEAD)
    answer = server.sign_in("Mia ")
    assert answer.status_code == 201
    assert {key: answer.json()[key] for key in ("person", "name", "site", "roles", "idle_s")} == {
        "person": "mia", "name": "Mia", "site": "main", "roles": ["lead"], "idle_s": 1800,
    }  # fmt: skip
    cookie, csrf = cookie_of(answer), answer.json()["csrf"]
    header = answer.headers["set-cookie"].lower()
    for needed in ("secure", "httponly", "samesite=strict", "path=/;", "max-age=43200"):
        assert needed in header + ";"
    assert "domain" not in header
    assert server.ask("GET", "/v1/session", cookie).json()["person"] == "mia"
    assert server.ask("DELETE", "/v1/session", cookie, csrf).status_code == 204
    assert server.ask("GET", "/v1/session", cookie).status_code == 401


def test_the_database_holds_no_session_and_no_password(server_on_either: PeopleServer) -> None:
    server = server_on_either
    server.add("mia", Role.LEAD)
    cookie = cookie_of(server.sign_in("mia"))
    with server.service.database.reading() as connection:
        kept = connection.execute(sessions.select()).one()
        person = connection.execute(people.select()).one()
    assert kept.digest == hashlib.sha256(cookie.encode()).hexdigest()
    assert cookie.rpartition(".")[2] not in str(kept)
    assert person.password.startswith("$argon2id$v=19$")
    assert PASSWORD not in str(person)


def test_every_wrong_way_in_gets_the_same_answer(server: PeopleServer) -> None:
    server.add("mia", Role.LEAD)
    server.add("max", Role.LEAD, password=None)
    server.add("eva", Role.LEAD)
    server.add("ida", Role.ADMIN)
    server.people.register.set_active("main", "eva", False, by="ida")
    tries = [("mia", "wrong password here"), ("nobody", PASSWORD), ("max", PASSWORD), ("eva", PASSWORD), ("", ""),
             ("mia\x00", PASSWORD), ("mia' OR 1=1--", PASSWORD)]  # fmt: skip
    answers = [server.sign_in(login, password) for login, password in tries]
    elsewhere = server.sign_in("mia", site="other")
    assert {answer.status_code for answer in [*answers, elsewhere]} == {401}
    assert len({answer.content for answer in [*answers, elsewhere]}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_somebody_unknown_costs_as_much_as_somebody_known() -> None:
    """Both ways compute one Argon2id of the same cost: counted, because time on a busy machine proves nothing."""
    hasher = Hasher(CHEAP)
    costs: list[str] = []
    verify = hasher._hasher.verify

    class Counting:
        hash = hasher._hasher.hash

        @staticmethod
        def verify(kept: str, password: str) -> bool:
            costs.append(kept.split("$")[3])
            return verify(kept, password)

    hasher._hasher = Counting()  # type: ignore[assignment]
    kept = hasher.hash(PASSWORD)
    assert hasher.verify(kept, PASSWORD)
    assert not hasher.verify(kept, "another")
    assert not hasher.verify(None, PASSWORD)
    assert costs == ["m=8,t=1,p=1"] * 3
    hasher.close()


def test_wrong_passwords_make_everybody_wait_also_after_a_restart(server: PeopleServer) -> None:
    server.add("mia", Role.LEAD)
    for login in ("nobody", "mia"):
        server.clock.forward(120)
        assert [server.sign_in(login, "wrong password here").status_code for _ in range(5)] == [401] * 5
        refused = server.sign_in(login)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    server.restart()
    assert server.sign_in("mia").status_code == 429
    server.clock.forward(30)
    assert server.sign_in("mia").status_code == 201
    # forgotten by the right one
    assert [server.sign_in("mia", "wrong password here").status_code for _ in range(4)] == [401] * 4
    assert server.sign_in("mia").status_code == 201


def test_tries_at_once_are_all_counted(server_on_either: PeopleServer) -> None:
    """Twenty at the same time get five looks, as one after the other would."""
    server = server_on_either
    server.add("mia", Role.LEAD)

    def one(_: int) -> bool:
        # the counter alone, without the buckets in front of it
        with server.service.database.writing() as connection:
            return server.people.sign_in._count(connection, "main", "a" * 64, server.clock.now()) is None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(20))) == 5


def test_ten_tries_a_minute_for_one_address_whatever_the_name(server: PeopleServer) -> None:
    codes = [server.sign_in(f"somebody{n}").status_code for n in range(12)]
    assert codes == [401] * 10 + [429] * 2
    server.restart()
    assert server.sign_in("another").status_code == 429, "a restart does not fill the bucket"
    server.clock.forward(6)
    assert server.sign_in("another").status_code == 401
    assert server.sign_in("another").status_code == 429
    server.clock.forward(-3600)
    assert server.sign_in("another").status_code == 429, "nor does a clock that goes back"
    server.clock.forward(3660)
    assert server.sign_in("another").status_code == 401


@pytest.mark.parametrize(("step_s", "steps", "works"), [(1790, 24, True), (1801, 1, False), (1700, 26, False)],
                         ids=["used all the shift", "left alone half an hour", "twelve hours are over"])  # fmt: skip
def test_a_session_ends_when_it_is_not_used_and_in_any_case(
    server: PeopleServer, step_s: int, steps: int, works: bool
) -> None:
    server.add("mia", Role.LEAD)
    mia = server.browser("mia")
    code = 0
    for _ in range(steps):
        server.clock.forward(step_s)
        code = mia.ask("GET", "/v1/session").status_code
    assert code == (200 if works else 401)


def test_renewing_gives_another_secret_and_no_more_time(server: PeopleServer) -> None:
    server.add("mia", Role.LEAD)
    mia = server.browser("mia")
    before = mia.ask("GET", "/v1/session").json()
    server.clock.forward(600)
    answer = mia.ask("POST", "/v1/session/renew")
    assert answer.status_code == 201
    assert answer.json()["ends_at"] == before["ends_at"]
    assert answer.json()["csrf"] != before["csrf"]
    assert mia.ask("GET", "/v1/session").status_code == 401
    assert server.ask("GET", "/v1/session", cookie_of(answer)).status_code == 200


def test_signing_in_anew_ends_the_session_that_was_there(server: PeopleServer) -> None:
    """Nobody can plant a session that somebody else then uses."""
    server.add("mia", Role.LEAD)
    planted = server.browser("mia")
    answer = server.sign_in("mia", cookie=planted.cookie)
    assert cookie_of(answer) != planted.cookie
    assert planted.ask("GET", "/v1/session").status_code == 401


def test_everywhere_means_everywhere_but_only_mine(server: PeopleServer) -> None:
    server.add("mia", Role.LEAD)
    server.add("max", Role.LEAD)
    here, there, other = server.browser("mia"), server.browser("mia"), server.browser("max")
    assert here.ask("DELETE", "/v1/sessions").status_code == 204
    assert [one.ask("GET", "/v1/session").status_code for one in (here, there, other)] == [401, 401, 200]


@pytest.mark.parametrize("change", ["role given", "role ended", "disabled", "password", "merchant"])
def test_what_changes_a_persons_rights_ends_the_sessions(server: PeopleServer, change: str) -> None:
    server.add("mia", Role.LEAD)
    mia = server.browser("mia")
    register = server.people.register
    if change == "role given":
        register.give("main", "mia", Role.AUDITOR, by="test")
    elif change == "role ended":
        register.end("main", "mia", Role.LEAD, by="test")
    elif change == "disabled":
        register.set_active("main", "mia", False, by="test")
    elif change == "password":
        register.set_password("main", "mia", "another long password", by="test")
    else:
        from sync.protocol.people import PersonRequest

        register.put("main", "mia", PersonRequest("Mia", login="mia", merchant="acme"), by="test")
    assert mia.ask("GET", "/v1/session").status_code == 401


def test_changing_ones_own_password_asks_for_the_old_one(server: PeopleServer) -> None:
    server.add("mia", Role.LEAD)
    mia = server.browser("mia")
    new = {"new": "nine green trolleys"}
    assert mia.ask("PUT", "/v1/session/password", json={"old": "wrong password here", **new}).status_code == 401
    assert mia.ask("PUT", "/v1/session/password", json={"old": PASSWORD, "new": "short"}).status_code == 400
    assert mia.ask("PUT", "/v1/session/password", json={"old": PASSWORD, **new}).status_code == 204
    assert server.sign_in("mia").status_code == 401
    assert server.sign_in("mia", "nine green trolleys").status_code == 201


@pytest.mark.parametrize(
    "cookie", ["", ".", "main.", "main.x", "other.AAAA", "main." + "A" * 43, "\xc3\xa4", '"x'], ids=range(8)
)
def test_made_up_cookies_open_nothing(server: PeopleServer, cookie: str) -> None:
    headers = {"Cookie": f"{SESSION_COOKIE}={cookie}".encode("latin-1"), "Station-Protocol": b"1"}
    assert server.ask("GET", "/v1/session", headers=headers).status_code == 401
    # and they are not passed over: a request with a bad session is not let in as somebody else
    assert server.ask("GET", "/v1/status", headers=headers).status_code == 401


def test_a_session_of_one_site_is_not_one_of_another(server: PeopleServer) -> None:
    server.add("mia", Role.LEAD)
    cookie = cookie_of(server.sign_in("mia"))
    assert server.ask("GET", "/v1/session", "other." + cookie.partition(".")[2]).status_code == 401


# requests that a browser was tricked into


def test_a_write_without_the_token_is_refused_and_with_it_goes_on(server: PeopleServer) -> None:
    server.add("mia", Role.ADMIN)
    server.add("max", Role.LEAD)
    mia, other = server.browser("mia"), server.browser("max")
    body = {"name": "New"}
    for csrf in (None, "", other.csrf, mia.csrf + "x"):
        refused = server.ask("PUT", "/v1/people/new", mia.cookie, csrf, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forged")
    site = {"Sec-Fetch-Site": "cross-site"}
    assert server.ask("PUT", "/v1/people/new", mia.cookie, mia.csrf, json=body, headers=site).status_code == 403
    assert server.sign_in("mia", headers=site).status_code == 403
    assert server.ask("PUT", "/v1/people/new", mia.cookie, mia.csrf, json=body).status_code == 201


def test_no_secret_reaches_the_log(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = make_server()
    server.add("mia", Role.ADMIN)
    mia = server.browser("mia")
    server.sign_in("mia", "a wrong password")
    server.sign_in("typed my password here", "x")
    badge = mia.ask("POST", "/v1/people/mia/badge").json()["badge"]
    assert mia.ask("PUT", "/v1/people/mia/pin", json={"pin": "409127"}).status_code == 204
    ours = [record for record in caplog.records if not record.name.startswith("http")]  # not what the client logs
    said = "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    for secret in (PASSWORD, "a wrong password", "typed my password", badge, badge[4:], "409127", mia.csrf,
                   mia.cookie.rpartition(".")[2], "argon2id"):  # fmt: skip
        assert secret not in said
    events = [vars(record)["event"] for record in caplog.records if record.name == "sync.server.security"]
    assert events == ["person_changed", "role_given", "password_set", "signed_in", "sign_in_refused", "sign_in_refused",
                      "badge_issued", "pin_set"]  # fmt: skip
