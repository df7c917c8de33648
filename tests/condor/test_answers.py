"""What the schedd's answers mean, on answers that a real schedd gave and on many that it might give."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.condor.answers import PROJECTION, ProcessState, QueueView, process_state, report
from jobs.status import FINAL, Status

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> list[dict]:
    """The ads of an answer of a real schedd (HTCondor 23.9), as JSON."""
    return json.loads((RECORDED / f"{name}.json").read_text())


def said_of(name: str, **options):
    """What a view says that has this recorded answer only."""
    view = QueueView()
    (tag,) = view.apply(recorded(name), full=True)
    return view.report(tag, **options)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# --- one process, as a real schedd answers


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        ("spooling", Status.SUBMITTED, None),
        ("idle", Status.SUBMITTED, None),
        ("running", Status.RUNNING, None),
        ("held_by_user", Status.PAUSED, "Paused by ann (by user jobs)"),
        ("released", Status.SUBMITTED, None),
        ("suspended", Status.PAUSED, "Suspended where it runs."),
        ("evicted", Status.SUBMITTED, None),
        ("restarted", Status.RUNNING, None),
        ("removed", Status.ABORTED, "Stopped by ann (by user jobs)"),
        ("exit_0", Status.COMPLETE, None),
        ("exit_7", Status.ERROR, "The program ended with exit code 7."),
        ("signal_9", Status.ERROR, "The program was ended by signal 9 (SIGKILL)."),
        ("success_exit_code_3", Status.COMPLETE, None),
        ("completed_then_removed", Status.COMPLETE, None),
        ("history_exit_7", Status.ERROR, "The program ended with exit code 7."),
        ("history_removed", Status.ABORTED, "Python-initiated action (by user jobs)"),
    ],
)
def test_an_answer_of_a_real_schedd_says_how_the_job_is(answer, status, message):
    said = said_of(answer)

    assert (said.status, said.message) == (status, message)
    assert said.counts is said.progress is None


def test_a_failed_transfer_is_a_pause_with_the_reason_in_htcondors_words():
    said = said_of("held_by_failed_transfer")

    assert said.status == Status.PAUSED
    assert said.message.startswith("Transfer output files failure at execution point")
    assert "nothing.txt" in said.message
    assert said.exit_code is None, "the program had ended with 0, but the job is not over"


@pytest.mark.parametrize(
    ("answer", "exit_code"), [("exit_0", 0), ("exit_7", 7), ("success_exit_code_3", 3), ("signal_9", None)]
)
def test_an_ended_process_has_its_exit_code_unless_a_signal_ended_it(answer, exit_code):
    assert said_of(answer).exit_code == exit_code


def test_a_job_that_was_evicted_and_runs_again_keeps_its_first_start_and_has_no_exit_code():
    running, restarted = said_of("running"), said_of("restarted")

    assert recorded("restarted")[0]["ExitSignal"] == 9, "of the run that was cut off"
    assert restarted.started == running.started == at(recorded("running")[0]["JobStartDate"])
    assert restarted.exit_code is restarted.finished is None


def test_times_and_memory_of_an_ended_process_are_htcondors():
    ad, said = recorded("exit_0")[0], said_of("exit_0")

    assert (said.started, said.finished) == (at(ad["JobStartDate"]), at(ad["CompletionDate"]))
    assert said.resources == {"max_rss_bytes": ad["ResidentSetSize"] * 1024}


def test_cpu_seconds_are_those_of_user_and_system_of_all_runs():
    ad = recorded("exit_0")[0] | {"CumulativeRemoteUserCpu": 2.5, "CumulativeRemoteSysCpu": 0.5}

    assert process_state(ad).cpu_seconds == 3.0


def test_what_is_not_measured_is_not_reported_as_nothing():
    assert said_of("exit_7").resources is None


def test_a_job_that_is_removed_while_it_runs_ended_when_it_was_removed():
    assert said_of("removed").finished == at(recorded("removed")[0]["EnteredCurrentStatus"])


def test_a_hold_without_a_reason_says_so():
    ad = recorded("held_by_user")[0] | {"HoldReason": ""}

    assert process_state(ad) == ProcessState(
        Status.PAUSED, "Held; HTCondor gives no reason.", started=ad["JobStartDate"]
    )


def test_transferring_output_is_running():
    assert process_state(recorded("running")[0] | {"JobStatus": 6}).status == Status.RUNNING


def test_a_status_that_nobody_knows_is_other_and_says_what_htcondor_said():
    state = process_state(recorded("running")[0] | {"JobStatus": 99})

    assert state.status == Status.OTHER
    assert "99" in state.message


def test_a_completed_process_without_an_exit_code_is_no_success():
    ad = recorded("exit_0")[0]
    del ad["ExitCode"]

    assert process_state(ad).status == Status.ERROR
    assert "outcome is unknown" in process_state(ad).message


# --- many processes


def test_many_alike_have_their_status():
    submitted, complete = said_of("many_submitted"), said_of("many_complete")

    assert (submitted.status, submitted.counts, submitted.progress) == (Status.SUBMITTED, {"SUB": 5}, 0)
    assert (complete.status, complete.counts, complete.progress) == (Status.COMPLETE, {"COM": 3}, 100)
    assert complete.exit_code == 0
    assert complete.message is submitted.message is None
    assert complete.finished == at(max(ad["CompletionDate"] for ad in recorded("many_complete")))


def test_many_that_differ_are_various_with_counts_and_the_worst_by_its_number():
    said = said_of("many_various")

    assert said.status == Status.VARIOUS
    assert said.counts == {"COM": 1, "RUN": 1, "ERR": 1, "PAS": 1, "SUB": 1}
    assert said.progress == 40
    assert said.message == "1 of 5 failed, 1 of 5 held. Process 2: The program ended with exit code 7."
    assert said.exit_code is said.finished is None, "it is not over"


def test_many_that_are_over_with_different_ends_are_various_complete():
    said = said_of("many_over")

    assert said.status == Status.VARIOUS_COMPLETE
    assert said.counts == {"COM": 1, "ERR": 1, "ABT": 3}
    assert (said.progress, said.exit_code) == (100, 7)
    assert said.finished == at(max(ad["EnteredCurrentStatus"] for ad in recorded("many_over")))


states = st.builds(
    ProcessState,
    status=st.sampled_from(
        [Status.SUBMITTED, Status.RUNNING, Status.PAUSED, Status.COMPLETE, Status.ERROR, Status.ABORTED, Status.OTHER]
    ),
    message=st.just("why"),
    exit_code=st.none() | st.integers(0, 255),
    started=st.none() | st.integers(1, 10**9),
    finished=st.none() | st.integers(1, 10**9),
    cpu_seconds=st.none() | st.floats(0.1, 10),
    max_rss_bytes=st.none() | st.integers(1, 10**9),
)


@given(st.lists(states, min_size=2, max_size=30))
def test_any_mix_of_processes_has_counts_that_add_up_and_a_status_that_fits(mix):
    said = report("tag", dict(enumerate(mix)), len(mix))
    found = {state.status for state in mix}

    assert sum(said.counts.values()) == len(mix)
    assert set(said.counts) == found
    assert (said.progress == 100) == (said.status in FINAL) == (found <= FINAL)
    if len(found) == 1:
        assert said.status in found
    elif found - FINAL == {Status.PAUSED}:
        assert said.status == Status.PAUSED
    else:
        assert said.status in (Status.VARIOUS, Status.VARIOUS_COMPLETE)
    assert bool(said.message) == bool(found & {Status.ERROR, Status.PAUSED, Status.ABORTED, Status.OTHER})
    assert said.started == min((at(state.started) for state in mix if state.started), default=None)


# --- the view: whole answers and deltas

WORDS = st.sampled_from(["job.a", "job.b", "job.c"])
PROCESSES = {"job.a": 1, "job.b": 3, "job.c": 5}


def ad_of(tag: str, process: int, status: int = 1, **facts) -> dict:
    return {
        "JobdeckTag": tag,
        "ClusterId": 1 + ord(tag[-1]),
        "ProcId": process,
        "JobStatus": status,
        "EnteredCurrentStatus": 1000,
        "ServerTime": 1000,
        "TotalSubmitProcs": PROCESSES[tag],
        "ExitBySignal": False,
        **({"ExitCode": 0} if status == 4 else {}),
        **facts,
    }


def whole_queue() -> list[dict]:
    return [ad_of(tag, process) for tag, number in PROCESSES.items() for process in range(number)]


steps = st.lists(
    st.builds(
        lambda tag, process, status: (tag, process % PROCESSES[tag], status),
        WORDS,
        st.integers(0, 4),
        st.sampled_from([1, 2, 3, 4, 5, 7]),
    ),
    max_size=20,
)


@given(steps, st.randoms(use_true_random=False))
def test_deltas_after_a_whole_answer_say_what_a_whole_answer_says(changes, random):
    now = {(ad["JobdeckTag"], ad["ProcId"]): ad for ad in whole_queue()}
    view = QueueView()
    view.apply(whole_queue(), full=True)
    for tag, process, status in changes:
        now[tag, process] = ad_of(tag, process, status)
    last = list({(tag, process): None for tag, process, _ in changes})
    random.shuffle(last)
    size = random.randint(1, 4)
    for start in range(0, len(last), size):
        view.apply([now[key] for key in last[start : start + size]], full=False)

    anew = QueueView()
    anew.apply(now.values(), full=True)
    assert [view.report(tag) for tag in PROCESSES] == [anew.report(tag) for tag in PROCESSES]
    assert view.apply(now.values(), full=True) == set()


def test_only_what_is_different_counts_as_changed():
    view = QueueView()
    assert view.apply(whole_queue(), full=True) == set(PROCESSES)

    later = [ad | {"ServerTime": 2000} for ad in whole_queue()]
    assert view.apply(later, full=False) == set()
    assert view.apply(later, full=True) == set()
    assert view.apply([ad_of("job.b", 2, status=2)], full=False) == {"job.b"}
    assert view.apply(later, full=True) == {"job.b"}


def test_what_a_whole_answer_lacks_is_gone_and_what_a_delta_lacks_is_not():
    view = QueueView()
    view.apply(whole_queue(), full=True)

    view.apply([], full=False)
    assert view.report("job.a") is not None
    assert view.apply([ad for ad in whole_queue() if ad["JobdeckTag"] != "job.a"], full=True) == {"job.a"}
    assert view.report("job.a") is None
    assert view.missing_processes("job.a") == 0, "nothing is known of it at all"


def test_nothing_is_said_of_a_job_of_which_some_processes_are_missing():
    view = QueueView()
    view.apply([ad_of("job.c", process) for process in (0, 3)], full=True)

    assert view.missing_processes("job.c") == 3
    assert view.report("job.c") is None


def test_processes_that_neither_queue_nor_history_have_have_failed():
    view = QueueView()
    view.apply([ad_of("job.b", 0, status=4), ad_of("job.b", 2, status=4)], full=False)

    said = view.report("job.b", lost_are_errors=True)
    assert said.status == Status.VARIOUS_COMPLETE
    assert said.counts == {"COM": 2, "ERR": 1}
    assert said.message.startswith("1 of 3 failed. Process 1: The pool knows nothing of it any more")
    assert view.report("job.a", lost_are_errors=True) is None, "of which nothing at all is known"


def test_a_cluster_that_a_broken_off_submission_left_does_not_count():
    left = [ad_of("job.b", process, status=3, ClusterId=7) for process in range(3)]
    right = [ad_of("job.b", process, status=2, ClusterId=8) for process in range(3)]
    for ads in (left + right, right + left):
        view = QueueView()
        view.apply(ads, full=True)
        assert view.report("job.b").status == Status.RUNNING
        assert view.report("job.b", external_id="8").status == Status.RUNNING
        assert view.report("job.b", external_id="7").status == Status.ABORTED


def test_the_next_delta_starts_at_the_schedds_clock_also_where_it_was_set_back():
    view = QueueView()
    assert view.latest is None
    view.apply([], full=True)
    assert view.latest is None, "an empty answer bears no time"
    view.apply([ad_of("job.a", 0, ServerTime=5000), ad_of("job.b", 0, ServerTime=4999)], full=True)
    assert view.latest == 5000
    view.apply([], full=False)
    assert view.latest == 5000
    view.apply([ad_of("job.a", 0, ServerTime=1400)], full=True)
    assert view.latest == 1400


def test_jobs_that_bear_no_tag_are_nobodys():
    view = QueueView()
    assert view.apply([ad_of("job.a", 0) | {"JobdeckTag": None}], full=True) == set()


def test_many_of_which_all_that_are_not_over_stand_still_are_paused():
    states = {0: ProcessState(Status.COMPLETE, exit_code=0), 1: ProcessState(Status.PAUSED, "held by ann")}
    said = report("job.a", states, 2)
    assert (said.status, said.counts) == (Status.PAUSED, {"COM": 1, "PAS": 1})


def test_what_jobdeck_itself_removed_has_no_message_of_htcondors():
    ad = {"JobStatus": 3, "RemoveReason": "asked for by Jobdeck (by user jobs)"}
    assert process_state(ad).message == ""
    assert process_state({**ad, "RemoteHost": "slot1@here"}).status == Status.RUNNING
    assert process_state({**ad, "RemoveReason": "the pool moves"}).message == "the pool moves"


# --- messages that no longer hold


def test_the_reason_of_a_hold_goes_with_the_hold_and_what_the_job_says_later_stays():
    view = QueueView()
    tag = "job.a"
    view.apply([ad_of(tag, 0, status=5, HoldReason="disk full", HoldReasonCode=21)], full=True)
    assert view.report(tag).message == "disk full"
    view.apply([ad_of(tag, 0, status=1)], full=False)
    assert view.report(tag).message == ""
    assert view.report(tag).message is None


def test_a_view_that_is_new_takes_back_the_reason_of_a_hold_that_it_has_not_seen():
    view = QueueView()
    view.apply(whole_queue(), full=True)

    assert view.report("job.a", was=Status.PAUSED).message == ""
    assert view.report("job.b", was=Status.VARIOUS).message == ""
    assert view.report("job.c", was=Status.RUNNING).message is None


def test_a_view_that_is_told_twice_that_a_job_is_paused_takes_the_reason_back_twice():
    """The first time may not have reached the database."""
    view = QueueView()
    view.apply(whole_queue(), full=True)

    assert [view.report("job.a", was=Status.PAUSED).message for _ in range(2)] == ["", ""]


# --- how fast


def fastest(work) -> float:
    """Seconds of the fastest of five: the others had to wait for the machine."""
    found = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return min(found)


def test_every_recorded_answer_has_only_what_is_asked_for_and_is_understood():
    for path in RECORDED.glob("*.json"):
        for ad in recorded(path.stem):
            assert set(ad) <= set(PROJECTION), path.stem
            assert process_state(ad).status != Status.OTHER, path.stem
