"""The site's time, as the agent knows it."""

from jobs.processes.identity import boot_id
from jobs.schedules.agent.clock import Clock

SECOND = 1_000_000
SITE = 1_790_000_000 * SECOND


class Host:
    """Its clocks stand still unless a test moves them."""

    def __init__(self, up: int = 5_000, wall: int = 1_000_000):
        self.up, self.wall = up * SECOND, wall * SECOND

    def clock(self, kept: dict | None = None) -> Clock:
        return Clock(kept, steady=lambda: self.up, wall=lambda: self.wall)

    def passes(self, seconds: float) -> None:
        self.up += int(seconds * SECOND)
        self.wall += int(seconds * SECOND)

    def hears(self, clock: Clock, site: int, there: float = 0.01, back: float = 0.01) -> None:
        """An answer that was so long on its way, and says what the site's clock said."""
        sent = self.up
        self.passes(there + back)
        clock.learn(sent, self.up, site)


def test_an_answer_says_the_time_however_wrong_the_host_is():
    host = Host()
    clock = host.clock()
    host.hears(clock, SITE, 0.01, 0.01)
    assert clock.now() == SITE + 10_000
    host.passes(60)
    assert clock.now() == SITE + 10_000 + 60 * SECOND


def test_the_hosts_clock_may_be_set_meanwhile():
    host = Host()
    clock = host.clock()
    host.hears(clock, SITE, 0, 0)
    host.wall += 600 * SECOND
    assert clock.now() == SITE


def test_a_slow_answer_does_not_spoil_what_a_quick_one_said():
    host = Host()
    clock = host.clock()
    host.hears(clock, SITE, 0.001, 0.001)
    before = clock.offset
    host.hears(clock, SITE + 2_000 + 1_900_000, 1.9, 0.1)
    assert clock.offset == before


def test_a_site_whose_clock_was_set_is_believed():
    host = Host()
    clock = host.clock()
    host.hears(clock, SITE, 0.001, 0.001)
    host.passes(10)
    host.hears(clock, SITE - 600 * SECOND, 0.01, 0.01)
    assert abs(clock.now() - (SITE - 600 * SECOND)) <= 10_000


def test_started_anew_without_the_site_it_goes_on_whatever_was_done_to_the_hosts_clock():
    host = Host()
    clock = host.clock()
    host.hears(clock, SITE, 0, 0)
    kept = clock.keep()
    host.passes(100)
    host.wall -= 600 * SECOND
    assert host.clock(kept).now() == SITE + 100 * SECOND


def test_after_the_host_was_started_anew_its_clock_has_to_do():
    host = Host(wall=SITE // SECOND - 600)
    clock = host.clock()
    host.hears(clock, SITE, 0, 0)
    kept = clock.keep() | {"boot": "another one"}
    assert boot_id() != kept["boot"]
    host.passes(3600)
    host.up = 20 * SECOND
    assert host.clock(kept).now() == SITE + 3600 * SECOND


def test_a_new_agent_takes_the_hosts_word_until_the_site_has_answered():
    host = Host()
    clock = host.clock()
    assert (clock.now(), clock.is_learnt) == (host.wall, False)
