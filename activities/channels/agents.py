"""Who opens and clicks: whether a user agent is a program's, such as a mail scanner's, and not a person's browser."""

from __future__ import annotations

import re

# Pictures that a person looks at come by way of these.
_PROXIES = re.compile(r"ImageProxy|MailProxy", re.IGNORECASE)

# What looks into mail on its way, and what the list of crawlers leaves out since it never crawls. A browser on a
# telephone "CUBOT" is a person's, so that what ends in "bot" is left to the list, which knows.
_SCANNERS = re.compile(
    r"scan(ner|ning)?\b|urlscan|virus|malware|phish|safe.?links|url.?(protect|defen[cs]e)|(mail|link).?(security|protect)|prefetch|unfurl|\bfetch"
    r"|barracuda|proofpoint|mimecast|fireeye|trellix|symantec|sophos|trend.?micro|fortinet|fortimail|ironport|cisco.?(esa|secure)"
    r"|kaspersky|checkpoint|zscaler|\bvade|hornetsecurity|spamhaus|cloudmark|existence.discovery|link.?(check|preview)"
    r"|\bjava/|libwww|headless|phantom|selenium|playwright|puppeteer",
    re.IGNORECASE,
)
MOST = 1_000


def is_program(agent: str) -> bool:
    """Whether a user agent says that it is no person's browser. One that is not told says nothing."""
    agent = agent[:MOST]
    if not agent or _PROXIES.search(agent):
        return False
    from crawleruseragents import is_crawler  # noqa: PLC0415 - a long list, read where somebody clicks

    return bool(_SCANNERS.search(agent)) or bool(is_crawler(agent))
