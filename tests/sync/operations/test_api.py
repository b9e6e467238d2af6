"""The served OpenAPI document: complete, true, and enough for somebody else's client."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sync.material import ServerProcess, an_inspection, jpeg_of

VERSION = {"Station-Protocol": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("api") / "home") as running:
        yield running


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=VERSION, trust_env=False, timeout=20) as made:
        yield made


@pytest.fixture
def document(client: httpx.Client) -> dict:
    return client.get("/v1/openapi.json").json()


def test_every_message_of_the_protocol_is_described(document: dict) -> None:
    paths = document["paths"]
    assert set(paths) >= {
        "/v1/health", "/v1/hello", "/v1/journal", "/v1/photos/missing", "/v1/photos/{sha256}", "/v1/feed/{topic}",
        "/v1/status", "/v1/metrics", "/v1/openapi.json", "/v1/erasures",
    }  # fmt: skip
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert any(int(status) < 400 for status in operation["responses"]), (method, path)
    identities = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(identities) == len(set(identities))


def test_every_reference_leads_somewhere(document: dict) -> None:
    schemas = document["components"]["schemas"]
    found = [part.partition('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]]
    assert set(found) <= set(schemas)
    assert set(found) >= {"WireEntry", "PushRequest", "PushAnswer", "ErrorAnswer"}


class StrangersClient:
    """Somebody else's client: written from the document alone, with nothing of ours."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.document = client.get("/v1/openapi.json").json()
        paths = self.document["paths"]
        self.push_path = next(
            path for path, one in paths.items() if one.get("post", {}).get("operationId") == "postJournal"
        )
        (header,) = [one for one in paths[self.push_path]["post"]["parameters"] if one["in"] == "header"]
        self.headers = {header["name"]: header["schema"]["enum"][0]}
        self.fields = list(self.document["components"]["schemas"]["WireEntry"]["required"])

    def hello(self, station: str) -> dict:
        return self.client.get("/v1/hello", params={"station": station}, headers=self.headers).json()

    @staticmethod
    def hash_of(entry: dict, station: str) -> str:
        header = {
            name: entry[name] if name != "station" else station
            for name in ("actor", "generation", "id", "kind", "payload_sha256", "prev_hash", "recorded_at", "schema",
                         "seq", "station")
        }  # fmt: skip
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(b"returns-station journal v1\x00" + text.encode()).hexdigest()

    def entry(self, station: str, seq: int, prev_hash: str, kind: str, record: object) -> dict:
        payload = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        made = {
            "generation": 1, "seq": seq, "id": self.new_id(), "kind": kind, "schema": 1,
            "recorded_at": "2026-11-22T10:17:03.250000Z", "actor": "Zoë \"the fast\"\t", "payload": payload,
            "payload_sha256": hashlib.sha256(payload.encode()).hexdigest(), "prev_hash": prev_hash,
        }  # fmt: skip
        made["hash"] = self.hash_of(made, station)
        assert set(self.fields) <= set(made)
        return made

    @staticmethod
    def new_id() -> str:
        raw = bytearray(uuid.uuid4().bytes)
        raw[:6] = (1_795_000_000_000).to_bytes(6)
        raw[6] = 0x70 | (raw[6] & 0x0F)
        return str(uuid.UUID(bytes=bytes(raw)))

    def push(self, station: str, entries: list[dict]) -> dict:
        body = {"station": station, "entries": entries}
        return self.client.post(self.push_path, json=body, headers=self.headers).json()

    def send_photo(self, jpeg: bytes) -> int:
        name = hashlib.sha256(jpeg).hexdigest()
        asked = self.client.post("/v1/photos/missing", json={"hashes": [name]}, headers=self.headers).json()
        assert asked["missing"] == [name]
        return self.client.put(f"/v1/photos/{name}", content=jpeg, headers=self.headers).status_code


