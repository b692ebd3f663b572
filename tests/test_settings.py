"""Settings: what a channel cannot do without, what the rooms are handed, and what stays hidden."""

from __future__ import annotations

import asyncio
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.channels import Accepted, Refused
from activities.channels.console import Console
from activities.channels.links import Links
from activities.channels.twilio import Twilio
from activities.channels.twilio.settings import TwilioSettings
from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from embedded.dev import _local_endpoints
from journeys.clearance.consent import Rules
from journeys.clearance.policy import Policy
from journeys.endpoints import Endpoint
from journeys.problems import Invalid
from server import run_api
from settings import AllSettings, check_channels, check_secrets, read_settings
from store.endpoints import put_endpoint
from store.store import Store
from tests.fakes.receiver import Receiver
from tests.shop import by_us
from worker import endpoints_of, links_of, open_channels, run_worker

# A public key on P-256, as SendGrid shows it.
VERIFICATION_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEr5t1ztpOYEVIlzXT7RiQY1irlwswpt4if0fq7gHfNe+FPw6SH1tDjn4NvuALx97RyAeM2bwg"
    "/KPUOSM2DWzfzw=="
)
P_384 = (
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE"
    "D1RsngmwoCKcU/iNb5AH9Q4RyAw/5QXJoO4vlphdmN4bQdthEVUu+WIbZkV1rqW8Vs5xFk"
    "1yx8Yd9rQqahxeWo++0Z8q749gXrsg95OIJAaMASZKmDyRZDdhWacdxNs0"
)
SECRETS = {"sendgrid_key": "SG.hidden", "twilio_token": "hidden", "secret": "hidden", "key": "hidden"}
COMPLETE: dict[str, dict[str, str]] = {
    "email": {
        "email": "sendgrid",
        "sendgrid_key": "SG.hidden",
        "sendgrid_sender": "Shop <shop@example.com>",
        "sendgrid_webhook_key": VERIFICATION_KEY,
        "secret": "hidden",
        "public_url": "https://journeys.example.com",
    },
    "text": {
        "text": "twilio",
        "twilio_account": "AC1",
        "twilio_token": "hidden",
        "twilio_sender": "+15550001111",
        "public_url": "https://journeys.example.com",
    },
    "push": {"push": "firebase", "firebase_account": "account.json"},
}
EACH_NEED = [
    pytest.param(given, name, id=f"{given[kind]}-{name}")
    for kind, given in COMPLETE.items()
    for name in given
    if name != kind
]


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in AllSettings.model_fields:
        monkeypatch.delenv(f"SOJOURN_{name.upper()}", raising=False)


@pytest.mark.parametrize("given", COMPLETE.values(), ids=COMPLETE)
def test_a_channel_with_all_it_needs_is_complete(given: dict[str, Any]) -> None:
    check_channels(read_settings(**given))


@pytest.mark.parametrize(("given", "name"), EACH_NEED)
@pytest.mark.parametrize("how", ["not set", "empty"])
def test_what_a_channel_needs_is_named_when_it_is_missing(given: dict[str, Any], name: str, how: str) -> None:
    lacking = {key: value for key, value in given.items() if key != name} | ({name: ""} if how == "empty" else {})

    with pytest.raises(Invalid) as raised:
        check_channels(read_settings(**lacking))

    [flaw] = raised.value.flaws
    kind = next(kind for kind, whole in COMPLETE.items() if whole is given)
    assert flaw.path == f"SOJOURN_{name.upper()}"
    assert f"SOJOURN_{kind.upper()} is {given[kind]}" in flaw.message
    assert f"SOJOURN_{kind.upper()}=console" in flaw.hint


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(Invalid) as raised:
        check_channels(read_settings(email="sendgrid", text="twilio", push="firebase"))

    names = [flaw.path for flaw in raised.value.flaws]
    assert len(names) == len(set(names)) == 9
    assert names.count("SOJOURN_PUBLIC_URL") == 1


def test_the_console_needs_nothing() -> None:
    check_channels(read_settings())


