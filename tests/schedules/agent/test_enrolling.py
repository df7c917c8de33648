"""An agent is let in once, with a token, and has its own key from then on."""

import stat

import pytest

from tests.schedules.agent.at_work import AgentAtWork


def test_it_is_let_in_with_a_token_and_takes_the_name_that_the_site_gives(site, agent):
    answer = agent.enrol("--name", "mine", "--tag", "fast", "--tag", "big")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == f"let in: agent node7 of {site.url}/; now: jobdeck-agent.pyz run\n"
    [said] = site.enrolments
    assert (said["name"], said["tags"], said["version"]) == ("mine", ["fast", "big"], "1")
    assert len(site.key) == 32
    assert stat.S_IMODE(agent.data.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in agent.data.iterdir())


@pytest.mark.parametrize("lost", [1, 9])
def test_where_the_answer_was_lost_it_is_still_the_same_agent(site, agent, lost):
    site.lost["enrol"] = lost
    first = agent.enrol()
    if lost > 1:
        assert first.returncode == 1
        assert "the site does not answer" in first.stderr
        site.lost["enrol"] = 0
        first = agent.enrol()
    assert first.returncode == 0, first.stderr
    assert len({said["key"] for said in site.enrolments}) == 1
    agent.start()


def test_the_token_may_stand_in_a_file_or_in_the_environment_and_nowhere_else(site, agent, tmp_path):
    (tmp_path / "token").write_text(site.token + "\n")
    assert agent.call("enrol", site.url, "--token-file", str(tmp_path / "token")).returncode == 0
    (tmp_path / "other").mkdir()
    other = AgentAtWork(tmp_path / "other", site)
    site.key = b""
    assert other.call("enrol", site.url, JOBDECK_ENROL_TOKEN=site.token).returncode == 0
    assert other.call("enrol", site.url, "--token", site.token).returncode == 2


def test_a_wrong_token_is_refused_with_the_sites_words(site, agent):
    site.token = "jobdeck-agent_other"
    (agent.folder / "token").write_text("jobdeck-agent_wrong")
    answer = agent.call("enrol", site.url, "--token-file", str(agent.folder / "token"))
    assert answer.returncode == 1
    assert "does not let this agent in: the token is not known, was used, or is too old (403)" in answer.stderr
    assert "jobdeck-agent_wrong" not in answer.stderr


def test_a_folder_has_one_agent(site, agent):
    agent.enrol()
    answer = agent.enrol()
    assert answer.returncode == 1
    assert "this folder is that of the agent node7" in answer.stderr


def test_http_to_another_host_is_refused_unless_it_is_wanted(site, agent):
    answer = agent.enrol(site="http://site.example")
    assert answer.returncode == 1
    assert "is not encrypted" in answer.stderr
    wanted = agent.enrol("--plain-http", site=site.url.replace("127.0.0.1", "0.0.0.0"))
    assert wanted.returncode == 0, wanted.stderr


@pytest.mark.parametrize(
    "address", ["site.example", "ftp://site.example", "https://", "https://a:b@site.example", "https://x:y"]
)
def test_what_is_no_address_is_refused(agent, address):
    assert agent.enrol(site=address).returncode == 1


def test_who_was_not_let_in_runs_nothing(agent):
    for command in ("run", "status"):
        answer = agent.call(command)
        assert answer.returncode == 1
        assert "no site has let this agent in" in answer.stdout + answer.stderr


def test_two_agents_do_not_share_a_folder(site, agent):
    agent.start()
    answer = agent.call("run")
    assert answer.returncode == 1
    assert "an agent works with" in answer.stderr


def test_status_shows_what_it_does(site, agent):
    site.schedule("echo", name="greet", every="every 2 hours")
    agent.start()
    said = agent.call("status").stdout
    assert f"agent node7 of {site.url}/" in said
    assert "works: yes" in said
    assert "schedule greet: every 2 hours, next 20" in said
    assert site.key.hex() not in said + agent.said
    agent.end()
    assert "works: no" in agent.call("status").stdout
