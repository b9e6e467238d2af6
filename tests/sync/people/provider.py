"""A small OpenID provider: real HTTP, real keys, real signatures, and every way of cheating that the tests need."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
CLIENT = "returns-station"


class FakeProvider:
    """Says yes to everybody at once; what it says is changed by the tests."""

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(urlsplit(self.path).path)
                outer.get(self)

            def do_POST(self) -> None:
                outer.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.token(self, {key: values[0] for key, values in parse_qs(body.decode()).items()})

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.claims: dict[str, Any] = {"sub": "u-17", "name": "Mia Berg", "groups": ["leads"]}
        """Of the next ID token; a value None leaves the claim out."""
        self.algorithm, self.kid, self.key = "RS256", "rsa", RSA
        self.discovery: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.raw_token: str | None = None
        self.asked: list[str] = []

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def visit(self, url: str) -> tuple[str, str]:
        """What the person's browser does there; returns state and code."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert (query["client_id"], query["code_challenge_method"]) == (CLIENT, "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return query["state"], code

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/.well-known/openid-configuration":
            plain = {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys", **self.discovery,
            }  # fmt: skip
            _say(handler, 200, plain)
        elif handler.path == "/keys":
            rsa_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()))
            ed_key = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(ED.public_key()))
            strange = {"kty": "oct", "kid": "oct", "k": "c2VjcmV0", "alg": "HS256"}
            keys = [
                rsa_key | {"kid": "rsa", "alg": "RS256", "use": "sig"},
                ed_key | {"kid": "ed", "alg": "EdDSA"},
                strange,
            ]
            _say(handler, 200, {"keys": keys})
        else:
            _say(handler, 404, {})

    def token(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        begun = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if begun is None or begun["code_challenge"] != challenge or begun["redirect_uri"] != form["redirect_uri"]:
            _say(handler, 400, {"error": "invalid_grant"})
            return
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": begun["nonce"], **self.claims,
        }  # fmt: skip
        claims = {key: value for key, value in claims.items() if value is not None}
        token = self.raw_token or jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.kid})
        if self.raw_token == "none":
            token = jwt.encode(claims, None, "none", headers={"kid": self.kid})
        if self.raw_token == "public key as a secret":
            token = _signed_with_the_public_key(claims)
        if self.raw_token == "changed":
            head, _, signature = jwt.encode(claims, RSA, "RS256", headers={"kid": "rsa"}).split(".")
            body = _pack({**claims, "groups": ["it"]})
            token = f"{head}.{body}.{signature}"
        _say(handler, 200, {"id_token": token, "access_token": "x", "token_type": "Bearer"})


def _signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """The classic: HMAC with the public key as its secret."""
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{_pack({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{_pack(claims)}"
    mac = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _pack(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _say(handler: BaseHTTPRequestHandler, status: int, value: object) -> None:
    body = json.dumps(value).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
