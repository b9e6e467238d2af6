"""``station people``: the first admin of a server, from the command line to the API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from station.errors import EnvironmentFault, InvalidInput, OperatorError
from station.people import parse_badge
from tests.sync.material import LocalServer
from tests.sync.people.material import PASSWORD
from ui.cli.people import people


def run(home: Path, *arguments: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(people, list(arguments), obj=home, input=given, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value or 0, result.output


def test_the_first_admin_is_made_here_and_signs_in_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(home, "add", "ida", "--name", "Ida", "--login", "ida", "--role", "admin", given=PASSWORD + "\n")[0] == 0
    assert run(home, "give", "ida", "admin")[0] == 1
    assert run(home, "give", "ida", "lead")[0] == 0
    assert run(home, "pin", "ida", given="409127\n")[0] == 0
    parse_badge(run(home, "badge", "ida")[1])
    shown = json.loads(run(home, "list", "--json")[1])["people"]
    assert [(one["id"], one["has_pin"], one["has_badge"], one["has_password"]) for one in shown] == [
        ("ida", True, True, True)
    ]
    assert "admin lead" in run(home, "list")[1]
    with pytest.raises(OperatorError, match="only admin"):
        run(home, "disable", "ida")
    with pytest.raises(OperatorError, match="nobody here"):
        run(home, "end", "max", "lead")
    with pytest.raises(InvalidInput, match="cannot be added"):
        run(home, "add", "../x", "--name", "X")
    with LocalServer(home) as server:
        import httpx

        body = {"login": "ida", "password": PASSWORD}
        answer = httpx.post(server.url + "/v1/session", json=body, trust_env=False)
        assert answer.status_code == 201
        assert answer.json()["roles"] == ["admin", "lead"]
        with pytest.raises(EnvironmentFault, match="another server already uses"):
            run(home, "list")
    everything = b"".join(path.read_bytes() for path in home.rglob("*sqlite3*"))
    for secret in (PASSWORD, "409127"):
        assert secret.encode() not in everything
