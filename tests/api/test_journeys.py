"""Journeys over HTTP: put, get, publish, stop, preview, paths."""

from __future__ import annotations

from typing import Any

import pytest

from journeys.definition import Journey
from journeys.reading import read_journey, write
from store import people
from tests import samples
from tests.api.door import Door, event, problem
from tests.big import big_journey

YAML = {"Content-Type": "application/yaml", "Accept": "application/yaml"}


async def test_a_journey_in_yaml_is_kept_without_loss(door: Door) -> None:
    await door.http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART, headers=YAML)

    written = await door.http.get("/v1/journeys/abandoned-cart", headers=YAML)

    assert written.headers["content-type"].startswith("application/yaml")
    assert read_journey(written.content) == read_journey(samples.ABANDONED_CART)


async def test_json_and_yaml_are_the_same_journey(door: Door) -> None:
    await door.http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART, headers=YAML)
    as_json = (await door.get("/v1/journeys/abandoned-cart"))["definition"]

    again = await door.put("/v1/journeys/abandoned-cart", as_json)

    assert again["definition"] == as_json
    assert read_journey(as_json) == read_journey(samples.ABANDONED_CART)


async def test_every_flaw_of_a_draft_is_named(door: Door) -> None:
    wrong = {"start": {"trigger": "x", "wher": "1"}, "steps": [{"id": "a", "wait": "1 month"}, {"id": "b"}]}

    answer = await door.http.put("/v1/journeys/j", json=wrong)

    paths = {error["path"] for error in problem(answer, 422, "invalid")["errors"]}
    assert paths == {"start.wher", "steps[0].wait", "steps[1]"}


async def test_a_journey_is_published_once(live: Door) -> None:
    again = await live.post("/v1/journeys/abandoned-cart/publish")

    view = await live.get("/v1/journeys/abandoned-cart")
    assert (again["version"], again["new"]) == (1, False)
    assert (view["state"], view["live_version"], view["edited"]) == ("live", 1, False)
    assert [version["number"] for version in view["versions"]] == [1]


async def test_a_move_that_takes_long_is_answered_and_its_version_tells_how_far_it_is(
    live: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await live.event(f"event-{number}", customer=f"customer-{number}")
    await live.put("/v1/journeys/abandoned-cart", shorter(samples.abandoned_cart()))
    monkeypatch.setattr(people, "A_REQUEST", 0)

    answer = await live.post("/v1/journeys/abandoned-cart/publish", {"people": "move"})

    assert (answer["version"], answer["new"], answer["move"]["moved"], answer["move"]["to_move"]) == (2, True, 0, 3)
    assert [each["move"] for each in (await live.get("/v1/journeys/abandoned-cart"))["versions"]] == [
        None,
        answer["move"],
    ]
    await people.finish_moves(live.store, live.clock.now)
    move = (await live.get("/v1/journeys/abandoned-cart"))["versions"][1]["move"]
    assert (move["moved"], move["to_move"], move["stayed"]) == (3, 0, 0)


async def test_what_is_wrong_with_a_move_is_told_and_nothing_is_published(live: Door) -> None:
    await live.event("event-1", customer="ada")
    await live.put("/v1/journeys/abandoned-cart", shorter(samples.abandoned_cart()))
    address = "/v1/journeys/abandoned-cart/publish"
    wrong: dict[str, dict[str, object]] = {
        "people": {"people": "away"},
        "map.oppened": {"people": "move", "map": {"oppened": "initial-reminder"}},
        "map.opened": {"people": "move", "map": {"opened": "no-such"}},
        "map.initial-reminder": {"people": "move", "map": {"initial-reminder": "initial-reminder"}},
        "map": {"map": {"opened": "initial-reminder"}},
        "map.7": {"people": "move", "map": {"7": 7}},
        "dry_run": {"people": "move", "dry_run": "yes"},
    }

    answers = {path: await live.http.post(address, json=body) for path, body in wrong.items()}

    for path, answer in answers.items():
        assert path in {flaw["path"] for flaw in problem(answer, 422, "invalid")["errors"]}
    assert (await live.get("/v1/journeys/abandoned-cart"))["live_version"] == 1


def shorter(journey: Journey) -> dict[str, object]:
    """The same with one step less."""
    written = journey.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return written | {"steps": written["steps"][:1]}


async def test_publishing_names_everything_that_is_wrong_at_once(door: Door) -> None:
    await door.http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART, headers=YAML)

    answer = await door.http.post("/v1/journeys/abandoned-cart/publish")

    paths = [error["path"] for error in problem(answer, 422, "invalid")["errors"]]
    assert {"start.trigger", "goal.trigger", "exit[0].trigger", "steps[0].email"} <= set(paths)
    assert "steps[1].else[2].push" in paths


