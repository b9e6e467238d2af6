"""The company's own sign-in: what is configured, what the provider says, and whether an ID token may be believed.

Source: OpenID Connect Core 1.0 §3.1.3.7 (validation of ID tokens), Discovery 1.0 §4; RFC 7636 (PKCE, S256); RFC 9700.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
import msgspec

from station.errors import EnvironmentFault, InvalidInput
from station.people import Role

SECRET_VARIABLE: Final = "STATION_OIDC_SECRET"
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures with a public key only: neither ``none`` nor HMAC, which would take the public key for a secret."""
_TIMEOUT_S: Final = 5.0
_LARGEST: Final = 256 * 1024
_KEYS_FOR_S: Final = 600.0
_KEYS_AGAIN_S: Final = 30.0
_LEEWAY_S: Final = 60.0
_OLDEST_S: Final = 600.0
"""An ID token comes fresh from the provider; one that was issued longer ago was lying about."""


class Refusal(Exception):
    """The provider's answer cannot be believed. The text is for the log, not for who asks."""


class OidcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``oidc.toml`` in the server's folder; the client's secret is in the environment."""

    issuer: str
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    redirect_uri: str
    """``https://THIS-SERVER/v1/session/oidc/callback``, as the provider knows it."""
    roles: dict[str, list[str]]
    """Group at the provider → roles here. Who is in none of these groups does not get in."""
    site: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}$")] = "main"
    groups_claim: str = "groups"
    name_claim: str = "name"
    scope: str = "openid profile"

    def __post_init__(self) -> None:
        for name, url in (("issuer", self.issuer), ("redirect_uri", self.redirect_uri)):
            if not is_safe_url(url):
                raise ValueError(f"{name} = {url!r}: expected https:// (http:// on this machine only)")
        unknown = sorted({role for roles in self.roles.values() for role in roles} - set(Role))
        if unknown or not self.roles:
            raise ValueError(f"[roles] names {unknown}: expected lists of {', '.join(Role)}")
        if "openid" not in self.scope.split():
            raise ValueError(f"scope = {self.scope!r}: expected 'openid' among it")


def read_oidc(folder: Path) -> OidcSettings | None:
    """Read ``oidc.toml``; None = people sign in by password only.

    Raises:
        InvalidInput: it cannot be used; says what is wrong.
    """
    path = folder / "oidc.toml"
    if not path.exists():
        return None
    try:
        return msgspec.toml.decode(path.read_bytes(), type=OidcSettings)
    except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
        raise InvalidInput(f"{str(path)!r}: {error}") from error


