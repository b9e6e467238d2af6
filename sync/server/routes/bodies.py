"""Read request bodies without trusting their size."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final, TypeVar

import msgspec
from litestar.exceptions import InternalServerException

from sync.server.errors import ApiError
from sync.server.service import HttpRequest

_T = TypeVar("_T")

_GZIP: Final = 31
"""``wbits`` of zlib for exactly the gzip format."""


async def read_capped(chunks: AsyncIterator[bytes], declared: int | None, cap: int) -> bytes:
    """The whole body.

    Raises:
        ApiError: 413, as soon as it is known.
    """
    if declared is not None and declared > cap:
        raise too_large(cap)
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > cap:
            raise too_large(cap)
    return bytes(body)


def unpack(body: bytes, encoding: str, cap: int) -> bytes:
    """Undo ``Content-Encoding``, never making more than ``cap`` bytes (a bomb is refused early).

    Raises:
        ApiError: 413, 415 for another encoding, 400 for a damaged or cut stream.
    """
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise ApiError(415, "encoding", f"Content-Encoding {encoding!r} is not known", "send gzip or no encoding")
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(body, cap + 1)
    except zlib.error as error:
        raise ApiError(400, "gzip", f"the gzip body is damaged: {error}", "send it again") from error
    if len(plain) > cap:
        raise too_large(cap)
    if not stream.eof or stream.unused_data:
        raise ApiError(400, "gzip", "the gzip body is cut short or has something behind it", "send it again")
    return plain


def too_large(cap: int) -> ApiError:
    """413 with the limit."""
    return ApiError(
        413, "too_large", f"the body is larger than {cap} bytes", "send less at once; hello tells the limits"
    )


async def chunks_of(request: HttpRequest) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        ApiError: the other side went away.
    """
    try:
        async for chunk in request.stream():
            yield chunk
    except InternalServerException as error:  # so says the framework when the other side goes away: no error of ours
        raise ApiError(400, "cut", "the sender went away before the end", "send it again") from error


async def read_json(request: HttpRequest, kind: type[_T], cap: int) -> _T:
    """Read, unpack and decode a body.

    Raises:
        ApiError: too large, damaged, or not this kind of message.
    """
    body = await read_capped(chunks_of(request), request.content_length, cap)
    return decode(kind, unpack(body, request.headers.get("content-encoding", "").lower(), cap))


def decode(kind: type[_T], body: bytes) -> _T:
    """Decode JSON strictly.

    Raises:
        ApiError: 400 with what is wrong.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ApiError(400, "malformed", f"the body cannot be read: {error}", "see /v1/openapi.json") from error
