"""Join a server with a one-time code; pass the bench's key on to a new one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

import msgspec

from station.clock import Clock
from station.errors import InvalidInput, OperatorError, SyncFault
from station.journal.seal import KEY_BYTES, from_base64, to_base64
from station.store.durable import make_folder
from sync.client.api import HttpApi, Outcome
from sync.client.decide import Verdict
from sync.client.identity import (
    KEY,
    NEXT_KEY,
    Enrolment,
    Identity,
    PrivateKey,
    key_from,
    load_identity,
    make_key,
    replace_enrolment,
    write_enrolment,
)
from sync.client.vault import Rung, Vault

logger = logging.getLogger(__name__)
_T = TypeVar("_T", bound=msgspec.Struct)


def enrol(home: Path, url: str, code: str, api: HttpApi, clock: Clock, vault: Vault | None = None) -> Identity:
    """Make a key, hand in its public half with the code, and keep what comes back.

    The key is kept before it is sent: if the answer is lost, the same code may be given again on this machine.

    Args:
        home: the station's folder; made if absent.
        url: the server's address, kept for later.
        api: to that address, without a token.

    Raises:
        OperatorError: the server does not take the code; the text says what to do.
        SyncFault: the server cannot be reached.
        StoreFault: the key cannot be kept.
    """
    make_folder(home)
    vault = vault or Vault(home)
    key, rung = _next_key(vault)
    answer = _answer_of(api.enrol(code, to_base64(key.public)), "the enrolment")
    try:
        from_base64(answer.server_key.public_key, KEY_BYTES)
    except InvalidInput as error:
        raise SyncFault(f"the server's key cannot be used: {error}") from error
    enrolment = Enrolment(
        station=answer.station, site=answer.site, server=answer.server, url=url, key=key.id,
        server_key=answer.server_key.public_key, enrolled_at=answer.server_time,
    )  # fmt: skip
    write_enrolment(home, enrolment)
    _settle(vault, key)
    logger.info("enrolled", extra={"station": answer.station, "site": answer.site, "key": key.id, "kept": rung.value})
    loaded = load_identity(home, clock, vault)
    assert loaded is not None
    return loaded


def rotate(home: Path, identity: Identity, api: HttpApi, vault: Vault | None = None) -> None:
    """Give the bench a new key, signed by the one in use. Killed anywhere, it can be done again.

    Args:
        api: speaks for this identity.

    Raises:
        OperatorError, SyncFault, StoreFault: the key in use goes on.
    """
    vault = vault or Vault(home)
    was_cut_short = vault.read(NEXT_KEY) is not None
    new, rung = _next_key(vault)
    signatures = identity.succeed(new)
    outcome = api.rotate(to_base64(new.public), *signatures)
    if outcome.verdict is Verdict.DENIED and was_cut_short:
        # The server took the next key before, and its answer was lost: then it counts already.
        before = identity.enrolment.key
        identity.use(new, rung)
        outcome = api.rotate(to_base64(new.public), *signatures)
        if outcome.answer is None:
            identity.enrolment = replace_enrolment(home, identity.enrolment, key=before)
    answer = _answer_of(outcome, "the new key")
    if answer.key != new.id:
        raise SyncFault(f"the server speaks of key {answer.key!r}, this bench sent {new.id!r}; nothing was changed")
    identity.use(new, rung)
    _settle(vault, new)
    logger.info("the bench has a new key", extra={"station": identity.station, "key": new.id})


def _next_key(vault: Vault) -> tuple[PrivateKey, Rung]:
    """The key that was about to be used when something went wrong, or a new one."""
    found = vault.read(NEXT_KEY)
    if found is not None:
        return key_from(found[0]), found[1]
    key = make_key()
    return key, vault.keep(NEXT_KEY, key.secret())


def _settle(vault: Vault, key: PrivateKey) -> None:
    vault.keep(KEY, key.secret())
    vault.forget(NEXT_KEY)


def _answer_of(outcome: Outcome[_T], what: str) -> _T:
    if outcome.answer is not None:
        return outcome.answer
    if outcome.verdict in (Verdict.DENIED, Verdict.REVOKED, Verdict.REFUSED, Verdict.TOO_OLD):
        raise OperatorError(outcome.detail)
    raise SyncFault(f"{what} did not come through: {outcome.detail}")
