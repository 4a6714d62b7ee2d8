"""Whom nobody may contact: they stay in the list with what can be done, but are not the first who need us."""

from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from stream.core.policy.arms import Assignment
from stream.page.entries import open_entries
from stream.page.screens.today import ROWS_SHOWN
from tests.support.builders import basis
from tests.support.live_shop import replayed_shop
from tests.support.page_entries import opened


def judged_ms(profile):
    return profile.judgement.judged_ms


def names(screen):
    return [row.customer for row in screen.rows]


def test_whom_nobody_may_contact_stays_in_the_list_but_is_not_the_first_who_needs_us(shown):
    entries = [
        opened("refused", 90_000, 0.9, closed_to_us=1),
        opened("slipping", 20_000, 0.6),
        opened("refused too", 50_000, 0.9, closed_to_us=1),
        opened("a little", 20_000, 0.1),
    ]

    for query in ({}, {"sort": "lost"}):
        screen = shown(entries, query)
        assert names(screen)[2:] == ["refused", "refused too"]
        assert screen.total.customers == 4
        assert screen.has_closed


def test_a_long_list_goes_on_through_those_whom_nobody_may_contact(shown):
    entries = [opened(f"{n:03d}", 100 * n, closed_to_us=n % 2) for n in range(ROWS_SHOWN * 5)]
    screen = shown(entries)
    found = names(screen)
    while screen.next_url:
        screen = shown([], dict(parse_qsl(urlsplit(screen.next_url).query)))
        found += names(screen)

    assert found == [entry.customer for entry in sorted(entries, key=lambda e: (e.closed_to_us, -e.worth))]


@pytest.fixture(scope="module")
def profile():
    """Of a customer with an open alert whose play needs a consent."""
    for profile in replayed_shop(60)[0]:
        for entry in open_entries(profile, judged_ms(profile), basis()):
            if b'"marketing"' in entry.data:
                return profile
    raise AssertionError


@pytest.mark.parametrize(("status", "closed"), [("grant", 0), ("deny", 1)])
@pytest.mark.parametrize("brief", [False, True])
def test_who_refused_what_the_play_needs_is_closed_to_us(profile, status, closed, brief):
    identity = msgspec.structs.replace(profile.identity, consent={"marketing": (1, status)})
    stated = msgspec.structs.replace(profile, identity=identity)

    entries = list(open_entries(stated, judged_ms(stated), basis(), brief=brief))

    assert closed in [entry.closed_to_us for entry in entries]
    if not brief:
        assert [entry.closed_to_us for entry in entries] == [
            int(b'"consent":"denied"' in entry.data) for entry in entries
        ]


def test_who_is_held_out_is_closed_to_us(profile):
    trial = Assignment(arm="held_out", share=0.1, salt="s", period="2025-11-01")
    episodes = {
        kind: msgspec.structs.replace(episode, experiment=trial)
        for kind, episode in profile.judgement.episodes.items()
    }
    judgement = msgspec.structs.replace(profile.judgement, episodes=episodes)

    tried = msgspec.structs.replace(profile, judgement=judgement)
    entries = open_entries(tried, judged_ms(tried), basis())

    assert {entry.closed_to_us for entry in entries} == {1}
