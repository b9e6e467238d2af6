"""The items of OWASP ASVS 5.0 that the server claims (SYNC.md §5.5), each by its number.

Some are tested here; for the others ``HELD`` names the test that holds them, and that test must exist. Not claimed by
the server itself: 12.1–12.3 (TLS ends at the proxy in front; outgoing TLS is in ``HELD``).
"""

from __future__ import annotations

import io
import json
import logging
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from station.errors import EnvironmentFault
from station.people import RFC9106_LOW_MEMORY, Role, SiteKey, make_verifier
from sync.protocol import Topic
from sync.protocol.people import PersonRequest
from sync.server.feed import Change
from sync.server.logs import JsonLines
from sync.server.people.audit import Event, note
from sync.server.people.oidc_provider import OidcSettings, Provider
from sync.server.people.passwords import Hasher
from sync.server.people.setup import PeopleSettings
from sync.server.storage.rows_people import people, person_roles
from tests.sync.people.material import PeopleServer

TESTS = Path(__file__).resolve().parents[2]
HELD = {
    "1.2.10 formulas in CSV": ("station/exchange/test_csv_export.py", "test_what_a_spreadsheet_would_run"),
    "1.3.6 server-side request forgery": (
        "sync/downstream/test_dispatcher.py", "test_rebinding_gains_nothing_because_the_checked_address_is_the_one_con",
    ),
    "2.2.1 2.2.2 validation at the server": ("sync/people/test_people.py", "test_wrong_input_changes_nothing"),
    "2.3.4 15.4.2 no time between check and use": (
        "sync/people/test_sessions.py", "test_tries_at_once_are_all_counted",
    ),
    "2.3.5 a second person": (
        "station/people/test_roster.py", "test_a_badge_alone_lets_nobody_override_and_nobody_passes_a_gate_alone",
    ),
    "2.4.1 rates": ("sync/people/test_sessions.py", "test_ten_tries_a_minute_for_one_address_whatever_the_name"),
    "3.4 headers": ("sync/people/test_guards.py", "test_every_answer_has_its_headers"),
    "3.5.1 forged requests": (
        "sync/people/test_sessions.py", "test_a_write_without_the_token_is_refused_and_with_it_goes_on",
    ),
    "4.1.5 signatures of messages": ("sync/access/test_seals.py", "test_a_push_without_its_own_signature_is_refused"),
    "5.1.1 5.2.1 5.2.2 5.2.6 14.2.8 uploads": (
        "sync/people/test_images.py", "test_everything_else_is_refused_with_the_reason",
    ),
    "6.1.1 6.3.1 guessing of passwords": (
        "sync/people/test_sessions.py", "test_wrong_passwords_make_everybody_wait_also_after_a_restart",
    ),
    "6.3.8 no list of accounts": ("sync/people/test_sessions.py", "test_every_wrong_way_in_gets_the_same_answer"),
    "6.4.1 enrolment codes are kept as hashes": ("sync/access/test_codes.py", "test_of_a_code_only_its_hash_is_kept"),
    "6.6.3 and locked against guessing": ("sync/access/test_codes.py", "test_guessing_is_locked_out_for_that_address"),
    "7.3 time-outs": ("sync/people/test_sessions.py", "test_a_session_ends_when_it_is_not_used_and_in_any_case"),
    "7.4 ends": ("sync/people/test_sessions.py", "test_what_changes_a_persons_rights_ends_the_sessions"),
    "8.2 8.4 who may what, tenants": (
        "sync/people/test_isolation.py", "test_people_of_another_site_read_and_write_nothing_of_this_one",
    ),
    "8.2.2 8.4.1 other merchants of the same site": (
        "sync/centre/test_rights.py", "test_no_route_tells_of_another_merchants_goods",
    ),
    "8.3.1 every route says who may ask it": (
        "sync/centre/test_rights.py", "test_every_route_has_a_row_and_every_row_a_route",
    ),
    "10.5 OpenID Connect": ("sync/people/test_oidc.py", "test_an_id_token_that_lies_opens_nothing"),
    "12.3 outgoing TLS": (
        "sync/downstream/test_dispatcher.py", "test_tls_is_checked_for_the_name_though_the_address_is_connected_to",
    ),
    "13.2 nothing without a credential": (
        "sync/people/test_isolation.py", "test_nobody_gets_anything_without_a_credential",
    ),
    "14.2.4 14.2.7 retention": ("sync/operations/test_erasing.py", "test_retention_counts_days_and_is_done_once"),
    "16.2.5 no secrets in logs": ("sync/people/test_sessions.py", "test_no_secret_reaches_the_log"),
    "16.5.1 no tracebacks": ("sync/people/test_guards.py", "test_an_error_outside_every_handler_shows_no_traceback"),
}  # fmt: skip


@pytest.mark.parametrize("item", HELD)
def test_held_elsewhere(item: str) -> None:
    file, name = HELD[item]
    assert f"def {name}" in (TESTS / file).read_text(encoding="utf-8")


def test_2_3_3_a_change_of_a_person_is_whole_or_not_at_all(server_on_either: PeopleServer) -> None:
    """A failure between the row and the feed leaves neither, and no role."""
    server = server_on_either
    server.add("max", Role.LEAD)

    class Broken:
        def put(self, *_: object) -> int:
            raise OSError("the disk is full")

    register = server.people.register
    feed, register._feed = register._feed, Broken()  # type: ignore[assignment]
    before = register.person("main", "max")
    for change in (
        lambda: register.put("main", "eva", PersonRequest("Eva"), by="test"),
        lambda: register.put("main", "max", PersonRequest("Changed", login="max"), by="test"),
        lambda: register.give("main", "max", Role.ADMIN, by="test"),
        lambda: register.end("main", "max", Role.LEAD, by="test"),
    ):
        with pytest.raises(OSError, match="full"):
            change()
    register._feed = feed
    assert register.everybody("main") == [before]