async def test_journeys_are_listed(live: Door) -> None:
    listed = await live.get("/v1/journeys")

    assert [(view["name"], view["state"]) for view in listed["journeys"]] == [("abandoned-cart", "live")]


async def test_stopping_ends_every_run(live: Door) -> None:
    started = await live.event("e1")
    before = live.clock.nudges

    stopped = await live.post("/v1/journeys/abandoned-cart/stop")

    run = await live.get(f"/v1/runs/{started['decisions'][0]['run']}")
    assert stopped == {
        "journey": "abandoned-cart",
        "inside": [{"version": 1, "runs": 1}],
        "runs": 1,
        "in_flight": 0,
        "waiting": 0,
        "version": None,
        "to_go": 0,
        "changed": True,
        "dry_run": False,
    }
    assert run["ended"] == "stopped"
    assert live.clock.nudges > before


async def test_a_draft_cannot_be_stopped(door: Door) -> None:
    await door.http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART)

    problem(await door.http.post("/v1/journeys/abandoned-cart/stop"), 409, "conflict")


def preview(*script: dict[str, Any], **more: object) -> dict[str, Any]:
    cart = {"trigger": "abandoned-cart", "attributes": {"cart_id": "c1", "total": 60}}
    return {"customer": samples.CUSTOMER, "script": [cart, *script], **more}


async def test_a_preview_says_who_would_get_what_and_when(live: Door) -> None:
    timeline = await live.post("/v1/journeys/abandoned-cart/preview", preview())

    sends = timeline["runs"][0]["sends"]
    assert [(send["step"], send["at"][5:16], send["to"]) for send in sends] == [
        ("initial-reminder", "01-01T09:00", "ada@example.com"),
        ("second-reminder", "01-02T09:00", "+15550100"),
        ("final-reminder", "01-03T09:00", "token-ada"),
    ]
    assert sends[0]["parts"]["subject"] == "Your cart is waiting, Ada"
    assert (timeline["paths"], timeline["flaws"]) == ([], [])


async def test_a_preview_is_played_in_the_zone_of_the_policy(live: Door) -> None:
    morning = {"id": "morning", "wait": {"until": "08:30"}}
    steps = [morning, {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}]
    definition = samples.abandoned_cart(steps=steps).model_dump(mode="json", by_alias=True, exclude_unset=True)
    await live.put("/v1/policy", {"time_zone": "Europe/Oslo"})

    timeline = await live.post("/v1/journeys/abandoned-cart/preview", preview(definition=definition))

    [run] = timeline["runs"]
    assert run["sends"][0]["at"][5:16] == "01-02T07:30"
    assert run["diary"][0]["why"] == "until 08:30: 2 Jan 2026 07:30 UTC; Europe/Oslo of the house"


