"""schemathesis against the served document on a real server: what is said is what is answered.

Every example is chosen from a fixed seed; more of them with ``--slow``.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from tests.sync.material import ServerProcess

_SKIPPED = {
    "ignored_auth",  # this server has no token: it listens on this machine only
    "positive_data_acceptance",  # an entry of the right shape may have wrong hashes; it is answered for, not refused
    "negative_data_rejection",  # a bad entry among good ones is quarantined: the push is answered with 200
    "missing_required_header",  # schemathesis wants 406; another version of the protocol is told by 426
    "use_after_free",
    "ensure_resource_availability",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("schema") / "home") as running:
        yield running


def run(server: ServerProcess, examples: int) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json")
    checks = [check for name, check in CHECKS._items.items() if name not in _SKIPPED]
    assert len(checks) >= 5
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answered_as_said(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=checks)

        answered_as_said()
        count += 1
    assert count >= 15
    assert '"ERROR"' not in server.log()


def test_the_answers_are_those_of_the_document(server: ServerProcess) -> None:
    run(server, 8)


@pytest.mark.slow
def test_the_answers_are_those_of_the_document_long(server: ServerProcess) -> None:
    run(server, 60)


def test_a_document_that_lies_is_noticed(server: ServerProcess) -> None:
    """Negative control: schemathesis really compares."""
    document = httpx.get(f"{server.url}/v1/openapi.json", trust_env=False).json()
    document["components"]["schemas"]["StatusAnswer"]["properties"]["entries"] = {"type": "string"}
    document["paths"] = {"/v1/status": document["paths"]["/v1/status"]}
    schema = schemathesis.openapi.from_dict(document)
    (operation,) = [found.ok() for found in schema.get_all_operations()]
    case = operation.Case(headers={"Station-Protocol": "1"})
    with pytest.raises(schemathesis.errors.FailureGroup if hasattr(schemathesis.errors, "FailureGroup") else Exception):
        case.call_and_validate(base_url=server.url)
