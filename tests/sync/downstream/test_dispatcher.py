"""Deliveries to receivers that behave, and to those that do not: signed, in order, at least once, and never inwards."""

from __future__ import annotations

import datetime as dt
import ipaddress
import itertools
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.engine import URL

from station.inspection.record import Inspection
from sync.protocol.downstream import EndpointChange, NewEndpoint
from sync.server.downstream import events
from sync.server.downstream.addresses import Egress
from sync.server.downstream.endpoints import Endpoints
from sync.server.downstream.outbox import Outbox
from sync.server.downstream.signing import WebhookKey
from sync.server.storage.rows_downstream import deliveries
from tests.sync.downstream.conftest import HERE, SITE, Bench, refused_port, resolve_here
from tests.sync.downstream.receiver import Answer, Received, Receiver, status
from tests.sync.material import an_inspection, fact, until, void_of


def facts_of_units(units: int, rounds: int) -> list[Inspection]:
    """Several inspections of each unit, one after the other."""
    made: list[Inspection] = []
    first = [an_inspection(number) for number in range(units)]
    for round in range(rounds):
        for number, unit in enumerate(first):
            fields = {name: getattr(an_inspection(number), name) for name in Inspection.__dataclass_fields__}
            made.append(unit if round == 0 else Inspection(**{**fields, "unit_id": unit.unit_id}))
    return made


def order_of(received: list[Received]) -> dict[str, list[str]]:
    """Per unit the inspections in the order of their first arrival."""
    found: dict[str, list[str]] = {}
    for request in received:
        lane = found.setdefault(request.unit, [])
        inspection = request.event["data"]["inspection_id"]
        if inspection not in lane:
            lane.append(inspection)
    return found