@pytest.mark.parametrize("value", ["none", ""])
def test_a_kind_can_be_without_a_channel(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_TEXT", value)

    assert read_settings().channels == {"email": "console", "push": "console"}


def test_a_channel_for_another_kind_is_refused() -> None:
    with pytest.raises(Invalid, match='SOJOURN_EMAIL: found "twilio"; expected console, file, sendgrid or none'):
        read_settings(email="twilio")


def test_a_house_begins_with_the_policy_that_the_settings_say() -> None:
    assert read_settings().policy == Policy()
    said = read_settings(consent_text="disabled", consent_transactional="restrictive", time_zone="Europe/Oslo")
    assert said.policy == Policy(time_zone="Europe/Oslo", consent=Rules(text="disabled", transactional="restrictive"))


def test_only_settings_that_are_set_are_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy(time_zone="Europe/Oslo", consent=Rules(email="restrictive", push="restrictive"))
    monkeypatch.setenv("SOJOURN_CONSENT_EMAIL", "restrictive")
    monkeypatch.setenv("SOJOURN_CONSENT_PUSH", "disabled")
    monkeypatch.setenv("SOJOURN_CONSENT_TEXT", "")

    assert read_settings().overruled_by(policy) == ["SOJOURN_CONSENT_PUSH"]
    assert read_settings(time_zone="UTC").overruled_by(policy) == ["SOJOURN_CONSENT_PUSH", "SOJOURN_TIME_ZONE"]


def test_webhooks_are_verified_of_those_providers_only_that_are_chosen() -> None:
    assert read_settings(twilio_token="hidden").webhook_keys == {}
    assert read_settings(**COMPLETE["text"]).webhook_keys == {"twilio": "hidden"}


def test_an_api_key_of_twilio_sends_and_the_token_verifies() -> None:
    settings = read_settings(**COMPLETE["text"], twilio_key="SK1:shh")

    assert isinstance(twilio := settings.providers["twilio"], TwilioSettings)
    assert twilio.secret == "SK1:shh"
    assert settings.webhook_keys == {"twilio": "hidden"}


async def test_a_channel_is_told_where_its_provider_reports() -> None:
    async with open_channels(read_settings(**COMPLETE["text"])) as channels:
        assert isinstance(twilio := channels["text"], Twilio)
        assert twilio._callback == "https://journeys.example.com/webhooks/twilio"


def test_no_secret_is_shown() -> None:
    assert "hidden" not in repr(read_settings(**SECRETS))


def test_links_need_an_address_and_a_secret() -> None:
    assert links_of(read_settings(secret="s")) is None
    assert links_of(read_settings(public_url="https://x.example.com")) is None
    assert links_of(read_settings(secret="s", public_url="https://x.example.com")) == Links(
        "https://x.example.com", "s"
    )


@pytest.mark.parametrize("allowed", [None, False, True])
async def test_endpoints_are_on_this_machine_only_where_that_is_set(store: Store, *, allowed: bool | None) -> None:
    now, secret = datetime.now(UTC), secrets.token_hex()
    async with Receiver() as receiver:
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(store, crm, Seal(secret).seal(new_secret()), by_us(now))
        endpoints = endpoints_of(read_settings(secret=secret, local_endpoints=allowed), store)

        answer = await endpoints.call("crm", "k3v9", b"{}", now)

        assert isinstance(answer, Accepted if allowed else Refused)
        assert len(receiver.posted) == bool(allowed)
    endpoints.close()


@pytest.mark.parametrize(("set_to", "allowed"), [(None, True), (True, True), (False, False)])
def test_the_stack_for_trying_out_calls_its_own_machine_unless_told(*, set_to: bool | None, allowed: bool) -> None:
    assert _local_endpoints(read_settings(local_endpoints=set_to)) == {"local_endpoints": allowed}


async def test_channels_are_made_as_settings_say_and_let_go() -> None:
    async with open_channels(read_settings(push="none")) as channels:
        assert {kind: type(channel) for kind, channel in channels.items()} == {"email": Console, "text": Console}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param("no JSON", "is no service account's key", id="no JSON"),
        pytest.param("[]", "is no service account's key", id="a list"),
        pytest.param('{"type": "service_account"}', "is no service account's key", id="fields missing"),
        pytest.param(
            '{"type": "t", "project_id": "p", "client_email": "e", "token_uri": "u", "private_key": "planted"}',
            "private_key in SOJOURN_FIREBASE_ACCOUNT",
            id="no key",
        ),
        pytest.param(None, "cannot be read: Is a directory", id="a folder"),
    ],
)
async def test_an_account_of_firebase_that_cannot_be_read_is_told(
    written: str | None, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "account.json"
    if written is None:
        file.mkdir()
    else:
        file.write_text(written)

    with pytest.raises(Invalid, match=words) as raised:
        async with open_channels(read_settings(push="firebase", firebase_account=file)):
            pass

    assert "planted" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(COMPLETE["email"] | {"sendgrid_sender": "nobody"}, "is no email address", id="sender"),
        pytest.param(COMPLETE["text"] | {"twilio_validity": "11 hours"}, "10 hours", id="validity"),
        *(
            pytest.param(COMPLETE["email"] | {"sendgrid_webhook_key": key}, "SOJOURN_SENDGRID_WEBHOOK_KEY", id=id)
            for id, key in {
                "webhook key cut short": VERIFICATION_KEY[:-8],
                "webhook key in quotes": f'"{VERIFICATION_KEY}"',
                "webhook key with a letter changed": VERIFICATION_KEY.replace("FPw6", "AAAA"),
                "webhook key of another kind": "SG.an.api-key",
                "webhook key on another curve": P_384,
            }.items()
        ),
        pytest.param(COMPLETE["push"] | {"firebase_account": "not-there.json"}, "not-there.json", id="account"),
    ],
)
async def test_a_setting_that_will_not_do_is_told_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words) as raised:
        async with open_channels(read_settings(**given)):
            pass

    assert "docs/providers.md" in str(raised.value)


