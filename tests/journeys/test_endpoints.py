"""How the address of an endpoint is written, and what is said of one that will not do."""

from __future__ import annotations

import pytest

from journeys.endpoints import Endpoint, is_local
from journeys.problems import Invalid
from journeys.reading import read_endpoint, write

URL = "https://crm.example.com/hooks"


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://crm.example.com:8443/a;b?c=d%20e",
        "HTTPS://CRM.EXAMPLE.COM",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]:8443/",
        "https://a_b.example.com./",
        "https://crm/",
    ],
)
def test_an_address_on_the_internet(url: str) -> None:
    assert not read_endpoint({"endpoint": "crm", "url": url}).is_local


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3:9000", "[::1]:9000", "localhost", "LOCALHOST.", "a.localhost"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_on_this_machine(scheme: str, host: str) -> None:
    assert read_endpoint({"endpoint": "crm", "url": f"{scheme}://{host}/x"}).is_local


@pytest.mark.parametrize(
    ("said", "urls"),
    {
        "https is expected": [
            "http://crm.example.com",
            "http://127.0.0.1.nip.io",
            "http://8.8.8.8",
            "http://localhost.com",
        ],
        "whole web address": [
            "crm.example.com",
            "//crm.example.com",
            "ftp://crm.example.com",
            "https://",
            "https:///x",
            "https:crm.example.com",
            "file:///etc/passwd",
        ],
        "user or a password": [
            "https://ada@crm.example.com",
            "https://ada:pw@crm.example.com",
            "https://@crm.example.com",
        ],
        "for browsers": ["https://crm.example.com/#part", "https://crm.example.com#"],
        "port": [
            "https://crm.example.com:0",
            "https://crm.example.com:",
            "https://crm.example.com:65536",
            "https://crm.example.com:x",
            "https://[",
        ],
        "neither a name nor an address": [
            "https://127.1",
            "https://2130706433",
            "https://0x7f.0.0.1",
            "https://0177.0.0.1",
            "https://a..b",
            "https://-a.example",
            f"https://{'a' * 64}.example",
            "https://crm.1",
            "https://[v1.x]",
        ],
        "not public (private)": ["https://10.0.0.1", "https://192.168.0.1:8443/x", "https://[fd00::1]"],
        "not public (link-local)": ["https://169.254.169.254/latest", "https://[fe80::1]"],
        "not public (one of IPv4 within IPv6)": ["https://[::ffff:127.0.0.1]"],
        "letters and signs of ASCII": [
            "https://bücher.example",
            "https://crm.example.com/a b",
            "https://a\\b.example",
            "https://crm.example.com/\r\nX: y",
            " https://crm.example.com",
            "https://crm.example.com/x{y}",
        ],
    }.items(),
)
def test_what_will_not_do_is_said(said: str, urls: list[str]) -> None:
    for url in urls:
        with pytest.raises(Invalid) as raised:
            read_endpoint({"endpoint": "crm", "url": url})

        [flaw] = raised.value.flaws
        assert flaw.path == "url"
        assert said in flaw.message + flaw.hint, url


def test_what_was_stored_before_is_read_as_it_is() -> None:
    assert Endpoint.model_validate({"endpoint": "crm", "url": "http://crm.example.com"}).url == "http://crm.example.com"


def test_a_name_that_only_looks_like_this_machine_is_none() -> None:
    assert not any(map(is_local, ["https://localhost.example.com", "https://127.0.0.1.nip.io", "https://notlocalhost"]))


def test_it_reads_back_as_it_was_written() -> None:
    written = f"endpoint: crm\nurl: {URL}\n"

    assert write(read_endpoint(written)) == written


def test_other_words_for_its_address_are_understood_as_mistakes() -> None:
    with pytest.raises(Invalid) as raised:
        read_endpoint({"endpoint": "crm", "uri": URL})

    assert 'Did you mean "url"?' in str(raised.value)