def expected_order(made: list[Inspection]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for inspection in made:
        found.setdefault(inspection.unit_id, []).append(inspection.inspection_id)
    return found


def test_signatures_are_those_of_the_specification_and_two_secrets_sign_while_one_replaces_the_other(
    bench: Bench, receiver: Receiver
) -> None:
    made = bench.subscribe(receiver, events.CONFIRMED)
    here = made.endpoint.endpoint_id
    bench.inspect()
    bench.dispatcher().run_once()
    new = bench.endpoints.rotate(SITE, here, bench.clock.now())
    bench.inspect()
    bench.dispatcher().run_once()
    bench.clock.forward(25 * 3600)
    bench.inspect()
    bench.dispatcher().run_once()
    before, between, after = receiver.received
    signed = [[request.is_signed_with(key) for key in (made.secret, new.secret)] for request in receiver.received]
    assert signed == [[True, False], [True, True], [False, True]]
    assert before.headers["content-type"].startswith("application/cloudevents+json")
    assert int(after.headers["webhook-timestamp"]) == int(bench.clock.now().timestamp())
    assert between.path == "/hook"


def test_a_failing_event_holds_back_its_unit_and_nothing_else(bench: Bench, receiver: Receiver) -> None:
    made = facts_of_units(units=6, rounds=3)
    bad = made[2]
    receiver.answer = lambda request: status(
        500 if request.event["data"]["inspection_id"] == bad.inspection_id else 204
    )
    bench.subscribe(receiver, events.CONFIRMED)
    bench.push([fact(each) for each in made])
    bench.dispatcher().run_once()
    arrived = order_of(receiver.received)
    assert arrived.pop(bad.unit_id) == [bad.inspection_id], "the later ones of this unit wait"
    assert arrived == {unit: lane for unit, lane in expected_order(made).items() if unit != bad.unit_id}
    receiver.answer = lambda _request: status(204)
    assert bench.dispatcher().run_once() == 0, "not before its time"
    bench.clock.forward(6)
    bench.dispatcher().run_once()
    assert order_of(receiver.received) == expected_order(made)


def test_five_hundred_for_ever_follows_the_schedule_then_switches_off_and_says_so(
    bench: Bench, receiver: Receiver
) -> None:
    receiver.answer = lambda _request: status(500, body=b"no\x00pe")
    here = bench.subscribe(receiver, events.CONFIRMED).endpoint.endpoint_id
    bench.inspect(1)
    at: list[float] = []
    for _ in range(30):
        if bench.dispatcher().run_once():
            at.append(bench.clock.monotonic())
        waiting = bench.endpoints.deliveries(SITE, here, "pending", 1)
        if not waiting:
            break
        assert waiting[0].next_at is not None
        bench.clock.forward(max(1.0, (waiting[0].next_at - bench.clock.now()).total_seconds()))
    waits = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert len(receiver.received) == 10
    assert len(set(receiver.ids())) == 1, "the same id each time"
    endpoint = bench.endpoints.get(SITE, here)
    assert (endpoint.active, endpoint.pending) == (False, 0)
    (alert,) = bench.endpoints.alerts(SITE)
    assert "given up after 10 tries" in alert.text
    (failed,) = bench.endpoints.deliveries(SITE, here, "failed", 5)
    assert (failed.attempts, failed.status, failed.error) == (10, 500, "HTTP 500: no�pe")


def test_one_poisoned_event_does_not_switch_off_a_receiver_that_takes_all_others(
    lite: Bench, receiver: Receiver
) -> None:
    poison = an_inspection(0)
    receiver.answer = lambda request: status(
        422 if request.event["data"].get("grade") and request.event["subject"] == poison.lpn else 204
    )
    here = lite.subscribe(receiver, events.CONFIRMED, events.VOIDED).endpoint.endpoint_id
    lite.push([fact(poison), void_of(poison)])
    for _ in range(10):
        lite.push([fact(an_inspection(1))])
        lite.dispatcher().run_once()
        lite.clock.forward(86_400)
    lite.dispatcher().run_once()
    assert lite.endpoints.get(SITE, here).active
    assert "given up" in lite.endpoints.alerts(SITE)[0].text
    assert Counter(lite.states().values()) == {"delivered": 11, "failed": 1}, "the void behind it went out then"


def test_gone_switches_off_at_once_and_keeps_what_waits(bench: Bench, receiver: Receiver) -> None:
    receiver.answer = lambda _request: status(410)
    here = bench.subscribe(receiver, events.CONFIRMED).endpoint.endpoint_id
    bench.inspect(3)
    bench.dispatcher().run_once()
    assert len(receiver.received) == 1
    endpoint = bench.endpoints.get(SITE, here)
    assert not endpoint.active
    assert "410" in (endpoint.disabled_reason or "")
    assert endpoint.pending == 3
    assert len(bench.endpoints.alerts(SITE)) == 1
    receiver.answer = lambda _request: status(204)
    bench.endpoints.change(SITE, here, EndpointChange(active=True), bench.clock.now())
    assert bench.dispatcher().run_once() == 3


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_respected_for_the_whole_endpoint(lite: Bench, receiver: Receiver, code: int) -> None:
    receiver.answer = lambda _request: status(code, "Retry-After: 600")
    lite.subscribe(receiver, events.CONFIRMED)
    lite.inspect(5)
    assert lite.dispatcher().run_once() == 1
    receiver.answer = lambda _request: status(204)
    lite.clock.forward(599)
    assert lite.dispatcher().run_once() == 0
    lite.clock.forward(2)
    assert lite.dispatcher().run_once() == 5


def test_a_dead_receiver_is_asked_ever_less_often(lite: Bench) -> None:
    url = f"http://127.0.0.1:{refused_port()}/"
    here = lite.endpoints.create(SITE, NewEndpoint(url, [events.CONFIRMED]), lite.clock.now()).endpoint.endpoint_id
    lite.inspect(200)
    tries = 0
    for _ in range(900):
        tries += lite.dispatcher().run_once()
        lite.clock.forward(1)
    assert 10 <= tries <= 25, "a quarter of an hour of a dead receiver"
    assert lite.endpoints.get(SITE, here).pending == 200


def trickle(connection: socket.socket) -> None:
    """An answer that never ends, one byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.02)


def slow_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"a")
        time.sleep(0.02)


def silent(connection: socket.socket) -> None:
    connection.recv(1)


HOSTILE: dict[str, tuple[Answer, str]] = {
    "trickled head": (trickle, "no answer within"),
    "trickled body": (slow_body, "no answer within"),
    "silence": (silent, "no answer within"),
    "closed at once": (lambda connection: connection.shutdown(socket.SHUT_RDWR), "RemoteDisconnected"),
    "garbage": (lambda connection: connection.sendall(b"\x00\xffgarbage\r\n\r\n"), "BadStatusLine"),
    "endless header": (
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000),
        "LineTooLong",
    ),
    "too many headers": (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 500 + b"\r\n"), "HTTPException"),
    "redirect inwards": (status(302, "Location: http://169.254.169.254/latest/meta-data/"), "not followed"),
    "redirect that keeps the method": (status(308, "Location: http://127.0.0.1:1/"), "not followed"),
    "early hints for ever": (
        lambda c: [c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n") for _ in range(10**6)],
        "no answer",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_answers_fail_in_time_and_in_words(lite: Bench, receiver: Receiver, case: str) -> None:
    answer, words = HOSTILE[case]
    receiver.answer = lambda _request: answer
    here = lite.subscribe(receiver, events.CONFIRMED).endpoint.endpoint_id
    lite.inspect(1)
    assert lite.dispatcher(timeout_s=0.3).run_once() == 1
    (waiting,) = lite.endpoints.deliveries(SITE, here, None, 5)
    assert (waiting.state, waiting.attempts) == ("pending", 1)
    assert words in (waiting.error or ""), waiting.error


def test_a_huge_answer_is_not_read_to_its_end(lite: Bench, receiver: Receiver) -> None:
    receiver.answer = lambda _request: status(200, body=b"x" * 5_000_000)
    lite.subscribe(receiver, events.CONFIRMED)
    lite.inspect(3)
    assert lite.dispatcher().run_once() == 3
    assert set(lite.states().values()) == {"delivered"}


# --- addresses


def attempt(bench: Bench, url: str, egress: Egress, resolve: Callable[[str, int], list[str]], **more: object) -> str:
    """One delivery with other settings than the endpoint was made with; returns what is noted."""
    permissive = Egress(HERE.private, frozenset({"127.0.0.1", "erp.example", "erp.example."}))
    endpoints = Endpoints(bench.database, bench.outbox, bench.key, permissive)
    here = endpoints.create(SITE, NewEndpoint(url, [events.CONFIRMED]), bench.clock.now()).endpoint.endpoint_id
    bench.inspect(1)
    bench.dispatcher(egress, resolve=resolve, **more).run_once()
    (noted,) = bench.endpoints.deliveries(SITE, here, None, 5)
    return noted.error or noted.state


def test_a_name_that_points_inwards_is_never_connected_to(lite: Bench, receiver: Receiver) -> None:
    egress = Egress((), frozenset({"erp.example"}))
    said = attempt(lite, receiver.url("erp.example"), egress, resolve_here)
    assert "127.0.0.1, which is not a public address" in said
    assert receiver.received == []


def test_rebinding_gains_nothing_because_the_checked_address_is_the_one_connected_to(
    lite: Bench, receiver: Receiver
) -> None:
    """The name resolves to an allowed address first, and to an inner one whenever it is asked again."""
    asked: list[str] = []

    def rebinding(name: str, _port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.66.66.66"]

    allowed = Egress((ipaddress.ip_network("127.0.0.1/32"),), frozenset({"erp.example"}))
    assert attempt(lite, receiver.url("erp.example"), allowed, rebinding) == "delivered"
    assert asked == ["erp.example"], "once"
    assert receiver.received[0].headers["host"] == f"erp.example:{receiver.port}"


def test_negative_control_resolving_twice_would_connect_inwards(receiver: Receiver) -> None:
    """What a client that checks one answer and connects by name does: the second answer is never checked."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    def naive_connect(name: str) -> str:
        from sync.server.downstream.addresses import check_url, resolve_checked

        resolve_checked(check_url(f"https://{name}/", Egress()), Egress(), lambda *_: next(answers))
        return next(answers)[0]

    assert naive_connect("erp.example") == "127.0.0.1"


def test_a_connection_that_is_kept_stays_at_the_checked_address(lite: Bench, receiver: Receiver) -> None:
    asked: list[str] = []
    lite.endpoints.create(SITE, NewEndpoint(receiver.url("erp.example"), [events.CONFIRMED]), lite.clock.now())
    lite.inspect(8)

    def resolve(name: str, _port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    assert lite.dispatcher(resolve=resolve).run_once() == 8
    assert len(asked) == 1


def test_a_name_without_an_address_is_tried_again(lite: Bench) -> None:
    def no_dns(_name: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert "gaierror" in attempt(lite, "https://erp.example/", HERE, no_dns)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for erp.example alone."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "erp.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("erp.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "erp.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(encoding))
    return file


@pytest.fixture
def tls_receiver(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with Receiver(tls=context) as made:
        made.names = names  # type: ignore[attr-defined]
        yield made


def test_tls_is_checked_for_the_name_though_the_address_is_connected_to(
    lite: Bench, tls_receiver: Receiver, certificate: Path
) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    assert attempt(lite, tls_receiver.url("erp.example"), HERE, resolve_here, tls=trusted) == "delivered"
    assert tls_receiver.names == ["erp.example"]
    assert tls_receiver.received[0].headers["host"] == f"erp.example:{tls_receiver.port}"


def test_a_certificate_of_another_name_or_of_nobody_is_refused(
    lite: Bench, tls_receiver: Receiver, certificate: Path
) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    said = attempt(lite, tls_receiver.url("other.example"), HERE, resolve_here, tls=trusted)
    assert "CERTIFICATE_VERIFY_FAILED" in said
    untrusted = lite.dispatcher(resolve=resolve_here)
    lite.endpoints.create(SITE, NewEndpoint(tls_receiver.url("erp.example")), lite.clock.now())
    lite.inspect(1)
    untrusted.run_once()
    assert tls_receiver.received == []


# --- who sends


def test_another_server_key_switches_off_in_place_of_signing_wrongly(lite: Bench, receiver: Receiver) -> None:
    here = lite.subscribe(receiver).endpoint.endpoint_id
    lite.inspect(1)
    lite.endpoints = Endpoints(lite.database, lite.outbox, WebhookKey(b"x" * 32), HERE)
    assert lite.dispatcher().run_once() == 0
    assert receiver.received == []
    assert "another server key" in (lite.endpoints.get(SITE, here).disabled_reason or "")
    lite.endpoints.rotate(SITE, here, lite.clock.now())
    lite.endpoints.change(SITE, here, EndpointChange(active=True), lite.clock.now())
    assert lite.dispatcher().run_once() == 4


def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(bench: Bench, receiver: Receiver) -> None:
    """The server dies between the receiver's answer and the note: the lease ends, the event goes out again."""
    here = bench.subscribe(receiver, events.CONFIRMED).endpoint.endpoint_id
    made = facts_of_units(units=3, rounds=2)
    bench.push([fact(each) for each in made])

    class Dies(Outbox):
        def note(self, *_: object) -> None:
            raise KeyboardInterrupt

    sound = bench.outbox
    bench.outbox = Dies(bench.database)
    with pytest.raises(KeyboardInterrupt):
        bench.dispatcher().run_once()
    bench.outbox = sound
    first = receiver.ids()
    assert len(first) == 6
    assert bench.dispatcher().run_once() == 0, "the lease still holds"
    bench.clock.forward(121)
    assert bench.dispatcher().run_once() == 6
    assert receiver.ids()[6:] == first
    assert order_of(receiver.received) == expected_order(made)
    assert bench.endpoints.get(SITE, here).pending == 0


def test_a_late_note_does_not_undo_what_another_has_delivered(bench: Bench, receiver: Receiver) -> None:
    here = bench.subscribe(receiver, events.CONFIRMED).endpoint.endpoint_id
    bench.inspect(1)
    dispatcher = bench.dispatcher()
    receiver.answer = lambda _request: status(500)

    def delivered_meanwhile(_request: Received) -> Answer:
        with bench.database.writing() as connection:
            connection.execute(update(deliveries).values(state="delivered", lease_until=None))
        return status(500)

    receiver.answer = delivered_meanwhile
    dispatcher.run_once()
    assert set(bench.states().values()) == {"delivered"}
    assert bench.endpoints.get(SITE, here).pending == 0


def test_two_dispatchers_at_work_deliver_each_event_once_and_in_order(bench: Bench, receiver: Receiver) -> None:
    """Real threads over one database, as two workers have; nobody dies, so nothing may come twice."""
    bench.subscribe(receiver, events.CONFIRMED, events.REFUND)
    made = facts_of_units(units=40, rounds=3)
    bench.push([fact(each) for each in made[:60]])
    dispatchers = [bench.dispatcher() for _ in range(2)]
    for dispatcher in dispatchers:
        dispatcher.start()
    bench.push([fact(each) for each in made[60:]])
    until(lambda: len(receiver.ids()) >= 160, 30, "160 events")
    for dispatcher in dispatchers:
        dispatcher.stop()
    assert Counter(Counter(receiver.ids()).values()) == {1: 160}, (
        "three inspections and one refund of each of forty units"
    )
    assert order_of(receiver.received) == expected_order(made)
    assert set(bench.states().values()) == {"delivered"}


def test_a_slow_receiver_does_not_starve_another(lite: Bench, receiver: Receiver) -> None:
    release = threading.Event()
    with Receiver(lambda _request: lambda connection: (release.wait(20), connection.close())) as slow:
        lite.endpoints.create(SITE, NewEndpoint(slow.url(), [events.CONFIRMED]), lite.clock.now())
        lite.subscribe(receiver, events.CONFIRMED)
        lite.inspect(100)
        dispatcher = lite.dispatcher(timeout_s=30.0)
        dispatcher.start()
        until(lambda: len(receiver.ids()) == 100, 15, "the quick one has all")
        assert 1 <= len(slow.received) <= 4
        release.set()
        dispatcher.stop()


def test_negative_control_without_leases_two_dispatchers_send_twice(
    either_database: URL, open_bench: Callable[[URL], Bench], receiver: Receiver
) -> None:
    bench = open_bench(either_database)
    bench.subscribe(receiver, events.CONFIRMED)
    bench.inspect(5)
    taken = [bench.outbox.lease(SITE, bench.endpoints.all(SITE)[0].endpoint_id, bench.clock.now(), past, 16)
             for past in [bench.clock.now() - dt.timedelta(seconds=1)] * 2]  # fmt: skip
    assert [len(lanes) for lanes in taken] == [5, 5]
    proper = [bench.outbox.lease(SITE, bench.endpoints.all(SITE)[0].endpoint_id, bench.clock.now(), later, 16)
              for later in [bench.clock.now() + dt.timedelta(seconds=9)] * 2]  # fmt: skip
    assert [len(lanes) for lanes in proper] == [5, 0]
