"""Where deliveries may go: the tricks that are known to get requests into other people's networks."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.server.downstream.addresses import (
    Egress,
    Forbidden,
    check_url,
    is_allowed,
    parse_egress,
    resolve_checked,
)

OPEN = Egress()


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1", "not an address",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(text: str) -> None:
    assert not is_allowed(text, OPEN)


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_public_ones_are_allowed(text: str) -> None:
    assert is_allowed(text, OPEN)


@given(st.ip_addresses(v=4))
def test_a_disguise_in_ipv6_changes_nothing(plain: ipaddress.IPv4Address) -> None:
    number = int(plain)
    disguises = [f"::ffff:{plain}", str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
                 str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))]  # fmt: skip
    for disguised in disguises:
        assert is_allowed(disguised, OPEN) == is_allowed(str(plain), OPEN)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///path",
        "//example.com",
        "https://user@example.com/", "https://user:pass@169.254.169.254/", "https://example.com@169.254.169.254/",
        "https://169.254.169.254\\@example.com/", "https://example.com#@169.254.169.254/", "https://exa mple.com/",
        "https://example.com/\r\nX-Evil: 1", "https://example.com:0/", "https://example.com:99999/", "https://[::1/",
        "https://exämple.com/", "https://example.com/\x00", "https://-/", "https://" + "a" * 3000, "gopher://example.com",
    ],
)  # fmt: skip
def test_urls_that_no_webhook_needs_are_refused(url: str) -> None:
    with pytest.raises(Forbidden) as refused:
        check_url(url, OPEN)
    assert "pass" not in str(refused.value) or "passwd" in url, "a password is not repeated"


def test_http_only_where_it_is_listed() -> None:
    egress = parse_egress("10.0.0.0/8", "erp.local")
    assert check_url("http://ERP.local:8080/in?a=b", egress).authority == "erp.local:8080"
    with pytest.raises(Forbidden):
        check_url("http://erp.local.example.com/", egress)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "example.com"])
def test_whatever_a_name_is_written_like_its_address_decides(host: str) -> None:
    target = check_url(f"https://{host}/", OPEN)
    with pytest.raises(Forbidden, match=r"127\.0\.0\.1"):
        resolve_checked(target, OPEN, lambda _name, _port: ["127.0.0.1"])


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    target = check_url("https://example.com/", OPEN)
    with pytest.raises(Forbidden, match=r"169\.254\.169\.254"):
        resolve_checked(target, OPEN, lambda _name, _port: ["93.184.215.14", "169.254.169.254"])


def test_private_networks_that_it_allows() -> None:
    egress = parse_egress("10.1.0.0/16, fd00::/8", "")
    assert is_allowed("10.1.2.3", egress)
    assert is_allowed("::ffff:10.1.2.3", egress)
    assert is_allowed("fd12::1", egress)
    assert not is_allowed("10.2.0.1", egress)
    assert not is_allowed("169.254.169.254", egress)
