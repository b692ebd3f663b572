"""Who stays is told alike by whoever looks by steps, before it is done, and by whoever looks by runs as it is done."""

from __future__ import annotations

from itertools import permutations

from store.move_progress import SOME, Stayed, move_of

LOTS = (["a/1", "a/6", "a/7"], ["a/2", "a/5"], ["a/3", "a/4", "a/8"])


def test_the_same_few_are_named_in_whatever_order_people_are_looked_at() -> None:
    told = []
    for lots in permutations(LOTS):
        stays = Stayed()
        for ids in lots:
            stays.add("it is being sent a message", len(ids), ids)
        told.append(move_of({}, stays))

    assert all(each == told[0] for each in told)
    (staying,) = told[0].stays
    assert (staying.people, staying.runs) == (8, ("a/1", "a/2", "a/3", "a/4", "a/5"))
    assert len(staying.runs) == SOME
