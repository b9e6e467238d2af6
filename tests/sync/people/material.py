"""What the tests of people are made of."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy.engine import URL

from station.people import Cost, Role
from sync.protocol import Limits
from sync.protocol.people import SESSION_COOKIE, PersonRequest
from sync.server.access.signing import load_key
from sync.server.auth import Authenticator, LoopbackOnly
from sync.server.downstream.composition import Downstream
from sync.server.people.key import PeopleKey
from sync.server.people.oidc_provider import OidcSettings
from sync.server.people.setup import PeopleSettings
from sync.server.photos import open_photos
from sync.server.run import _bind, _run
from sync.server.service import Service
from sync.server.storage import open_database

CHEAP = Cost(1, 8, 1)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = PeopleKey(b"k" * 32)
PASSWORD = "seven brown parcels"


class SetClock:
    """A clock that stands until it is put forward."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOON).total_seconds()

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class PeopleServer:
    """The server as ``run`` puts it together, on a thread, with a clock of the test's and cheap hashes."""

    def __init__(
        self, url: URL, folder: Path, *, oidc: OidcSettings | None = None, authenticator: Authenticator | None = None,
        clock: SetClock | None = None,
    ) -> None:  # fmt: skip
        self.clock = clock or SetClock()
        self._url = url
        self._folder = folder
        self._oidc = oidc
        self._authenticator = authenticator or LoopbackOnly()
        self._start()

    def _start(self) -> None:
        database = open_database(self._url)
        keys = self._folder / "keys"
        settings = PeopleSettings(KEY, CHEAP, self._oidc)
        self.service = Service(
            database, open_photos(None, self._folder / "photos"), self._authenticator, self.clock, Limits(),
            load_key(keys), Downstream.from_environment(database, self.clock, keys), people=settings,
        )  # fmt: skip
        self.people = self.service.people
        listener = _bind("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ended = threading.Event()
        ready = threading.Event()

        def serve() -> None:
            with listener:
                _run(self.service, listener, self._ended, ready.set)

        self._thread = threading.Thread(target=serve)
        self._thread.start()
        assert ready.wait(20)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def restart(self) -> None:
        self.stop()
        self._start()

    def add(self, person: str, *roles: Role, site: str = "main", password: str | None = PASSWORD, **given: str) -> None:
        """Somebody who may sign in with ``person`` as login."""
        register = self.people.register
        register.put(site, person, PersonRequest(person.title(), login=person, **given), by="test")
        for role in roles:
            register.give(site, person, role, by="test")
        if password is not None:
            register.set_password(site, person, password, by="test")

    def ask(
        self, method: str, path: str, cookie: str | None = None, csrf: str | None = None, **given: object
    ) -> httpx.Response:
        headers = {"Station-Protocol": "1", **given.pop("headers", {})}  # type: ignore[dict-item]
        if cookie is not None:
            headers["Cookie"] = f"{SESSION_COOKIE}={cookie}"
        if csrf is not None:
            headers["X-CSRF-Token"] = csrf
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            return client.request(method, path, headers=headers, **given)

    def sign_in(self, login: str, password: str = PASSWORD, site: str = "main", **given: object) -> httpx.Response:
        return self.ask("POST", "/v1/session", json={"login": login, "password": password, "site": site}, **given)

    def browser(self, login: str, site: str = "main") -> Browser:
        """Somebody who is signed in."""
        answer = self.sign_in(login, site=site)
        assert answer.status_code == 201, answer.text
        return Browser(self, cookie_of(answer), answer.json()["csrf"])


class Browser:
    """Sends cookie and token along."""

    def __init__(self, server: PeopleServer, cookie: str, csrf: str) -> None:
        self._server = server
        self.cookie = cookie
        self.csrf = csrf

    def ask(self, method: str, path: str, **given: object) -> httpx.Response:
        return self._server.ask(method, path, self.cookie, self.csrf, **given)


def cookie_of(answer: httpx.Response, name: str = SESSION_COOKIE) -> str:
    for header in answer.headers.get_list("set-cookie"):
        found, _, rest = header.partition("=")
        if found == name:
            return rest.partition(";")[0].strip('"')
    raise AssertionError(f"no cookie {name} in {answer.headers}")
