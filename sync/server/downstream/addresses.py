"""Which addresses a delivery may go to: the guard against requests into our own network (SSRF).

The name is resolved once, every address it has must be allowed, and the connection is made to one of exactly these, so
that a name which resolves differently the next moment (DNS rebinding) gains nothing.
Source: OWASP Server Side Request Forgery Prevention Cheat Sheet; ASVS 5.0 1.3.6; RFC 6890, RFC 6052, RFC 3056.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from station.errors import InvalidInput

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""(name, port) → addresses. Raises OSError."""

_NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")
_LONGEST: Final = 2000


class Forbidden(InvalidInput):
    """A delivery may not go there."""


@dataclass(frozen=True, slots=True)
class Egress:
    """What the site's IT allows beyond https to the open internet."""

    private: tuple[Network, ...] = ()
    """Networks that may be reached although they are not global, e.g. where the ERP stands."""
    plain_hosts: frozenset[str] = frozenset()
    """Names or addresses that may be spoken to without TLS."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, taken apart."""

    tls: bool
    host: str
    """Name or address as in the URL, lower case, without brackets."""
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """For the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def parse_egress(private: str, plain_hosts: str) -> Egress:
    """Read the two settings, each a list with commas.

    Raises:
        InvalidInput: a network is none.

    >>> parse_egress("10.1.0.0/16, 192.168.5.7", "erp.local").private[1].num_addresses
    1
    """
    networks: list[Network] = []
    for word in filter(None, (part.strip() for part in private.split(","))):
        try:
            networks.append(ipaddress.ip_network(word))
        except ValueError as error:
            raise InvalidInput(f"{word!r} is not a network: expected e.g. 10.1.0.0/16 or 192.168.5.7") from error
    hosts = frozenset(filter(None, (part.strip().lower() for part in plain_hosts.split(","))))
    return Egress(tuple(networks), hosts)


def check_url(url: str, egress: Egress) -> Target:
    """Take a URL apart, refusing what no webhook needs.

    Raises:
        Forbidden: not https (or an allowed http), a user in it, a strange character, no host.
    """
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>^`{|}'):
        raise Forbidden(f"{url[:200]!r} is not an address for deliveries: only printable ASCII, {_LONGEST} at most")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise Forbidden(f"{url!r} cannot be read as an address: {error}") from error
    if "@" in parts.netloc:
        raise Forbidden(f"{url.replace(parts.netloc, '…')!r} has a user in it: give the bare host")
    if parts.fragment or "#" in url:
        raise Forbidden(f"{url!r} has a fragment, which is never sent")
    if not (_is_address(host) or _HOST.fullmatch(host)):
        raise Forbidden(f"{url!r} names no host")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in egress.plain_hosts):
        raise Forbidden(f"{url!r}: expected https:// (http only for hosts that IT has listed)")
    if port == 0:
        raise Forbidden(f"{url!r}: port 0")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(tls, host, port or (443 if tls else 80), path)


def resolve_checked(target: Target, egress: Egress, resolve: Resolve) -> list[str]:
    """The addresses of a target, every one of them allowed.

    Raises:
        Forbidden: one is not.
        OSError: the name does not resolve.
    """
    found = list(dict.fromkeys(resolve(target.host, target.port)))
    if not found:
        raise OSError(f"{target.host!r} has no address")
    for text in found:
        if not is_allowed(text, egress):
            raise Forbidden(
                f"{target.host!r} resolves to {text}, which is not a public address; IT can allow private ones"
            )
    return found


def is_allowed(text: str, egress: Egress) -> bool:
    """Whether a delivery may go to this address.

    >>> [is_allowed(text, Egress()) for text in ("93.184.215.14", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%2")]
    [True, False, False, False]
    """
    try:
        address = _inner(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if any(address.version == network.version and address in network for network in egress.private):
        return True
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    )


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    number = int(address)
    if any(address in network for network in _NAT64) or number >> 32 == 0:
        return ipaddress.IPv4Address(number & 0xFFFF_FFFF)
    return address


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