async def test_a_preview_is_played_under_a_policy_of_its_own(live: Door) -> None:
    night = {"from": "21:00", "to": "10:00"}
    copies = [{"id": id, "email": "initial-email-reminder", "to": "customer.email"} for id in "abcd"]
    definition = samples.abandoned_cart(steps=copies).model_dump(mode="json", by_alias=True, exclude_unset=True)
    policy = {"quiet": [night], "brake": {"same_content": {"at_most": 3, "per": "1 day"}}, "spread": "0 seconds"}
    asked = preview({"at": "2 days", "release": True}, definition=definition, policy=policy)

    timeline = await live.post("/v1/journeys/abandoned-cart/preview", asked)
    in_force = await live.post("/v1/journeys/abandoned-cart/preview", preview(definition=definition))

    [run] = timeline["runs"]
    assert [(hold["step"], hold["at"][5:16], hold["by"]) for hold in run["holds"]] == [
        ("a", "01-01T09:00", "quiet time"),
        ("d", "01-01T10:00", "brake"),
        ("d", "01-03T09:00", "quiet time"),
    ]
    assert (run["holds"][1]["until"], run["held"], run["sends"][3]["at"][5:16]) == (None, None, "01-03T10:00")
    assert any("the brake lets 3 copies through" in warning["message"] for warning in timeline["warnings"])
    assert in_force["runs"][0]["holds"] == []
    assert not any("the brake" in warning["message"] for warning in in_force["warnings"])


async def test_all_that_is_wrong_with_the_policy_of_a_preview_is_told(live: Door) -> None:
    address = "/v1/journeys/abandoned-cart/preview"
    unreadable = {"quiet": [{"from": "21:00"}], "caps": [{"at_most": 0, "per": "1 day"}]}
    impossible = {"time_zone": "Europe/Olso", "quiet": [{"where": "customer.contry == 'NO'"}]}

    read = await live.http.post(address, json=preview(policy=unreadable))
    looked_at = await live.http.post(address, json=preview(policy=impossible))

    assert [read.status_code, looked_at.status_code] == [422, 422]
    assert [flaw["path"] for flaw in read.json()["errors"]] == ["policy.quiet[0]", "policy.caps[0].at_most"]
    assert [flaw["path"] for flaw in looked_at.json()["errors"]] == ["policy.time_zone", "policy.quiet[0].where"]


async def test_a_preview_plays_a_version_that_is_published_meanwhile(live: Door) -> None:
    address = "/v1/journeys/abandoned-cart/preview"
    first, *_ = (await live.get("/v1/journeys/abandoned-cart"))["definition"]["steps"]
    new = {**shorter(samples.abandoned_cart()), "steps": [first, {"id": "opened", "wait": "1 day"}]}
    del new["journey"]
    line = {"at": "12 hours", "publish": new, "people": "move"}
    wrong = {**new, "steps": [{"id": "hello", "email": "no-such", "to": "customer.email"}, {"id": "pause", "wait": 1}]}

    timeline = await live.post(address, preview(line))
    unreadable = await live.http.post(address, json=preview({"at": "1 hour", "publish": wrong}))
    unfit = await live.http.post(
        address, json=preview({"at": "1 hour", "publish": {**new, "start": "no-such"}, "map": {"opned": "a"}})
    )

    assert [move["stays"] for move in timeline["moves"]] == ["opened is another kind of step in version 2"]
    assert [flaw["path"] for flaw in problem(unreadable, 422, "invalid")["errors"]] == [
        "script[1].publish.steps[1].wait"
    ]
    assert [flaw["path"] for flaw in problem(unfit, 422, "invalid")["errors"]] == [
        "script[1].publish.start.trigger",
        "script[1].map.opned",
        "script[1].map.opned",
        "script[1].map",
    ]


async def test_a_preview_says_that_an_instant_has_passed(live: Door) -> None:
    steps = [{"id": "launch", "wait": {"until": "2026-11-24T08:59:59Z"}}]
    definition = samples.abandoned_cart(steps=steps).model_dump(mode="json", by_alias=True, exclude_unset=True)

    timeline = await live.post("/v1/journeys/abandoned-cart/preview", preview(definition=definition))

    assert [flaw["path"] for flaw in timeline["flaws"]] == ["steps[0].wait.until"]


