"""Which links that were clicked are the one that is asked for."""

from __future__ import annotations

import pytest

from journeys.links import fits, flaw_of

CART = "https://shop.example.com/cart"
SAME = [
    CART,
    f"{CART}/",
    f"{CART}?utm_source=sendgrid.com&utm_medium=email",
    f"{CART}?gclid=1",
    f"{CART}?id=7",
    f"{CART}#top",
    f"{CART}/?fbclid=x#top",
    "https://Shop.Example.com/cart",
    "HTTPS://shop.example.com/cart",
    "https://shop.example.com:443/cart",
    "https://shop.example.com./cart",
    "https://shop.example.com/c%61rt",
    f"  {CART}\n",
]
OTHERS = [
    "http://shop.example.com/cart",
    "https://shop.example.com/carts",
    "https://shop.example.com/cart/help",
    "https://shop.example.com/Cart",
    "https://shop.example.com",
    "https://shop.example.com:8443/cart",
    "https://evil.example/?https://shop.example.com/cart",
    "https://shop.example.com@evil.example/cart",
    "https://[::1/cart",
    "https://shop.example.com:99999999/cart",
    "",
    "cart",
    "\0",
]


@pytest.mark.parametrize("clicked", SAME)
def test_what_is_added_or_spelt_otherwise_is_the_same_link(clicked: str) -> None:
    assert fits(CART, clicked)


@pytest.mark.parametrize("clicked", OTHERS)
def test_another_address_is_another_link(clicked: str) -> None:
    assert not fits(CART, clicked)


@pytest.mark.parametrize(
    ("asked", "clicked", "expected"),
    [
        ("https://a.example/carts/*", "https://a.example/carts/c-1?utm_source=x", True),
        ("https://a.example/carts/*", "https://a.example/carts/c-1/pay", True),
        ("https://a.example/carts/*", "https://a.example/help", False),
        ("https://a.example/*/pay", "https://a.example/c-1/pay", True),
        ("https://a.example/*/pay", "https://a.example/c-1/pay/later", False),
        ("https://a.example/a*a", "https://a.example/a", False),
        ("https://a.example/p?id=1", "https://a.example/p?utm_id=9&id=1", True),
        ("https://a.example/p?id=1", "https://a.example/p?id=2", False),
        ("https://a.example/p?id=1", "https://a.example/p", False),
        ("https://a.example/p?id=*", "https://a.example/p?id=2", True),
        ("https://a.example/p?utm_source=news", "https://a.example/p", True),
        ("https://a.example/#/cart", "https://a.example/#/cart", True),
        ("https://a.example/#/cart", "https://a.example/#/help", False),
        ("https://a.example", "https://a.example/", True),
        ("https://bücher.example/neu", "https://xn--bcher-kva.example/neu", True),
        ("https://a.example/ü", "https://a.example/%C3%BC", True),
        ("myapp://cart/1", "myapp://cart/1", True),
        ("cart", "cart", True),
    ],
)
def test_stars_parameters_and_fragments(asked: str, clicked: str, expected: bool) -> None:
    assert fits(asked, clicked) is expected


def test_many_stars_take_no_time() -> None:
    assert not fits("https://a.example/" + "*a" * 900 + "b", "https://a.example/" + "a" * 3_000)


@pytest.mark.parametrize(
    "asked", ["{{ event.url }}", "https://a.example/{{ event.id }}", "/cart", "cart", "https://", "https://*/a"]
)
def test_what_no_click_could_be_is_a_flaw(asked: str) -> None:
    assert flaw_of(asked)


@pytest.mark.parametrize("asked", [CART, f"{CART}/*", f"{CART}?a=b#c", "myapp://cart"])
def test_a_link_is_none(asked: str) -> None:
    assert not flaw_of(asked)
