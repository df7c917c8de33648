"""Site and agent believe each other's word only where it is signed, and for this very call."""

import json

import pytest

from jobs.schedules.agent.signing import answer_signature
from tests.schedules.agent.patience import eventually


def heard_nothing(site, agent, schedule) -> None:
    """The agent keeps asking, and does not do what it is told."""
    eventually(lambda: "does not answer" in agent.said)
    count = site.count("sync")
    eventually(lambda: site.count("sync") > count + 1)
    assert agent.lines("ran") == []
    assert not site.of(schedule)


@pytest.mark.parametrize("forgery", ["none", "another key", "another answer", "another status", "an earlier answer"])
def test_an_answer_that_is_not_the_sites_is_not_believed(site, agent, forgery):
    earlier = []

    def lie(purpose, status, body, signature):
        if purpose == "hello":
            return signature
        earlier.append(signature)
        return {
            "none": "",
            "another key": answer_signature(b"x" * 32, signature, status, body),
            "another answer": answer_signature(site.key, "0" * 64, status, body),
            "another status": answer_signature(site.key, signature, 403, body),
            "an earlier answer": earlier[0] if len(earlier) > 1 else "",
        }[forgery]

    site.lie = lie
    schedule = site.schedule(shell="echo ran >> ran")
    agent.start(waits=False)
    heard_nothing(site, agent, schedule)
    assert "is not signed by the site, and not believed" in agent.said
    # It was only the word that was wrong.
    site.lie = lambda purpose, status, body, signature: signature
    eventually(lambda: site.of(schedule))


def test_who_does_not_know_the_key_is_not_taken_for_the_site(site, agent):
    agent.enrol()
    right, site.key = site.key, b"x" * 32
    schedule = site.schedule(shell="echo ran >> ran")
    agent.start(waits=False)
    eventually(lambda: "does not know this agent's key: it is not the site" in agent.said)
    assert not site.requests
    assert agent.lines("ran") == []
    site.key = right
    eventually(lambda: site.of(schedule))


def test_a_session_that_would_not_end_where_it_seems_to_is_not_taken(site, agent):
    """Who lets the site prove a longer number than the agent's own may choose what is proved for a session."""
    agent.enrol()
    site.stretch = "\nchosen"
    agent.start(waits=False)
    eventually(lambda: "its session is none" in agent.said)
    site.stretch = ""
    eventually(lambda: site.last_sync())


def test_an_agent_that_was_removed_runs_nothing_any_more(site, agent):
    schedule = site.schedule(shell="echo ran >> ran")
    agent.start()
    eventually(lambda: site.of(schedule))
    site.removed = True
    eventually(lambda: "its schedules are not run any more" in agent.said)
    assert "this agent was removed (403)" in agent.said
    agent.kill()
    count = len(agent.lines("ran"))
    agent.start(waits=False)
    eventually(lambda: agent.said.count("refuses this agent") == 2)
    assert len(agent.lines("ran")) == count


def test_nobody_is_told_a_secret(site, agent):
    schedule = site.once("ps", "axww")
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    for secret in (site.token, site.key.hex()):
        assert secret not in one["stdout"]
        assert secret not in agent.said
        assert secret not in json.dumps(site.requests)


def test_over_tls_the_site_has_to_have_a_certificate_that_is_believed(agent, tls_site):
    site, certificate = tls_site
    agent.site = site
    refused = agent.enrol()
    assert refused.returncode == 1
    assert "certificate is not to be trusted" in refused.stderr
    assert not site.enrolments
    assert agent.enrol("--ca", str(certificate)).returncode == 0
    schedule = site.once("echo", "out")
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    assert one["stdout"] == "out\n"
