"""The first policy comes of the settings, and after it they decide nothing, which the log says."""

from __future__ import annotations

from datetime import UTC, datetime

from structlog.testing import capture_logs

from journeys.clearance.policy import Policy
from settings import read_settings
from store.audit import Change
from store.policy import get_policy, list_policies, put_policy
from store.store import Store
from worker import begin_policy

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


async def test_a_house_without_a_policy_begins_with_that_of_the_settings(store: Store) -> None:
    settings = read_settings(time_zone="Europe/Oslo", consent_text="disabled")

    with capture_logs() as logs:
        await begin_policy(store, settings, NOW)

    first = await get_policy(store)
    assert (first.number, first.changed_by, first.changed_at) == (1, "settings", NOW)
    assert first.policy == settings.policy
    assert [line["log_level"] for line in logs] == ["info"]


async def test_once_there_is_one_the_settings_decide_nothing_and_the_log_says_which(store: Store) -> None:
    await put_policy(store, Policy(time_zone="Europe/Paris"), Change("grace", NOW))

    with capture_logs() as logs:
        await begin_policy(store, read_settings(time_zone="Europe/Oslo", consent_email="non-restrictive"), NOW)

    assert (await get_policy(store)).policy.time_zone == "Europe/Paris"
    assert len((await list_policies(store)).versions) == 1
    assert [(line["log_level"], line["settings"]) for line in logs] == [("warning", ["SOJOURN_TIME_ZONE"])]


async def test_settings_that_say_what_is_in_force_are_no_news(store: Store) -> None:
    settings = read_settings(time_zone="Europe/Oslo")
    await begin_policy(store, settings, NOW)

    with capture_logs() as logs:
        await begin_policy(store, settings, NOW)

    assert logs == []
