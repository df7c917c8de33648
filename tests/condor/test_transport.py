"""The transport on the real pool: what it carries, and what it says when the pool refuses or cannot be reached."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.condor.bindings.transport import Connection
from jobs.condor.reach import Sandbox
from jobs.engine import EngineRefused, EngineUnavailable
from tests.condor.pool import in_pool
from tests.local.conftest import eventually

SPOOLED = Sandbox(Path("/the description says where"), "")
"""HTCondor's client goes by the paths in the description."""
HELD = 'executable = /bin/sleep\narguments = 600\nhold = true\nMy.JobdeckTag = "{tag}"\n'
COPY = """
executable = /bin/cp
transfer_executable = false
arguments = "'in/der text' out"
initialdir = {folder}
transfer_input_files = in
should_transfer_files = yes
when_to_transfer_output = on_exit
output = stdout
error = stderr
leave_in_queue = JobStatus == 4 || JobStatus == 3
My.JobdeckTag = "{tag}"
"""


def mine(tag: str) -> str:
    return f'JobdeckTag == "{tag}"'


# --- what it carries


def test_a_query_for_jobs_that_are_not_there_gives_an_empty_list(transport, tag):
    assert transport.query(mine(tag), ["ClusterId"]) == []


def test_a_job_is_submitted_seen_and_removed(transport, tag):
    submitted = transport.submit(HELD.format(tag=tag), 3, None)
    ads = transport.query(mine(tag), ["ClusterId", "ProcId", "JobStatus", "JobdeckTag"])
    assert submitted == {"cluster": ads[0]["ClusterId"], "procs": 3}
    assert sorted((ad["ProcId"], ad["JobStatus"], ad["JobdeckTag"]) for ad in ads) == [(n, 5, tag) for n in range(3)]
    assert transport.act("remove", mine(tag))["success"] == 3
    eventually(lambda: transport.query(mine(tag), ["ClusterId"]) == [])
    assert transport.act("remove", mine(tag))["success"] == 0


def test_attributes_come_as_plain_values_and_undefined_ones_not_at_all(transport, tag):
    plain = {"Text": 'Größe "42" null', "List": [1, "a"], "Half": 0.5, "LeaveJobInQueue": False}
    text = (
        HELD
        + """
My.Text = "Größe \\"42\\" null"
My.List = {{1, "a"}}
My.Half = 0.5
My.Sum = 1 + 1
My.Machine = TARGET.Memory
"""
    )
    transport.submit(text.format(tag=tag), 1, None)
    assert transport.query(mine(tag), plain)[0].items() >= plain.items()
    ad = transport.query(mine(tag), [*plain, "Sum", "Machine", "NoSuchAttribute"])[0]
    assert ad.items() >= {**plain, "Sum": 2}.items()
    assert not {"Machine", "NoSuchAttribute"} & set(ad)


def test_an_attribute_in_another_encoding_is_left_out_and_the_others_are_not(our_pool, transport, tag):
    cluster = transport.submit(HELD.format(tag=tag), 1, None)["cluster"]
    in_pool("condor_qedit", cluster, "Text", os.fsdecode(b'"caf\xe9"'))
    ad = transport.query(mine(tag), ["Text", "ClusterId"])[0]
    assert ad["ClusterId"] == cluster
    assert "Text" not in ad


def test_a_reason_arrives_and_is_nothing_but_text(transport, tag):
    transport.submit(HELD.format(tag=tag), 1, None)
    assert transport.act("release", mine(tag), "go on")["success"] == 1
    transport.act("hold", mine(tag), 'größer" + 1 + "\\\nnow')
    assert "größer' + 1 + '/ now" in transport.query(mine(tag), ["HoldReason"])[0]["HoldReason"]


def test_files_travel_to_a_job_and_back_and_the_history_knows_it(transport, tag, tmp_path):
    inputs = tmp_path / "the job" / "in"
    inputs.mkdir(parents=True)
    (inputs / "der text").write_text("Grüße\n" * 1000)
    transport.submit(COPY.format(tag=tag, folder=inputs.parent), 1, SPOOLED)
    ended = f"{mine(tag)} && (JobStatus == 4 || JobStatus == 5 && HoldReasonCode != 16)"
    ads = eventually(lambda: transport.query(ended, ["JobStatus", "HoldReason"]), within=60)
    assert ads[0]["JobStatus"] == 4, ads
    transport.retrieve(mine(tag), SPOOLED)
    assert (inputs.parent / "out").read_text() == "Grüße\n" * 1000
    for action in ("remove", "remove_x"):
        transport.act(action, mine(tag))
    # The schedd writes the history a moment after it let the job go.
    ads = eventually(lambda: transport.history(mine(tag), ["ExitCode", "JobStatus"], 1))
    assert ads[0]["ExitCode"] == 0
    assert transport.history(mine(tag), ["ExitCode"], 1, since="ClusterId > 0") == []


