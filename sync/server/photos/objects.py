"""Photos in an S3-compatible object store, through obstore.

A photo is spooled to a nameless temporary file while it is hashed, then put under its hash by one request whose
SHA-256 the store checks as well; an object store shows an object whole or not at all. Only an answer of 2xx counts.
Credentials come from the environment alone (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, or the machine's role).

Source: obstore documentation, "S3Store", "put"; Amazon S3 API reference, PutObject (``If-None-Match``,
``x-amz-checksum-sha256``).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store

from station.errors import InvalidInput, StoreFault
from sync.server.photos.ports import PhotoMissing, Upload, Verifier, checked_name

_OPTIONS: Final = frozenset({"endpoint", "region", "path_style"})
_SPOOL: Final = 1 << 20
"""Bytes of a photo that are kept in memory before they go to a temporary file."""
_AT_ONCE: Final = 16
"""Questions to the store at the same time."""
_T = TypeVar("_T")


class PhotoObjects:
    """``PREFIX/ab/abcd….jpg`` in one bucket."""

    def __init__(self, url: str, *, timeout_s: float = 20.0, retry_s: float = 10.0) -> None:
        """
        Args:
            url: ``s3://BUCKET/PREFIX?endpoint=https://…&region=…``.
            timeout_s: for one request.
            retry_s: how long one call tries again, before the bench is told to come back later.

        Raises:
            InvalidInput: the URL cannot be used, or has credentials in it.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        bucket, _, host_has_more = parts.netloc.partition("@")
        if host_has_more or ":" in bucket or {name for name in options if "key" in name or "secret" in name}:
            raise InvalidInput(
                "--photos s3://…: credentials do not belong on the command line, where every process can read them; "
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's environment"
            )
        unknown = sorted(options.keys() - _OPTIONS)
        if not bucket or unknown or not all(options.values()):
            raise InvalidInput(
                f"--photos {url!r}: expected s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME, "
                f"options are {', '.join(sorted(_OPTIONS))}"
            )
        endpoint = options.get("endpoint")
        if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
            raise InvalidInput(f"--photos: endpoint={endpoint!r}: expected https://HOST or http://HOST:PORT")
        self.name = f"s3://{bucket}{parts.path}"
        self._prefix = parts.path.strip("/")
        given: dict[str, Any] = {"region": options.get("region", "us-east-1")}
        if endpoint is not None:
            given |= {"endpoint": endpoint, "virtual_hosted_style_request": options.get("path_style") == "no"}
        self._store = S3Store(
            bucket,
            **given,
            checksum_algorithm="SHA256",
            client_options={
                "allow_http": endpoint is not None and endpoint.startswith("http:"),
                "timeout": timedelta(seconds=timeout_s),
                "connect_timeout": timedelta(seconds=min(5.0, timeout_s)),
            },
            retry_config={
                "max_retries": 3,
                "retry_timeout": timedelta(seconds=retry_s),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2,
                },
            },
        )  # fmt: skip
        self._asking = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="photo-store")

    def key(self, sha256: str) -> str:
        """The one place of a photo in the bucket.

        Raises:
            InvalidInput: not a SHA-256.
        """
        place = f"{checked_name(sha256)[:2]}/{sha256}.jpg"
        return f"{self._prefix}/{place}" if self._prefix else place

    def holds(self, sha256: str) -> bool:
        try:
            obstore.head(self._store, self.key(sha256))
        except (NotFoundError, FileNotFoundError):
            return False
        except BaseError as error:
            raise _fault("asked", error) from error
        return True

    def held(self, hashes: Collection[str]) -> set[str]:
        asked = list(hashes)
        return {sha256 for sha256, is_held in zip(asked, self._asking.map(self.holds, asked), strict=True) if is_held}

    def receive(self, sha256: str) -> Upload:
        return _ObjectUpload(self._store, self.key(sha256), sha256)

    def read(self, sha256: str) -> bytes:
        try:
            content = bytes(obstore.get(self._store, self.key(sha256)).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise PhotoMissing(f"there is no photo {sha256} in the object store") from error
        except BaseError as error:
            raise _fault("read", error) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreFault(f"the photo {sha256} has changed in the object store; restore it from a backup")
        return content

    def delete(self, sha256: str) -> None:
        try:
            obstore.delete(self._store, self.key(sha256))
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise _fault("changed", error) from error


class _ObjectUpload:
    """Spool → verify → one PUT."""

    def __init__(self, store: S3Store, key: str, sha256: str) -> None:
        self.size = 0
        self._store = store
        self._key = key
        self._verifier = Verifier(sha256)
        self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - closed by abandon

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._verifier.update(chunk)
        try:
            self._spool.write(chunk)
        except OSError as error:
            raise StoreFault(f"the server's temporary folder cannot be written: {error.strerror}") from error

    def keep(self) -> None:
        self._verifier.check()
        self._spool.seek(0)
        content = self._spool.read()
        try:
            # "create" spares the store a second copy of what it has; whether it honours that is no matter
            obstore.put(self._store, self._key, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            self._compare(content)
        except (BaseError, OSError) as error:
            raise _fault("written", error) from error
        self._spool.close()

    def _compare(self, content: bytes) -> None:
        """What lies under this name already must be this photo; damage is written over."""
        try:
            there = bytes(obstore.get(self._store, self._key).bytes())
            if there != content:
                obstore.put(self._store, self._key, content, use_multipart=False)
        except (BaseError, OSError) as error:
            raise _fault("written", error) from error

    def abandon(self) -> None:
        self._spool.close()


def _fault(what: str, error: Exception) -> StoreFault:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return StoreFault(f"the object store cannot be {what}: {lines[0][:300] if lines else type(error).__name__}")
