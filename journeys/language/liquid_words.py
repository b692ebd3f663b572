"""What the library says of a template, in words of those who write templates, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

TAGS = ("if", "unless", "case", "for", "assign", "capture", "comment", "raw", "else", "elsif", "when", "cycle", "echo")
FILTER = "A filter is written with | before it and : after it: {{ customer.first_name | default: 'you' }}."
VALUE = "As in {{ customer.first_name }} or {% if event.total > 50 %}."
CALCULATE = "To calculate, use a filter: {{ event.total | times: 2 }}, and plus, minus, divided_by."


def in_words(message: str) -> tuple[str, str]:
    """A message of the library as ours, and a hint. What is not known stays, with its types in plain words."""
    for pattern, said in _SAID:
        if found := pattern.fullmatch(message):
            return said(*found.groups()) if callable(said) else said
    return _TYPES.sub(lambda found: _WORDS[found[1]], message), ""


def _tag(name: str) -> tuple[str, str]:
    if name in ("include", "render"):
        return f"there is no {{% {name} %}}", "A template cannot include others."
    if name in ("event", "customer"):
        return f"{{% {name}… %}} is no tag", f"A value is written {{{{ {name}.… }}}}."
    if name == "end":
        return "{% end %} does not say what it ends", "Write {% endif %}, {% endfor %} or whatever was opened."
    if name in TAGS or name.startswith("end"):
        return f"{{% {name} %}} stands where nothing is open that it belongs to", ""
    near = get_close_matches(name, [*TAGS, *(f"end{tag}" for tag in TAGS[:8])], n=1)
    return f'there is no tag "{name}"', f'Did you mean "{near[0]}"?' if near else ""


def _not_closed(tag: str) -> tuple[str, str]:
    return f"{{% {tag} %}} is not closed", f"Close it with {{% end{tag} %}}."


def _char(char: str) -> tuple[str, str]:
    hints = {
        "“”„‘’": "Use straight quotes: ' or \".",
        "'\"": "A text ends with the quote that it began with.",
        "{": "Two braces are enough: {{ customer.first_name }}.",
        "&": "Write and instead of &&.",
        "*+/?!-": CALCULATE,
        "=": "Write == to compare.",
    }
    return f"{char} was not expected here", next((hint for chars, hint in hints.items() if char in chars), "")


_Said = tuple[str, str] | Callable[..., tuple[str, str]]
_SAID: tuple[tuple[re.Pattern[str], _Said], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"expected '}}', found end of file", ("{{ is not closed", "Close it with }}.")),
        (r"expected '%}', found end of file", ("{% is not closed", "Close it with %}.")),
        (r"expected tag end(\w+), found .*", _not_closed),
        (r"unexpected tag '(.*)'", _tag),
        (r"unknown filter '(.*)'", lambda name: (f'there is no filter "{name}"', "")),
        (r"missing expression|expected a primitive expression, found .*", ("a value is missing here", VALUE)),
        (r"expected end of expression, found '='", ("= was not expected here", "Write == to compare.")),
        (r"expected end of expression, found d?pipe", ("|| was not expected here", FILTER)),
        (r"expected end of expression, found .*", ("there is more here than one value", FILTER)),
        (r"expected word, found .*", ("the name of a filter is missing after |", FILTER)),
        (r"expected '=', found .*", ("= is missing", "As in {% assign half = event.total | divided_by: 2 %}.")),
        (r"disallowed parentheses.*", ("parentheses cannot be used in a condition", "Use one {% if %} in another.")),
        (r"missing or unexpected path segment", ("[ is not closed", "Attributes are written customer.first_name.")),
        (r"expected an identifier, found .*", ("a name begins with a letter", "")),
        (r"unexpected ['\"](.)['\"]", _char),
    )
)

_WORDS: Mapping[str, str] = {
    "str": "text",
    "Markup": "text",
    "int": "a number",
    "float": "a number",
    "Number": "a number",
    "Decimal": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "NoneType": "nothing",
    "Undefined": "nothing",
    "an array": "a list",
    "an int": "a number",
    "an integer": "a number",
    "an int, float": "a number",
}
_TYPES = re.compile(rf"(?<!\w)'?({'|'.join(sorted(_WORDS, key=len, reverse=True))})(?!\w)'?")