# --- what it refuses


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("executable = /bin/true\nuniverse = nosuch", "I don't know about the 'nosuch' universe"),
        ("executable = /bin/true\nrequest_memory = much too much", "Parse error in expression"),
        ("arguments = 1", "No 'executable' parameter was provided"),
        ("what is this", "no submit description"),
        ('executable = /bin/true\nMy.Owner = "root"', 'Setting job owner to "root" is not permitted'),
    ],
)
def test_what_is_refused_is_refused_in_the_words_of_htcondor(transport, text, words):
    with pytest.raises(EngineRefused, match=words):
        transport.submit(text, 1, None)


def test_a_constraint_that_is_none_is_refused(transport):
    with pytest.raises(EngineRefused, match="not a ClassAd expression"):
        transport.query("ClusterId == (", ["ClusterId"])


def test_a_job_whose_input_is_missing_is_refused_and_nothing_of_it_is_left(transport, tag, tmp_path):
    text = COPY.format(tag=tag, folder=tmp_path).replace("= in\n", "= nowhere.txt\n")
    with pytest.raises(EngineRefused, match=r"nowhere\.txt: .*No such file"):
        transport.submit(text, 2, SPOOLED)
    eventually(lambda: transport.query(mine(tag), ["ClusterId"]) == [])


def test_a_job_of_somebody_else_cannot_be_removed(our_pool, connection, connected, transport, tag):
    token = in_pool("condor_token_create", "-identity", f"nobody@{our_pool.schedd}").strip()
    other = connected(replace(connection, token=token))
    other.submit(HELD.format(tag=tag), 1, None)
    with pytest.raises(EngineRefused, match="permission denied"):
        transport.act("remove", mine(tag))
    assert other.act("remove", mine(tag))["success"] == 1


# --- when the pool cannot be reached


def test_an_answer_that_is_cut_off_is_a_failure_and_never_fewer_jobs(transport, connected, proxy, through_proxy, tag):
    transport.submit(HELD.format(tag=tag), 20, None)
    cut_off = connected(through_proxy)
    failed = 0
    for length in (0, 100, 300, 600, *range(900, 8000, 450)):
        proxy.cut_after = length
        try:
            assert len(cut_off.query(mine(tag), ["ClusterId", "ProcId", "Cmd", "HoldReason"])) == 20
        except EngineUnavailable:
            failed += 1
    assert failed > 5
    proxy.cut_after = None
    assert len(cut_off.query(mine(tag), ["ClusterId"])) == 20


def test_a_pool_that_stops_in_the_middle_of_an_answer_is_given_up_at_the_deadline(connected, proxy, through_proxy):
    transport = connected(through_proxy)
    transport.query("ClusterId == 0", ["ClusterId"])
    proxy.stop_after = 200
    with pytest.raises(EngineUnavailable, match="did not answer within 1 s"):
        transport.query("true", [], deadline=1)


def test_a_pool_where_nobody_listens_is_said_to_refuse_connections(connected, proxy, through_proxy):
    transport = connected(through_proxy)
    proxy.refuse()
    for call in (
        lambda: transport.query("true", ["ClusterId"]),
        lambda: transport.history("true", ["ClusterId"], 1),
        lambda: transport.act("hold", "ClusterId == 0"),
        lambda: transport.submit("executable = /bin/true", 1, None),
        lambda: transport.retrieve("ClusterId == 0", SPOOLED),
    ):
        with pytest.raises(EngineUnavailable, match=r"(?i)connect"):
            call()
    proxy.listen()
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []


def test_a_slow_pool_is_waited_for(connected, proxy, through_proxy):
    proxy.delay = 0.2
    assert connected(through_proxy).query("ClusterId == 0", ["ClusterId"]) == []


