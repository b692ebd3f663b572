"""Which addresses of the internet are public, and what the others are: by the registries of IANA."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

LOOPBACK = "loopback"

# Not by is_global of ipaddress: what it says differs between the releases of Python that we run on.
_NOT_PUBLIC = {
    ip_network(network): kind
    for kind, networks in {
        "unspecified": ("0.0.0.0/8",),
        LOOPBACK: ("127.0.0.0/8", "::1/128"),
        "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        "shared by customers of a provider": ("100.64.0.0/10",),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        # Azure's, which answers machines there, looks public; those of other clouds are link-local or private.
        "one of a cloud's own services": ("168.63.129.16/32",),
        "multicast": ("224.0.0.0/4", "ff00::/8"),
        "one of IPv4 within IPv6": (
            "::ffff:0:0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2001::/32",
            "2002::/16",
            "192.88.99.0/24",
        ),
        "for documentation": (
            "192.0.2.0/24",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "2001:db8::/32",
            "3fff::/20",
        ),
        "reserved": ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001::/23"),
    }.items()
    for network in networks
}
_GLOBAL_UNICAST = ip_network("2000::/3")


def not_public(address: Address) -> str:
    """What an address is that is not public, in a word or two; empty where it is one."""
    for network, kind in _NOT_PUBLIC.items():
        if address in network:
            return kind
    return "" if address.version == 4 or address in _GLOBAL_UNICAST else "reserved"


def literal(host: str) -> Address | None:
    """The address that a host is, where it is no name. IPv6 with or without its brackets."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
