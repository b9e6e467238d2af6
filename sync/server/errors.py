"""What a request can be answered with instead of its answer."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """A refusal with a code for programs and advice for people."""

    def __init__(
        self, status: int, code: str, message: str, advice: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.advice = advice
        self.headers = dict(headers or {})
