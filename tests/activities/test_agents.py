"""Which user agents are a program's."""

from __future__ import annotations

import pytest

from activities.channels.agents import is_program

PEOPLE = {
    "chrome": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "apple-mail": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "outlook": "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17628; Pro)",
    "thunderbird": "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.12.0",
    "a-telephone-called-cubot": "Mozilla/5.0 (Linux; Android 13; CUBOT X30) Chrome/112.0 Mobile Safari",
    "samsung": "Mozilla/5.0 (Linux; Android 14; SM-S921B) SamsungBrowser/25.0 Chrome/121.0 Mobile",
    "old-explorer": "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
    "gmails-pictures": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "yahoos-pictures": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "a-browser-for-privacy": "Mozilla/5.0 (Linux; Android 13) Chrome/126.0 Mobile DuckDuckGo/5 Security Safari/537.36",
    "not-told": "",
}
PROGRAMS = {
    "a-scanner": "Mozilla/5.0 (compatible; LinkScanner/1.0)",
    "barracuda": "BarracudaCentral.org",
    "proofpoint": "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "mimecast": "Mimecast-URL-Protect/1.0",
    "safelinks": "Mozilla/5.0 (Windows NT 10.0) SafeLinks",
    "office": "Microsoft Office Existence Discovery",
    "headless": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36",
    "requests": "python-requests/2.32.3",
    "curl": "curl/8.7.1",
    "go": "Go-http-client/2.0",
    "java": "Java/17.0.2",
    "slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "google": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "preview": "Mozilla/5.0 SkypeUriPreview Preview/0.5",
}


@pytest.mark.parametrize("agent", PEOPLE.values(), ids=PEOPLE)
def test_a_browser_and_a_proxy_for_pictures_are_for_people(agent: str) -> None:
    assert not is_program(agent)


@pytest.mark.parametrize("agent", PROGRAMS.values(), ids=PROGRAMS)
def test_a_scanner_a_crawler_and_a_library_are_programs(agent: str) -> None:
    assert is_program(agent)