def is_safe_url(text: str) -> bool:
    """https, or http to this machine itself; no user, no fragment."""
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        if url.username or url.password or url.fragment or not host:
            return False
        return url.scheme == "https" or (url.scheme == "http" and _is_here(host))
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Tokens(msgspec.Struct, frozen=True):
    id_token: Annotated[str, msgspec.Meta(max_length=16_384)]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for."""

    subject: str
    name: str
    groups: frozenset[str]


@dataclass(slots=True)
class _Kept:
    discovery: _Discovery | None = None
    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    keys_at: float = float("-inf")


class Provider:
    """Speaks with the provider: no redirects, short waits, small answers. Blocks; call it on a thread."""

    def __init__(self, settings: OidcSettings, secret: str | None, client: httpx.Client | None = None) -> None:
        """
        Args:
            secret: the client's, for providers that gave one; PKCE is used in any case.
        """
        self.settings = settings
        self._secret = secret
        self._client = client or httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False)
        self._kept = _Kept()
        self._lock = threading.Lock()

    def sign_in_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Where the browser is sent.

        Raises:
            EnvironmentFault: the provider does not answer, or says nonsense.
        """
        query = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": self.settings.redirect_uri,
            "scope": self.settings.scope, "state": state, "nonce": nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        target = self._discover().authorization_endpoint
        return f"{target}{'&' if '?' in target else '?'}{urlencode(query)}"

    def redeem(self, code: str, verifier: str, nonce: str) -> Identity:
        """Change the code for an ID token and read it.

        Raises:
            Refusal: the code is not taken, or the token cannot be believed.
            EnvironmentFault: the provider does not answer, or says nonsense.
        """
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.settings.redirect_uri,
            "client_id": self.settings.client_id, "code_verifier": verifier,
        }  # fmt: skip
        if self._secret is not None:
            form["client_secret"] = self._secret
        body = self._ask("POST", self._discover().token_endpoint, form)
        if body is None:
            raise Refusal("the provider does not take the code")
        return self._believe(_read(body, _Tokens).id_token, nonce)

    def close(self) -> None:
        self._client.close()

    def _believe(self, token: str, nonce: str) -> Identity:
        settings = self.settings
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise Refusal(f"an ID token signed with {str(algorithm)[:20]!r}")
            key = self._key(str(header.get("kid", "")))
            if key.algorithm_name != algorithm:
                raise Refusal(f"the key is for {key.algorithm_name}, the token says {algorithm}")
            claims: dict[str, Any] = jwt.decode(
                token, key.key, algorithms=[algorithm], audience=settings.client_id, issuer=settings.issuer,
                leeway=_LEEWAY_S, options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise Refusal(f"{type(error).__name__}: {error}") from error
        return self._identity(claims, nonce)

    def _identity(self, claims: Mapping[str, Any], nonce: str) -> Identity:
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.settings.client_id:
            raise Refusal("the ID token was made for another program")
        if claims["nonce"] != nonce:
            raise Refusal("the nonce is of another sign-in")
        if time.time() - float(claims["iat"]) > _OLDEST_S + _LEEWAY_S:
            raise Refusal("the ID token was issued too long ago")
        subject, name = claims["sub"], claims.get(self.settings.name_claim) or claims["sub"]
        groups = claims.get(self.settings.groups_claim, [])
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise Refusal("the subject cannot be used")
        if not isinstance(groups, list):
            raise Refusal(f"the claim {self.settings.groups_claim!r} is no list")
        shown = "".join(c for c in str(name) if c.isprintable())[:120] or subject[:120]
        return Identity(subject, shown, frozenset(group for group in groups if isinstance(group, str)))

    def _discover(self) -> _Discovery:
        with self._lock:
            if self._kept.discovery is None:
                self._kept.discovery = self._read_discovery()
            return self._kept.discovery

    def _read_discovery(self) -> _Discovery:
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found: _Discovery = _read(self._ask("GET", url) or b"", _Discovery)
        if found.issuer != self.settings.issuer:
            raise EnvironmentFault(
                f"the provider calls itself {found.issuer[:200]!r}, configured is {self.settings.issuer!r}"
            )
        for target in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if not is_safe_url(target):
                raise EnvironmentFault(f"the provider names {target[:200]!r}: expected https://")
        return found

    def _key(self, name: str) -> jwt.PyJWK:
        jwks_uri = self._discover().jwks_uri
        with self._lock:
            age = time.monotonic() - self._kept.keys_at
            # a key that is not known may be new; but who sends tokens with made-up names may not make us ask for each
            if age > _KEYS_FOR_S or (name not in self._kept.keys and age > _KEYS_AGAIN_S):
                self._kept.keys = self._read_keys(jwks_uri)
                self._kept.keys_at = time.monotonic()
            found = self._kept.keys.get(name)
        if found is None:
            raise Refusal("signed with a key that the provider does not have")
        return found

    def _read_keys(self, url: str) -> dict[str, jwt.PyJWK]:
        plain = _read(self._ask("GET", url) or b"", dict[str, list[dict[str, Any]]])
        keys: dict[str, jwt.PyJWK] = {}
        for each in plain.get("keys", [])[:50]:
            if each.get("use", "sig") != "sig" or each.get("kty") == "oct":
                continue
            try:
                keys[str(each.get("kid", ""))] = jwt.PyJWK(each)
            except jwt.PyJWTError:
                continue  # of a kind that this version does not know; it may be for others
        return keys

    def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> bytes | None:
        """The body; None = refused (4xx)."""
        try:
            with self._client.stream(method, url, data=form, headers={"Accept": "application/json"}) as answer:
                if 400 <= answer.status_code < 500:
                    return None
                if answer.status_code != 200:
                    raise EnvironmentFault(f"the provider answers {answer.status_code} at {url!r}")
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > _LARGEST:
                        raise EnvironmentFault(f"the provider's answer at {url!r} is larger than {_LARGEST} bytes")
                return bytes(body)
        except httpx.HTTPError as error:
            raise EnvironmentFault(f"the provider at {url!r} cannot be reached: {error}") from error


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise EnvironmentFault(f"the provider's answer cannot be read: {error}") from error
