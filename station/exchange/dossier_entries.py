"""The entries of a dossier, as a journal would give them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from station.errors import InvalidInput
from station.exchange.dossier import Header, entry_name
from station.exchange.dossier_verify import members, verify_dossier
from station.journal.entry import Entry

_HEADER = msgspec.json.Decoder(Header)


def dossier_entries(content: bytes) -> Iterator[Entry]:
    """The unit's own entries, in the order written.

    Raises:
        InvalidInput: it is no dossier, or something in it was changed; nothing of such a file is given out.
    """
    report = verify_dossier(content)
    if not report.ok:
        raise InvalidInput(f"the dossier does not hold: {report.problems[0].text}")
    found = members(content)
    for name in sorted(name for name in found if name.startswith("chain/")):
        for line in found[name].splitlines():
            header = _HEADER.decode(line)
            payload = found.get(entry_name(header.generation, header.seq, header.kind))
            if payload is not None:
                yield Entry(
                    header.station, header.generation, header.seq, header.id, header.kind, header.schema,
                    header.recorded_at, header.actor, payload, header.payload_sha256, header.prev_hash, header.hash,
                )  # fmt: skip