def test_another_client_pushes_from_the_document_alone(client: httpx.Client) -> None:
    from station.canonical import canonical_json  # only to have real records to send

    stranger = StrangersClient(client)
    assert stranger.hello("stranger-1")["heads"] == []
    before = client.get("/v1/status").json()
    previous, entries = "0" * 64, []
    for seq in range(1, 6):
        record = json.loads(canonical_json(an_inspection(seq, [jpeg_of(8_000 + seq)])))
        entries.append(stranger.entry("stranger-1", seq, previous, "inspection.confirmed", record))
        previous = entries[-1]["hash"]
    assert {one["status"] for one in stranger.push("stranger-1", entries)["results"]} == {"accepted"}
    assert {one["status"] for one in stranger.push("stranger-1", entries)["results"]} == {"duplicate"}
    assert stranger.hello("stranger-1")["heads"] == [{"generation": 1, "seq": 5, "hash": previous}]
    assert stranger.send_photo(jpeg_of(8_001)) == 201
    after = client.get("/v1/status").json()
    assert (after["inspections"] - before["inspections"], after["photos"] - before["photos"]) == (5, 1)


def test_a_wrong_hash_rule_is_noticed(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a client that hashes otherwise is quarantined, not taken."""
    stranger = StrangersClient(client)
    monkeypatch.setattr(stranger, "hash_of", lambda entry, station: hashlib.sha256(b"x").hexdigest())
    entry = stranger.entry("stranger-2", 1, "0" * 64, "parcel.closed", {})
    (result,) = stranger.push("stranger-2", [entry])["results"]
    assert (result["status"], result["code"]) == ("quarantined", "hash_mismatch")


@pytest.mark.parametrize("path", ["/v1/health/live", "/v1/health/ready", "/v1/metrics", "/v1/openapi.json"])
def test_probes_need_no_version_and_are_not_cached(server: ServerProcess, path: str) -> None:
    answer = httpx.get(server.url + path, trust_env=False)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


def test_metrics_count_what_happened(client: httpx.Client) -> None:
    def value(line: str) -> float:
        text = client.get("/v1/metrics").text
        found = [one for one in text.splitlines() if one.startswith(line + " ")]
        assert len(found) == 1, f"{line} in {text}"
        return float(found[0].rpartition(" ")[2])

    pushes, accepted = value("station_pushes_total"), value('station_entries_total{status="accepted"}')
    refused = value('station_requests_total{route="/v1/journal",status="4xx"}')
    stranger = StrangersClient(client)
    stranger.push("metered", [stranger.entry("metered", 1, "0" * 64, "parcel.parked", {
        "parcel_id": "p", "reason": "wet", "at": "2026-11-22T10:17:03.250000Z"})])  # fmt: skip
    client.post("/v1/journal", content=b"nonsense")
    assert value("station_pushes_total") == pushes + 1
    assert value('station_entries_total{status="accepted"}') == accepted + 1
    assert value('station_requests_total{route="/v1/journal",status="4xx"}') == refused + 1
    assert value('station_push_seconds_bucket{le="+Inf"}') == value("station_push_seconds_count")
    assert value('station_bench_entries{site="main",station="metered"}') == 1
    assert value('station_bench_last_seen_seconds{site="main",station="metered"}') < 600


def test_metrics_need_the_token_where_there_is_one(tmp_path: Path) -> None:
    token = "a-long-secret-of-the-floor"
    with (
        ServerProcess(tmp_path / "home", environment={"STATION_SERVER_TOKEN": token}) as running,
        httpx.Client(base_url=running.url, trust_env=False) as client,
    ):
        known = {"Authorization": f"Bearer {token}"}
        assert client.get("/v1/metrics").status_code == 401
        assert client.get("/v1/metrics", headers=known).status_code == 200
        assert client.get("/v1/health/live").status_code == 200
        name = hashlib.sha256(jpeg_of(1)).hexdigest()
        assert client.get(f"/v1/photos/{name}", headers=VERSION).status_code == 401
        for method, path in (("GET", "/v1/erasures"), ("DELETE", "/v1/holds/u")):
            answer = client.request(method, path, headers=VERSION | known)
            assert answer.status_code == 403, "a bench's token is no administrator"


def test_a_photo_comes_back_as_it_went(client: httpx.Client) -> None:
    jpeg = jpeg_of(77)
    name = hashlib.sha256(jpeg).hexdigest()
    assert client.get(f"/v1/photos/{name}").status_code == 404
    assert client.put(f"/v1/photos/{name}", content=jpeg).status_code == 201
    got = client.get(f"/v1/photos/{name}")
    assert (got.status_code, got.content, got.headers["x-content-type-options"]) == (200, jpeg, "nosniff")
    assert got.headers["content-disposition"] == f'attachment; filename="{name}.jpg"'
    assert client.get("/v1/photos/nonsense").status_code == 400