async def test_a_preview_follows_its_script(live: Door) -> None:
    bought = {"at": "36 hours", "trigger": "purchase-completed", "attributes": {"cart_id": "c1"}}

    timeline = await live.post("/v1/journeys/abandoned-cart/preview", preview(bought))

    run = timeline["runs"][0]
    assert (run["ended"], run["why"], len(run["sends"])) == ("exited", "exit: purchase-completed", 2)
    assert [decision["did"] for decision in timeline["events"][1]["decisions"]] == ["goal met", "exited"]


async def test_a_preview_needs_nothing_to_be_ready_and_says_what_is_not(door: Door) -> None:
    for name, trigger in samples.TRIGGERS.items():
        await door.put(f"/v1/triggers/{name}", trigger.model_dump())
    for name, content in samples.CONTENTS.items():
        await door.put(f"/v1/contents/{name}", content.model_dump(exclude_unset=True))
    definition = samples.abandoned_cart().model_dump(mode="json", by_alias=True, exclude_unset=True)

    timeline = await door.post(
        "/v1/journeys/not-stored/preview", preview(definition=definition | {"journey": "not-stored"})
    )

    assert len(timeline["runs"][0]["sends"]) == 3
    assert 'content "initial-email-reminder" is draft, not ready to send.' in {
        flaw["message"] for flaw in timeline["flaws"]
    }


async def text(live: Door, body: str) -> None:
    """Make a text ready with this body, where it may be, and a journey that sends it."""
    await live.put("/v1/contents/hello", {"text": {"body": body}})
    await live.http.post("/v1/contents/hello/ready")
    step = {"id": "hello", "text": "hello", "to": "customer.phone", "expires": "1 day"}
    await live.put("/v1/journeys/hello", {"start": {"trigger": "abandoned-cart"}, "steps": [step]})


async def test_what_cannot_be_filled_in_does_not_go_live(live: Door) -> None:
    await text(live, "{% if event.cart_id > 5 %}Many{% endif %}")

    refused = problem(await live.http.post("/v1/journeys/hello/publish"), 422, "invalid")

    [flaw] = refused["errors"]
    assert (flaw["path"], "not supported between a number and text" in flaw["message"]) == ("steps[0].text", True)


async def test_what_is_filled_in_with_a_hole_is_warned_of(live: Door) -> None:
    await text(live, "Hi {{ customer.first_name }}")

    previewed = await live.post("/v1/journeys/hello/preview", preview())
    published = await live.post("/v1/journeys/hello/publish")

    assert previewed["flaws"] == []
    assert published["warnings"] == previewed["warnings"]
    assert "where customer.first_name is missing" in published["warnings"][0]["message"]


async def test_a_preview_shows_what_fails_and_why(live: Door) -> None:
    await text(live, "{{ event.total | mony }}")

    previewed = await live.post("/v1/journeys/hello/preview", preview())

    [sent] = previewed["runs"][0]["sends"]
    assert sent["outcome"] == "blocked"  # it is parked, and nobody repairs it before it expires
    assert any("filled in" in hold["why"] for hold in previewed["runs"][0]["holds"])
    assert any('there is no filter "mony"' in flaw["message"] for flaw in previewed["flaws"])


async def test_a_preview_keeps_nothing(live: Door) -> None:
    await live.post("/v1/journeys/abandoned-cart/preview", preview())

    assert (await live.get("/v1/runs"))["runs"] == []


async def test_a_preview_names_all_that_is_wrong_with_its_sample(live: Door) -> None:
    wrong = {
        "customer": {"email": 3},
        "script": [
            {"trigger": "abandoned-cart", "attributes": {"total": "much"}},
            {"trigger": "abandoned-cat"},
            {"message": "initial-remindr", "is": "opened"},
        ],
    }

    answer = await live.http.post("/v1/journeys/abandoned-cart/preview", json=wrong)

    assert {error["path"] for error in problem(answer, 422, "invalid")["errors"]} == {
        "customer.email",
        "script[0].attributes.total",
        "script[1].trigger",
        "script[2].message",
    }


