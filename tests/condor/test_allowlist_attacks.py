"""What a user could reach on the web host through a submit description, were it not for the allow-list.

Each attack is tried on the real pool twice: by app code, which may ask for anything, to see that it is one; and by a user.
"""

import pytest

from jobs.errors import InvalidAttribute
from jobs.workspaces import list_files, make_workspace, workspace_path
from tests.condor.live import Live

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "the site's database password"


@pytest.fixture
def live(pool, ann):
    """The pool, as a site uses it."""
    live = Live(pool, ann)
    yield live
    live.close()


@pytest.fixture
def secret(tmp_path):
    """A file that the site's processes can read, and that is nobody's business."""
    path = tmp_path / "secrets.env"
    path.write_text(SECRET)
    return path


def everything(job) -> str:
    """All that came into the job's workspace."""
    folder = workspace_path(job)
    return "".join((folder / file.name).read_text(errors="replace") for file in list_files(folder))


def ad_of(live, job) -> str:
    from jobs.condor.reach import reach_of

    return str(reach_of(live.scheduler).query(f'JobdeckTag == "{job.tag}"', []))


def refused(live, **fields) -> str:
    """The error that a user gets."""
    with pytest.raises(InvalidAttribute) as refusal:
        live.job(restricted=True, **fields)
    return str(refusal.value)


def test_a_file_of_the_web_host_does_not_come_back_as_output(live, secret):
    asked = {"attributes": {"executable": "/bin/sh", "arguments": ["-c", "cat secrets.env"]}}
    for way in (
        {"remote_input_files": [str(secret)]},
        {"attributes": {**asked["attributes"], "transfer_input_files": str(secret)}},
    ):
        assert "secrets.env" in refused(live, **{**asked, **way})
    reached = live.ended(live.shell("cat secrets.env", remote_input_files=[str(secret)]))
    assert SECRET in everything(reached), "app code may send any file"


def test_a_link_in_the_workspace_does_not_lead_to_a_file_of_the_web_host(live, secret):
    job = live.job(
        restricted=True,
        attributes={"executable": "/bin/sh", "arguments": ["-c", "cat mine.txt"]},
    )
    make_workspace(job)
    (workspace_path(job) / "mine.txt").symlink_to(secret)
    job.remote_input_files = ["mine.txt"]
    job.save()
    live.ended(job)
    assert job.status == "Error"
    assert "mine.txt" in job.status_message
    assert job.cluster_id == 0


def test_the_environment_of_the_web_process_does_not_get_into_the_ad(live, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", SECRET)
    assert "getenv" in refused(live, attributes={"executable": "/bin/true", "getenv": "True"})
    assert "$ENV" in refused(live, attributes={"executable": "/bin/true", "arguments": "$ENV(DATABASE_URL)"})
    job = live.submitted(live.job(attributes={"executable": "/bin/true", "getenv": "True"}))
    assert SECRET not in ad_of(live, job), "not even for app code: the transport has a clean environment"


def test_outputs_do_not_get_outside_of_the_workspace(live, tmp_path):
    target = tmp_path / "written"
    attributes = {"executable": "/bin/sh", "arguments": ["-c", "echo 1 > out"]}
    remaps = {**attributes, "transfer_output_remaps": f'"out = {target}"'}
    assert "transfer_output_remaps" in refused(live, attributes=remaps)
    assert "output" in refused(live, attributes={**attributes, "output": str(target)})
    assert "output" in refused(live, attributes={**attributes, "output": "../../../written"})
    live.ended(live.job(attributes=remaps))
    assert target.read_text() == "1\n", "app code may"


@pytest.mark.parametrize("value", ["a\nqueue 5", "a\r\nqueue 5", "a\x0bqueue", "a\\\nqueue 5"])
def test_no_value_adds_a_line(live, value):
    for restricted in (True, False):
        with pytest.raises(InvalidAttribute, match="attributes"):
            live.job(attributes={"executable": "/bin/true", "arguments": value}, restricted=restricted)


@pytest.mark.parametrize(
    "command",
    [
        {"universe": "local"},
        {"universe": "scheduler"},
        {"universe": "grid"},
        {"+Owner": '"root"'},
        {"My.Owner": '"root"'},
        {"x509userproxy": "/etc/passwd"},
        {"output_destination": "file:///tmp"},
        {"leave_in_queue": "false"},
        {"My.JobdeckTag": '"somebody.else"'},
        {"transfer_input_files": "file:///etc/passwd"},
        {"executable": "/etc/passwd"},
        {"input": "/etc/passwd"},
        {"initialdir": "/etc"},
    ],
)
def test_what_else_leads_out_is_refused_by_name(live, command):
    [name] = command
    assert name in refused(live, attributes={"executable": "/bin/true", **command})


def test_the_token_is_nowhere_in_the_ad(live):
    job = live.submitted(live.shell("sleep 60"))
    assert job.callback_token() not in ad_of(live, job)