def test_5_3_2_a_name_with_a_path_in_it_reaches_no_file(server: PeopleServer) -> None:
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    for path in ("/v1/photos/..%2f..%2fetc%2fpasswd", "/v1/photos/../people.sqlite3", "/v1/photos/%2e%2e%2fkeys"):
        for method in ("GET", "PUT"):
            assert ida.ask(method, path, content=b"\xff\xd8\xff").status_code in (400, 403, 404, 405, 422)


def test_11_4_2_passwords_and_pins_are_argon2id_at_the_recommended_cost() -> None:
    """The cost that a server uses when nobody says otherwise."""
    assert PeopleSettings().cost == RFC9106_LOW_MEMORY
    hasher = Hasher()
    kept = hasher.hash("seven brown parcels")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hasher.verify(kept, "seven brown parcels")
    assert not hasher.verify(kept, "seven brown parcel")
    hasher.close()
    assert make_verifier(SiteKey(b"k" * 32), "p", "409127").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_11_4_2_an_older_hash_is_made_anew_at_the_next_sign_in(server: PeopleServer) -> None:
    from argon2 import PasswordHasher

    server.add("mia", Role.LEAD)
    old = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash("seven brown parcels")
    with server.service.database.writing() as connection:
        connection.execute(people.update().values(password=old))
    assert server.sign_in("mia").status_code == 201
    with server.service.database.reading() as connection:
        assert "t=1" in str(connection.scalar(select(people.c.password)))
    assert server.sign_in("mia").status_code == 201


def test_15_3_2_a_redirect_of_the_provider_is_not_followed() -> None:
    asked: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Redirecting) as receiver:
        Thread(target=receiver.handle_request).start()
        issuer = f"http://127.0.0.1:{receiver.server_address[1]}"
        provider = Provider(OidcSettings(issuer, "x", issuer + "/cb", {"a": ["lead"]}), None)
        with pytest.raises(EnvironmentFault, match="302"):
            provider.sign_in_url(state="s", nonce="n", challenge="c")
        provider.close()
    assert asked == ["/.well-known/openid-configuration"]


def test_15_3_3_fields_that_nobody_may_set_are_refused(server: PeopleServer) -> None:
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    for field in ("roles", "active", "site_id", "password", "badge", "pin", "subject", "id", "created_at"):
        answer = ida.ask("PUT", "/v1/people/max", json={"name": "Max", field: "x"})
        assert answer.status_code == 400, field
        assert field in answer.text


def test_16_2_2_times_in_the_log_are_utc() -> None:
    record = logging.makeLogRecord({"msg": "x", "created": 0.0, "levelname": "INFO", "name": "n"})
    assert json.loads(JsonLines().format(record))["at"] == "1970-01-01T00:00:00.000+00:00"


def test_16_4_1_what_somebody_sends_cannot_forge_a_line_of_the_log() -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonLines())
    target = logging.getLogger("sync.server.security")
    before = target.level
    target.addHandler(handler)
    target.setLevel(logging.INFO)
    try:
        note(Event.SIGN_IN_REFUSED, "main", address='1.2.3.4\n{"event": "signed_in"}\r\n\x1b[2K\u2028')
    finally:
        target.removeHandler(handler)
        target.setLevel(before)
    assert len(lines.getvalue().splitlines()) <= 2  # U+2028 is a line to Python, not to a reader of JSON lines
    assert json.loads(lines.getvalue())["event"] == "sign_in_refused"


def test_16_3_1_every_sign_in_and_change_of_rights_is_written_down(
    server: PeopleServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sync.server.security")
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    ida.ask("PUT", "/v1/people/max", json={"name": "Max"})
    ida.ask("PUT", "/v1/people/max/roles/lead")
    ida.ask("DELETE", "/v1/people/max/roles/lead")
    ida.ask("POST", "/v1/people/max/disable")
    server.ask("PUT", "/v1/people/max", ida.cookie, json={"name": "X"})
    server.sign_in("ida", "wrong password here")
    ida.ask("DELETE", "/v1/session")
    said = [(vars(one)["event"], vars(one)["person"], vars(one)["by"]) for one in caplog.records
            if one.name == "sync.server.security"]  # fmt: skip
    assert said[3:] == [
        ("signed_in", "ida", None), ("person_changed", "max", "ida"), ("role_given", "max", "ida"),
        ("role_ended", "max", "ida"), ("person_disabled", "max", "ida"), ("forged_request", None, None),
        ("sign_in_refused", "ida", None), ("signed_out", "ida", None),
    ]  # fmt: skip


def test_16_5_3_without_the_database_nobody_gets_in(server: PeopleServer, expected_warnings: Any) -> None:
    """Fail closed: what cannot be asked is a refusal, never a yes."""
    expected_warnings(r"sync\.server\.app: ", required=False)
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    with server.service.database.writing() as connection:
        connection.execute(person_roles.delete())
    assert ida.ask("GET", "/v1/people").status_code == 403, "roles are asked at each request"
    with server.service.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE sessions RENAME TO gone")
    assert ida.ask("GET", "/v1/people").status_code >= 500
    assert server.sign_in("ida").status_code >= 500


def test_8_2_2_the_feed_of_people_is_for_benches(server: PeopleServer) -> None:
    server.add("ida", *Role)
    with server.service.database.writing() as connection:
        server.service.feed.put(connection, "main", Topic.PEOPLE, [Change("x", {"pin": "v"})], server.clock.now())
    assert server.browser("ida").ask("GET", "/v1/feed/people").status_code == 403
    assert server.ask("GET", "/v1/feed/people").status_code == 200, "the control"