def test_of_several_schedds_none_is_taken_by_chance(pool, connection, connected):
    if not pool.breakable_schedd:
        pytest.skip("the pool has only one schedd")
    with pytest.raises(EngineUnavailable, match=f"several schedds.*{pool.schedd}"):
        connected(replace(connection, schedd_name="")).query("true", ["ClusterId"])
    with pytest.raises(EngineUnavailable, match=f"no schedd 'elsewhere' but.*{pool.schedd}"):
        connected(replace(connection, schedd_name="elsewhere")).query("true", ["ClusterId"])


# --- the login


def expired_token(pool) -> str:
    token = in_pool("condor_token_create", "-identity", f"{pool.account}@{pool.schedd}", "-lifetime", "1").strip()
    time.sleep(2.1)  # HTCondor counts whole seconds
    return token


def forged_token(pool) -> str:
    return pool.token[:-10] + ("A" * 10 if pool.token[-10:] != "A" * 10 else "B" * 10)


@pytest.mark.parametrize(
    ("token", "why"),
    [(expired_token, "the token expired on"), (forged_token, ""), (lambda pool: "", "there is no token")],
    ids=["expired", "forged", "none"],
)
def test_a_login_that_is_not_accepted_makes_the_pool_unavailable(our_pool, connection, connected, token, why):
    token = token(our_pool)
    transport = connected(replace(connection, token=token))
    for call in (
        lambda: transport.query("true", ["ClusterId"]),
        lambda: transport.history("true", ["ClusterId"], 1),
        lambda: transport.submit("executable = /bin/true\nhold = true", 1, None),
        lambda: transport.act("hold", "ClusterId == 0"),
        lambda: transport.retrieve("ClusterId == 0", SPOOLED),
    ):
        with pytest.raises(EngineUnavailable, match=f"login was not accepted.*{why}") as failure:
            call()
        assert not token or token not in str(failure.value)


def test_a_token_that_may_only_read_cannot_submit(our_pool, connection, connected):
    identity = f"{our_pool.account}@{our_pool.schedd}"
    token = in_pool("condor_token_create", "-identity", identity, "-authz", "READ").strip()
    transport = connected(replace(connection, token=token))
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []
    with pytest.raises(EngineRefused, match="DENIED"):
        transport.submit("executable = /bin/true\nhold = true", 1, None)
    assert [check.ok for check in transport.test()] == [True, True, False, None, None]


def test_the_token_lies_in_a_file_that_only_we_can_read_and_is_written_once(transport, connected):
    transport.query("ClusterId == 0", ["ClusterId"])
    file = transport.folder / "token"
    before = file.stat()
    assert (transport.folder.stat().st_mode & 0o777, before.st_mode & 0o777) == (0o700, 0o600)
    again = connected(transport.connection)
    again.folder = transport.folder
    again.query("ClusterId == 0", ["ClusterId"])
    assert file.stat().st_ino == before.st_ino
    assert [path.name for path in transport.folder.iterdir()] == ["token"]
    assert transport.connection.token not in repr(transport.connection)


# --- what works


def test_a_test_of_a_good_pool_says_what_works(pool, transport):
    checks = {check.name: check for check in transport.test()}
    assert list(checks) == ["Reach", "Login", "May submit", "Version", "Free slots"]
    assert all(check.ok for check in checks.values()), checks
    assert pool.schedd in checks["Reach"].detail
    assert f"{pool.account}@" in checks["Login"].detail
    assert checks["Version"].detail[0].isdigit()
    assert " of " in checks["Free slots"].detail


def test_a_test_of_a_schedd_says_that_it_does_not_know_the_slots(connected, through_proxy):
    assert [check.ok for check in connected(through_proxy).test()] == [True, True, True, True, None]


def test_a_test_with_a_bad_token_fails_at_the_login(pool, connection, connected):
    checks = connected(replace(connection, token=forged_token(pool))).test()
    assert [check.ok for check in checks] == [True, False, None, None, None]
    assert "condor_token_create" in checks[1].detail


def test_a_test_where_nobody_listens_fails_at_once(connected, proxy):
    proxy.refuse()
    checks = connected(Connection(f"127.0.0.1:{proxy.port}")).test()
    assert [check.ok for check in checks] == [False, None, None, None, None]
    assert "Connection refused" in checks[0].detail
    assert "firewall" in checks[0].detail


def test_a_test_of_a_pool_that_does_not_answer_ends_at_its_deadline(connected, proxy, through_proxy):
    proxy.silent = True
    checks = connected(through_proxy).test(deadline=1)
    assert checks[0].ok is False
    assert "did not answer" in checks[0].detail
