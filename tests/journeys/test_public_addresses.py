"""Which addresses are public: those that are called from here are in nobody's own network."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from journeys.public_addresses import literal, not_public


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.215.14",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "2003::1",
        "2001:200::1",
    ],
)
def test_what_is_public(address: str) -> None:
    assert not_public(ip_address(address)) == ""


@pytest.mark.parametrize(
    ("kind", "addresses"),
    {
        "unspecified": ["0.0.0.0", "0.1.2.3"],
        "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
        "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd00:ec2::254", "fec0::1"],
        "shared by customers of a provider": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
        "link-local": ["169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "febf::1"],
        "one of a cloud's own services": ["168.63.129.16"],
        "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
        "one of IPv4 within IPv6": [
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "192.88.99.1",
        ],
        "for documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
        "reserved": [
            "192.0.0.1",
            "192.0.0.192",
            "198.18.0.1",
            "198.19.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::127.0.0.1",
            "100::1",
            "2001:2::1",
            "2001:10::1",
            "4000::1",
            "5f00::1",
        ],
    }.items(),
)
def test_what_is_not_public_is_named(kind: str, addresses: list[str]) -> None:
    assert {address: not_public(ip_address(address)) for address in addresses} == dict.fromkeys(addresses, kind)


def test_no_address_that_python_knows_to_be_special_is_taken_for_public() -> None:
    for number in range(0, 2**32, 2**16 + 1):
        address = ip_address(number)
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not_public(address), address


@pytest.mark.parametrize(("host", "found"), [("::1", "::1"), ("[::1]", "::1"), ("127.1", None), ("crm.example", None)])
def test_an_address_is_told_from_a_name(host: str, found: str | None) -> None:
    assert literal(host) == (ip_address(found) if found else None)
