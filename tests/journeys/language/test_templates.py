"""Templates: what is filled in, what is refused, and that nothing in them runs away or breaks out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.language.template_check import check
from journeys.language.templates import TemplateError, Values, names, render, render_line

VALUES: Values = {
    "event": {
        "cart_id": "c1",
        "total": 40.0,
        "gift": True,
        "left_at": datetime(2026, 11, 24, 9, tzinfo=UTC),
        "none": None,
        "evil": "<script>alert('x')</script>",
        "header": "Hello\r\nBcc: all@example.com",
        "big": "a" * 150_000,
        "digits": "9" * 4_000,
    },
    "customer": {"first_name": "Ada"},
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hi {{ customer.first_name }}!", "Hi Ada!"),
        ("{{ event.total }} {{ event.gift }}", "40 true"),
        ("[{{ event.nothing }}][{{ event.none }}][{{ event.nothing.at.all }}]", "[][][]"),
        ("{{ event.nothing | default: 'friend' }}", "friend"),
        ("{{ event.none | default: 'friend' }}", "friend"),
        ("{{ customer.first_name | default: 'friend' }}", "Ada"),
        ("{% if event.nothing %}a{% else %}b{% endif %}", "b"),
        ("{% if event.total > 30 %}a{% endif %}", "a"),
        ("{% assign x = event.total | times: 2 %}{{ x }}", "80"),
        ("{% for i in (1..3) %}{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1,2,3"),
        ("{{ event.left_at | date: '%d %b %Y' }}", "24 Nov 2026"),
        ("{{ 0 | date: '%Y-%m-%d %H' }}", "1970-01-01 00"),
        ("{{ 99999999999999999 | date: '%Y' }}", "99999999999999999"),
        ("{{ event.cart_id.size }}", "2"),
        ("{% raw %}{{ x {% endraw %}", "{{ x "),
        ("{% comment %}{{ event.total }}{% endcomment %}x", "x"),
        ("{{ 'a < b' }} {{ event.evil }}", "a < b <script>alert('x')</script>"),
    ],
)
def test_renders(source: str, expected: str) -> None:
    assert render(source, VALUES) == expected


@pytest.mark.parametrize("customer", [{}, {"nick": None}, {"nick": ""}, {"nick": " \t"}, {"nick": False}], ids=str)
@pytest.mark.parametrize(
    "source",
    [
        "{% if customer.nick == blank %}blank{% endif %}",
        "{% if blank == customer.nick %}blank{% endif %}",
        "{% unless customer.nick != blank %}blank{% endunless %}",
        "{% if customer.nick == blank and true %}blank{% endif %}",
        "{% case customer.nick %}{% when 'Ada', blank %}blank{% else %}something{% endcase %}",
        "{% assign nick = customer.nick %}{% if nick == blank %}blank{% endif %}",
    ],
)
def test_what_is_not_there_is_blank(source: str, customer: dict[str, object]) -> None:
    assert render(source, {"customer": customer}) == "blank"


@pytest.mark.parametrize("nick", ["Ada", 0, 1.5, True], ids=str)
def test_what_is_there_is_not_blank(nick: object) -> None:
    source = "{% if customer.nick == blank %}blank{% endif %}{% if customer.nick != blank %}there{% endif %}"

    assert render(source, {"customer": {"nick": nick}}) == "there"


def test_only_a_text_without_characters_is_empty() -> None:
    source = "{% if customer.nick == empty %}empty{% endif %}"

    assert [render(source, {"customer": {"nick": nick}}) for nick in ("", " ", None)] == ["empty", "", ""]


def test_missing_roots_are_missing_values() -> None:
    assert render("[{{ event.cart_id }}{{ customer.first_name }}]", {}) == "[]"


def test_now_is_the_time_given() -> None:
    now = datetime(2030, 5, 6, tzinfo=UTC)

    assert render('{{ "now" | date: "%Y" }} {{ "today" | date: "%d" }}', VALUES, now=now) == "2030 06"


def test_without_a_time_there_is_no_now() -> None:
    assert render("[{{ now }}{{ today }}]", VALUES) == "[]"
    with pytest.raises(TemplateError, match='line 1: there is no "now" here'):
        render('{{ "now" | date: "%Y" }}', VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "{{ event.__class__ }}",
        "{{ event.__class__.__mro__ }}",
        "{{ event.cart_id.__class__ }}",
        "{{ event.left_at.__class__ }}{{ event.left_at.year }}",
        "{{ event.items }}{{ event.keys }}{{ event.copy }}",
        "{{ event['__class__'] }}",
        "{{ event.size }}{{ event.first }}{{ event.last }}",
        "{% assign x = '__class__' %}{{ event[x] }}",
        "{{ '' | map: '__class__' }}",
    ],
)
def test_nothing_but_attributes_can_be_reached(source: str) -> None:
    assert render(source, VALUES) == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>{{ event.evil }}</p>", "<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</p>"),
        ('<a title="{{ event.quote }}">', '<a title="&#34; onload=&#34;x">'),
        ("{{ '<br>' }}", "<br>"),
        ("{{ '<b>' | append: event.tag }}", "<b>&lt;i&gt;"),
        ("{{ event.tag | escape }}", "&lt;i&gt;"),
        ("{{ event.tag | escape_once }}", "&lt;i&gt;"),
        ("{{ event.tag | replace: 'i', '<' }}", "&lt;&lt;&gt;"),
        ("{{ 'x' | replace: 'x', event.tag }}", "&lt;i&gt;"),
        ("{{ event.tag | newline_to_br }}", "&lt;i&gt;"),
        ("{{ event.tag | split: '' | join: '<br>' }}", "&lt;<br>i<br>&gt;"),
        ("{{ '%3Ci%3E' | url_decode }}", "&lt;i&gt;"),
        ("{{ 'PGk+' | base64_decode }}", "&lt;i&gt;"),
        ("{% capture x %}{{ event.tag }}{% endcapture %}{{ x }}", "&lt;i&gt;"),
        ("{% assign x = event.tag %}{{ x }}", "&lt;i&gt;"),
        ("{% cycle event.tag %}", "&lt;i&gt;"),
        ("{% echo event.tag %}", "&lt;i&gt;"),
        ("{{ event.tag | date: '%Y' }}", "&lt;i&gt;"),
    ],
)
def test_values_are_escaped_in_html(source: str, expected: str) -> None:
    values = {"event": {"evil": "<script>alert('x')</script>", "tag": "<i>", "quote": '" onload="x'}}

    assert render(source, values, html=True) == expected


def test_escaping_cannot_be_switched_off() -> None:
    assert [str(flaw) for flaw in check("{{ event.evil | safe }}")] == [
        'line 1: there is no filter "safe". Values in HTML are always escaped.'
    ]
    with pytest.raises(TemplateError):
        render("{{ event.evil | safe }}", VALUES, html=True)


@pytest.mark.parametrize(
    "char", ["\r", "\n", "\r\n", "\0", "\t", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x7f"], ids=repr
)
def test_a_line_stays_one_line(char: str) -> None:
    line = render_line("Hi {{ event.name }}{{ event.name }}", {"event": {"name": f"a{char}b{char}"}})

    assert line == "Hi a b a b"


def test_no_header_can_be_injected() -> None:
    assert render_line("Your cart: {{ event.header }}\n", VALUES) == "Your cart: Hello Bcc: all@example.com"


@given(st.text())
def test_a_line_has_no_control_characters(text: str) -> None:
    line = render_line("{{ event.x }}", {"event": {"x": text}})

    assert len(line.splitlines()) <= 1
    assert all(char.isprintable() or ord(char) > 0x9F for char in line)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% for i in (1..100000000) %}x{% endfor %}", "grows too large"),
        ("{% for i in (1..99999999999999999999) %}x{% endfor %}", "grows too large"),
        ("{% for i in (1..9000) %}{% for j in (1..9000) %}{% endfor %}{% endfor %}", "turn too often"),
        ("{% for i in (1..9000) %}{% endfor %}" * 3, "turn too often"),
        ("{% tablerow i in (1..99999) %}{% endtablerow %}", "turn too often"),
        ("{% for i in (1..1000000000000) offset:100000000000 limit:1 %}{{ i }}{% endfor %}", "grows too large"),
        ("{% if (1..9999999999999) contains 'a' %}{% endif %}", "grows too large"),
        ("{% assign x = (1..9999999999999) %}{% if x contains 'a' %}{% endif %}", "grows too large"),
        ("{{ (1..9999999999999) | join }}", "grows too large"),
        ("{% for i in (1..10000) %}" + '{{""}}' * 400 + "{% endfor %}", "too much work"),
        ("{% for i in (1..9999) %}{{ event.big | size }}{% endfor %}", "too much work"),
        (
            "{% for i in (1..500) %}" + "".join(f"{{% assign a{i} = 1 %}}" for i in range(2000)) + "{% endfor %}",
            "too much",
        ),
    ],
    ids=[
        "loop",
        "huge-loop",
        "nested",
        "sequence",
        "table",
        "offset",
        "contains",
        "variable",
        "join",
        "nodes",
        "reads",
        "names",
    ],
)
def test_endless_work_ends(source: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        render(source, VALUES)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% assign x = 'aaaa' %}{% for i in (1..99) %}{% assign x = x | append: x %}{% endfor %}", "grows too large"),
        ("{{ event.big | append: event.big }}", "grows too large"),
        ("{{ event.big | replace: 'a', event.big }}", "grows too large"),
        ("{{ event.big | replace: '', event.big }}", "grows too large"),
        ("{{ event.big | split: '' }}", "grows too large"),
        ("{{ 'a b c' | split: ' ' | join: event.big }}", "grows too large"),
        ("{% assign x = event.big | split: ',' %}{% assign x = x | concat: x %}{{ x }}", "grows too large"),
        ("{% assign x = 99999999 %}{% for i in (1..99) %}{% assign x = x | times: x %}{% endfor %}", "grows too large"),
        ("{{ event.digits | times: event.digits }}", "cannot be rendered"),
        ("{{ event.big }}{{ event.big }}", "output stream limit reached"),
        ("{% capture x %}{{ event.big }}{{ event.big }}{% endcapture %}", "output stream limit reached"),
    ],
    ids=[
        "doubling",
        "append",
        "replace",
        "replace-nothing",
        "split",
        "join",
        "list",
        "number",
        "digits",
        "output",
        "capture",
    ],
)
def test_memory_does_not_explode(source: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        render(source, VALUES)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% raw %}" * 20_000, "{% raw %} is never closed"),
        ("{% doc %}" * 20_000, "{% doc %} is never closed"),
        ("{% comment %}" + "{{" * 90_000 + "{% endcomment %}", "{{ is never closed"),
        ("{{" * 90_000, "{{ is never closed"),
        ("{%" * 90_000, "{% is never closed"),
        ("{{" + " " * 90_000 + "}}", "too many blanks"),
        ("{% if" + " " * 90_000 + "%}", "too many blanks"),
        ("{% " + "a" * 90_000, "too long a name"),
        ("{{ a" + "[a" * 20_000 + "]" * 20_000 + "}}", "nested too deeply"),
        ("{% if a %}" * 1_000, "block nesting limit reached"),
        ("a" * 200_001, "longer than 200000 characters"),
    ],
    ids=["raw", "doc", "comment", "output", "tag", "blanks", "tag-blanks", "name", "brackets", "blocks", "long"],
)
def test_a_source_that_would_take_for_ever_to_read_is_refused(source: str, why: str) -> None:
    [flaw] = check(source)

    assert why in flaw.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a\n{{ b", "line 2: {{ is not closed. Close it with }}."),
        (
            "a\nb\n{% if %}x{% endif %}",
            "line 3: a value is missing here. As in {{ customer.first_name }} or {% if event.total > 50 %}.",
        ),
        ("{% if event.a %}\nx", "line 2: {% if %} is not closed. Close it with {% endif %}."),
        ("\n{% nope %}", 'line 2: there is no tag "nope".'),
        ("{% esle %}", 'line 1: there is no tag "esle". Did you mean "else"?'),
        ("{% customer.name %}", "line 1: {% customer… %} is no tag. A value is written {{ customer.… }}."),
        ("{% endif %}", "line 1: {% endif %} stands where nothing is open that it belongs to."),
        ("{% if event.a = 'x' %}{% endif %}", "line 1: = was not expected here. Write == to compare."),
        ("{% if event.a && event.b %}{% endif %}", "line 1: & was not expected here. Write and instead of &&."),
        ("{{ event.a | default: “b” }}", "line 1: “ was not expected here. Use straight quotes: ' or \"."),
        ("{{{ event.a }}}", "line 1: { was not expected here. Two braces are enough: {{ customer.first_name }}."),
        ("\n{% include 'x' %}", "line 2: there is no {% include %}. A template cannot include others."),
        ("\n{% render 'x' %}", "line 2: there is no {% render %}. A template cannot include others."),
        ("\n\n{{ event.a | upcas }}", 'line 3: there is no filter "upcas". Did you mean "upcase"?'),
        (
            "\n{{ cart_id }}",
            (
                'line 2: "cart_id" does not start with event. or customer., which is all a template sees. '
                "Write event.cart_id or customer.cart_id."
            ),
        ),
        (
            "{{ custmer.name }}",
            (
                'line 1: "custmer.name" does not start with event. or customer., which is all a template sees. '
                'Did you mean "customer.name"?'
            ),
        ),
        (
            "{{ now }}",
            (
                'line 1: "now" does not start with event. or customer., which is all a template sees. '
                'For the time, write {{ "now" | date: "%Y" }}.'
            ),
        ),
        ("{{ event }}", "line 1: event does not name one attribute. Write it like event.name."),
        ("{{ event[0] }}", "line 1: event[0] does not name one attribute. Write it like event.name."),
    ],
)
def test_a_flaw_says_its_line(source: str, expected: str) -> None:
    assert [str(flaw) for flaw in check(source)] == [expected]


def test_all_unknown_names_and_filters_come_at_once_in_order() -> None:
    flaws = check("{{ a }}\n{{ event.b | nope }}\n{% if c %}{% endif %}\n{{ customer[event.x] }}")

    assert [flaw.message[:6] for flaw in flaws] == ["line 1", "line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "no tags at all",
        "{{ event.a }}{{ customer.b | default: event.c | upcase }}",
        "{% assign x = 1 %}{{ x }}",
        "{% capture x %}{% endcapture %}{{ x }}",
        "{% for i in (1..3) %}{{ i }}{{ forloop.index }}{% endfor %}",
        '{{ "now" | date: "%Y" }}',
        '{{ "{%" }}',
    ],
)
def test_a_good_template_has_no_flaw(source: str) -> None:
    assert check(source) == []


def test_names_are_the_attributes_used() -> None:
    source = """
        {{ event.cart_id.size }} {{ event["total"] }} {% assign x = customer.first_name %}{{ x }}
        {% if event.gift %}{{ "a" | append: customer.last_name }}{% endif %}
        {% for i in (1..event.count) %}{{ i }}{% endfor %} {{ other.name }} {{ event[customer.key] }}
    """

    assert names(source) == {
        "event.cart_id",
        "event.total",
        "event.gift",
        "event.count",
        "customer.first_name",
        "customer.last_name",
        "customer.key",
    }


def test_names_of_what_cannot_be_read_is_a_template_error() -> None:
    with pytest.raises(TemplateError) as refusal:
        names("{{ a\n{% if %}")

    assert refusal.value.line == 1


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("a\n{{ 1 | divided_by: 0 }}", "line 2: divided_by: can't divide by 0"),
        ("{{ 'inf' | round }}", "line 1: round cannot be applied to what it is given"),
        ("{{ event.cart_id | append }}", "line 1: append cannot be applied to what it is given"),
        ("{{ event.cart_id | sum }}", "line 1: sum cannot be applied"),
        ("{% if event.cart_id > 5 %}{% endif %}", "not supported between a number and text"),
        ("{{ event.cart_id | truncate: 'x' }}", "line 1: truncate expected a number, found text"),
        ("{{ event.cart_id | nope }}", 'line 1: there is no filter "nope"'),
    ],
)
def test_what_fails_while_rendering_is_a_template_error_with_its_line(source: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        render(source, VALUES)


@given(st.text(alphabet="{}%-|.: \n'\"()[]0123abefinort", max_size=80), st.booleans())
def test_any_source_renders_or_is_a_template_error(source: str, html: bool) -> None:
    with suppress(TemplateError):
        render(source, VALUES, html=html)