async def test_a_script_cannot_open_what_was_not_sent(live: Door) -> None:
    wrong = {"script": [{"message": "final-reminder", "is": "opened"}]}

    answer = await live.http.post("/v1/journeys/abandoned-cart/preview", json=wrong)

    assert "was not sent by then" in problem(answer, 422, "invalid")["errors"][0]["message"]


async def test_the_flaws_of_an_inline_definition_say_that_they_are_in_it(live: Door) -> None:
    answer = await live.http.post("/v1/journeys/other/preview", json={"definition": {"steps": []}})

    paths = {error["path"] for error in problem(answer, 422, "invalid")["errors"]}
    assert paths == {"definition.start", "definition.steps"}


async def test_paths_say_when_each_message_would_go(live: Door) -> None:
    paths = (await live.get("/v1/journeys/abandoned-cart/paths"))["paths"]
    asked = (await live.post("/v1/journeys/abandoned-cart/preview", preview(paths=True)))["paths"]

    assert asked == paths
    assert [[(message["step"], message["latest"]) for message in path["messages"]] for path in paths] == [
        [("initial-reminder", "0 seconds"), ("second-reminder", "1 day"), ("final-reminder", "2 days")],
        [("initial-reminder", "0 seconds")],
    ]


async def test_a_customer_may_come_with_an_event_before_any_put(live: Door) -> None:
    receipt = await live.post("/v1/events", event("e1", customer="nobody-yet"))

    assert receipt["decisions"][0]["did"] == "started"


SUBJECT = {
    "id": "subject",
    "test": {
        "winner": {"by": "goal", "after": "2 weeks"},
        "arms": [{"arm": "plain", "share": "50%"}, {"arm": "witty", "share": "50%"}],
        "default": "plain",
    },
}


async def test_a_test_is_shown_before_anybody_came(live: Door) -> None:
    written = read_journey(samples.ABANDONED_CART).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert await live.get("/v1/journeys/abandoned-cart/tests") == {"tests": []}
    await live.put("/v1/journeys/abandoned-cart", {**written, "steps": [SUBJECT, *written["steps"]]})
    assert await live.get("/v1/journeys/abandoned-cart/tests") == {"tests": []}  # of a draft nobody is in one
    await live.post("/v1/journeys/abandoned-cart/publish")

    shown = await live.get("/v1/journeys/abandoned-cart/tests")

    arm = {"share": "50%", "people": 0, "counted": 0, "hits": 0, "rate": None, "left_out": 0}
    assert shown == {
        "tests": [
            {
                "step": "subject",
                "versions": [2],
                "state": "waiting",
                "by": "goal",
                "within": "3 days",
                "default": "plain",
                "people": 0,
                "needed": None,
                "started_at": None,
                "ends_at": None,
                "arms": [{"arm": "plain", **arm}, {"arm": "witty", **arm}],
                "verdict": None,
            }
        ]
    }


async def test_of_no_journey_there_are_no_tests(door: Door) -> None:
    problem(await door.http.get("/v1/journeys/nothing/tests"), 404, "unknown")


async def test_the_largest_journey_is_published_previewed_and_shown(live: Door) -> None:
    journey = big_journey()
    body = write(journey)
    assert len(body) > 1_000_000

    assert (await live.http.put("/v1/journeys/abandoned-cart", content=body)).status_code == 200
    published = await live.post("/v1/journeys/abandoned-cart/publish")
    found = await live.get("/v1/journeys/abandoned-cart/paths")
    timeline = await live.post("/v1/journeys/abandoned-cart/preview", preview())
    started = (await live.post("/v1/events", event("e1")))["decisions"][0]

    assert published["hash"] == journey.hash
    assert len(found["paths"]) < int(found["ways"])
    assert timeline["runs"][0]["ended"] == "completed"
    assert (started["did"], started["version"]) == ("started", 2)