async def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sendgrid", None)

    with pytest.raises(Invalid, match=r"pip install .sojourn\[providers\]"):
        async with open_channels(read_settings(**COMPLETE["email"])):
            pass


async def test_no_sdk_is_imported_where_the_console_is_chosen() -> None:
    code = (
        "import asyncio, sys, embedded.dev, worker\n"
        "from settings import read_settings\n"
        "async def main():\n"
        "    async with worker.open_channels(read_settings(_env_file=None)):\n"
        "        sdks = {'sendgrid', 'twilio', 'firebase_admin'}\n"
        "        print(sorted(sdks & set(sys.modules)), flush=True)\n"
        "asyncio.run(main())\n"
        "import os; os._exit(0)"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), cwd=Path(__file__).parent.parent, stdout=asyncio.subprocess.PIPE
    )

    printed, _ = await process.communicate()

    assert printed.decode().splitlines()[-1] == "[]"


WORDS_FOR_SECRETS = "Make one with: openssl rand -hex 32"
GOOD = "Zb3K9vQm2Xr7Lw5Tn8Yc4Hd6Jf1Pg0Sa"


@pytest.mark.parametrize("weak", ["x", "changeme", GOOD[:31], "a" * 64, "abcabc" * 10, "12345678" * 3])
def test_a_secret_that_can_be_guessed_is_refused_without_being_shown(weak: str) -> None:
    for name in ("key", "secret"):
        with pytest.raises(Invalid) as raised:
            check_secrets(read_settings(**{name: weak}), "key", "secret")

        [flaw] = raised.value.flaws
        assert flaw.path == f"SOJOURN_{name.upper()}"
        assert "can be guessed" in flaw.message
        assert flaw.hint == WORDS_FOR_SECRETS
        assert len(weak) < 6 or weak not in str(raised.value)


def test_secrets_that_nobody_guesses_pass() -> None:
    check_secrets(read_settings(key=GOOD, secret=secrets.token_hex(32)), "key", "secret")
    check_secrets(read_settings(), "key", "secret")


async def test_neither_the_api_nor_a_worker_starts_with_a_weak_secret() -> None:
    with pytest.raises(Invalid, match="SOJOURN_KEY"):
        await run_api(read_settings(key="short"))
    with pytest.raises(Invalid, match="SOJOURN_SECRET"):
        await run_api(read_settings(key=GOOD, secret="short"))
    with pytest.raises(Invalid, match="SOJOURN_SECRET"):
        await run_worker(read_settings(secret="short"))


@pytest.mark.parametrize("name", [name for name in AllSettings.model_fields if name not in ("email", "text", "push")])
def test_a_setting_that_is_empty_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unset = getattr(read_settings(), name)
    monkeypatch.setenv(f"SOJOURN_{name.upper()}", "")

    assert getattr(read_settings(), name) == unset


def test_blanks_around_a_setting_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_PUBLIC_URL", " https://x.example.com\n")
    monkeypatch.setenv("SOJOURN_TWILIO_TOKEN", "hidden\n")

    settings = read_settings(text="twilio", twilio_account=" AC1", twilio_sender="+15550001111 ")

    assert settings.public_url == "https://x.example.com"
    assert isinstance(twilio := settings.providers["twilio"], TwilioSettings)
    assert (twilio.account, twilio.sender, twilio.secret) == ("AC1", "+15550001111", "hidden")


@pytest.mark.parametrize("url", ["journeys.example.com", "http://", "https://a b", "https://x/?a=1", "javascript:x"])
def test_a_public_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(Invalid, match="SOJOURN_PUBLIC_URL: expected an address such as https://"):
        read_settings(public_url=url)


def test_a_zone_of_the_house_is_one_that_there_is() -> None:
    assert read_settings().time_zone == "UTC"
    assert read_settings(time_zone="Europe/Oslo").time_zone == "Europe/Oslo"
    with pytest.raises(
        Invalid, match=r"SOJOURN_TIME_ZONE: there is no time zone .Oslo.\. Did you mean .Europe/Oslo.\?"
    ):
        read_settings(time_zone="Oslo")


@pytest.mark.parametrize("written", [b"SOJOURN_PORT=\xff\n", b"\xff\xfeS\x00"])
def test_a_file_of_settings_that_is_no_text_is_told(written: bytes, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(written)

    with pytest.raises(Invalid, match=r"\.env cannot be read as UTF-8"):
        read_settings()
