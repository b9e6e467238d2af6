"""Who works here: badges, PINs, roles and what each may do, checked at the bench without a network.

Context: a badge that is scanned says who somebody claims to be; six digits prove it only if nobody can try them at
leisure. A bench is a PC on a warehouse floor, and its database is copied more easily than one thinks.
Decision: the centre sends benches one verifier for each person of their site,
``argon2id(HMAC(site key, person, PIN))``. The bench keeps neither that nor the badge's code as they came: it keeps
``HMAC(pepper, …)`` of both (``sealing``). The site key is in no database, the pepper leaves the bench's own key store
never; so neither the centre's database nor the bench's is of use to anybody alone. Wrong tries are counted before the
PIN is looked at and the wait is kept on disk (``lockout``). What a person may do is one table (``may``); the bench asks
it to be helpful, the server asks it again, of the roles at the time of the record.
Price: a PIN costs 0.15 s and 64 MiB for a moment, once a shift; a reboot begins a running wait again from its start.

Nothing here writes, sends or waits: storage is handed in (``Lockouts``), and so is the time (``Moment``).
"""

from station.people.badges import BadgeCode, new_badge, parse_badge
from station.people.keys import BenchKeys, SiteKey
from station.people.lockout import Lockouts, LockState, MemoryLockouts, Moment, boot_id
from station.people.may import Act, Permission, permit
from station.people.person import Person, Role, RoleSpan, read_person, roles_at
from station.people.pins import RFC9106_LOW_MEMORY, Cost, check_pin, make_verifier
from station.people.roster import VERIFIER_AGE, Proof, Reason, Refused, Roster, SignedIn
from station.people.sealing import SealedPerson, open_sealed, seal

__all__ = [
    "RFC9106_LOW_MEMORY",
    "VERIFIER_AGE",
    "Act",
    "BadgeCode",
    "BenchKeys",
    "Cost",
    "LockState",
    "Lockouts",
    "MemoryLockouts",
    "Moment",
    "Permission",
    "Person",
    "Proof",
    "Reason",
    "Refused",
    "Role",
    "RoleSpan",
    "Roster",
    "SealedPerson",
    "SignedIn",
    "SiteKey",
    "boot_id",
    "check_pin",
    "make_verifier",
    "new_badge",
    "open_sealed",
    "parse_badge",
    "permit",
    "read_person",
    "roles_at",
    "seal",
]
