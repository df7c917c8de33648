"""The job manager, as app code uses it."""

# ruff: noqa: PTH118 the documentation that is followed here joins paths so

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from jobs.errors import InvalidAttribute, JobNotFound, NameTaken, UnknownAttribute, UnknownJobType
from jobs.local.models import CommandJob
from jobs.manager import JobManager
from jobs.models import BasicJob, Job, Scheduler, job_rows
from jobs.testing import settle
from tests.exampleapp.apps import ExampleApp as app
from tests.exampleapp.results import count

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(rf):
    """A function that makes a request of a person."""

    def make(user):
        request = rf.get("/", headers={"host": "testserver"})
        request.user = user
        return request

    return make


# --- the examples of the Jobs API's documentation (seed 001), as printed but for types that need a pool


def test_creating_and_executing_a_job_as_documented(request_of, ann):
    request = request_of(ann)
    job_manager = app.get_job_manager()

    # get the path to the app workspace to reference job files
    app_workspace = app.get_app_workspace().path

    # create a new job from the job manager
    job = job_manager.create_job(
        name="myjob_{id}",  # required
        user=request.user,  # required
        job_type="COMMAND",  # required
        # any other properties can be passed in as kwargs
        command=["python3", "my_script.py"],
        input_files=(
            os.path.join(app_workspace, "my_script.py"),
            os.path.join(app_workspace, "input_1"),
            os.path.join(app_workspace, "input_2"),
        ),
    )

    # properties can also be added after the job is created
    job.extended_properties = {"one": 1, "two": 2}

    # save or execute the job
    job.save()
    # or
    job.execute()

    found = CommandJob.objects.get(pk=job.pk)
    assert found.name == f"myjob_{job.id}"
    assert found.extended_properties == {"one": 1, "two": 2}
    assert found.input_files[1] == os.path.join(app_workspace, "input_1")
    assert (found.label, found.status, found.execute_time is None) == ("exampleapp", "Pending", False)


def test_retrieving_jobs_as_documented(request_of, ann, bob):
    request = request_of(ann)
    job_manager = app.get_job_manager()
    mine = job_manager.create_job(name="mine", user=ann, job_type="BASIC")
    theirs = job_manager.create_job(name="theirs", user=bob, job_type="BASIC")
    JobManager("another_app").create_job(name="mine", user=ann, job_type="BASIC")

    # get list of all jobs created in your app
    assert list(job_manager.list_jobs()) == [theirs, mine]

    # get list of all jobs created by current user in your app
    assert list(job_manager.list_jobs(user=request.user)) == [mine]
    assert list(job_manager.list_jobs(request.user)) == [mine]

    # get job with id of 27
    assert job_manager.get_job(job_id=theirs.id) == theirs

    # get job with id of 27 only if it was created by current user
    assert job_manager.get_job(job_id=mine.id, user=request.user) == mine
    with pytest.raises(JobNotFound):
        job_manager.get_job(job_id=theirs.id, user=request.user)


def test_the_callback_url_as_documented(request_of, ann, client):
    request = request_of(ann)
    job_manager = app.get_job_manager()
    job_id = job_manager.create_job(name="mine", user=ann, job_type="BASIC").id

    callback_url = job_manager.get_job_status_callback_url(request, job_id)

    assert callback_url == f"http://testserver/update-job-status/{job_id}/"
    assert client.get(callback_url).json() == {"success": True}


def test_without_a_request_the_callback_url_is_that_of_the_setting(ann, settings):
    settings.JOBS = {**settings.JOBS, "URL": "https://jobs.example.org/"}
    assert (
        app.get_job_manager().get_job_status_callback_url(None, 27) == "https://jobs.example.org/update-job-status/27/"
    )


def test_the_manager_is_had_from_the_app_class_and_from_the_installed_app_alike():
    from django.apps import apps

    assert app.get_job_manager().label == apps.get_app_config("exampleapp").get_job_manager().label == "exampleapp"


def test_the_read_only_attributes_as_documented(ann, clock):
    job = app.get_job_manager().create_job(name="mine", user=ann, job_type="BASIC", description="about")
    assert (job.user, job.label, job.creation_time, job.status) == (ann, "exampleapp", clock(), "Pending")
    assert (job.execute_time, job.start_time, job.completion_time) == (None, None, None)
    words = []
    for status in ("Submitted", "Running", "Complete"):
        clock.move(5)
        job.execute() if status == "Submitted" else job.update_status(status)
        words.append(job.status)
    assert words == ["Submitted", "Running", "Complete"]
    assert (job.start_time - job.execute_time).total_seconds() == 5
    assert job.run_time.total_seconds() == 5


# --- names and types


@pytest.mark.parametrize("job_type", ["BASIC", "basic", "Basic", BasicJob])
def test_a_type_is_given_by_name_in_any_case_or_by_class(manager, ann, job_type):
    assert type(manager.create_job(name="a", user=ann, job_type=job_type)) is BasicJob


def test_a_type_may_have_aliases(manager, ann):
    from jobs.types import JobType, register, unregister
    from tests.exampleapp.models import FakeJob

    several = JobType(name="SEVERAL", label="Several", model=FakeJob, aliases=["MANY"])
    register(several)
    try:
        assert type(manager.create_job(name="a", user=ann, job_type="many")) is FakeJob
        with pytest.raises(ValueError, match="'MANY' is registered already, for FakeJob"):
            register(JobType(name="OTHER", label="Other", model=BasicJob, aliases=["MANY"]))
    finally:
        unregister(several)


@pytest.mark.parametrize("job_type", ["SLURM", dict, None, 3, Job])
def test_an_unknown_type_is_refused_with_those_that_there_are(manager, ann, job_type):
    with pytest.raises(UnknownJobType, match="is not registered; installed are BASIC, COMMAND"):
        manager.create_job(name="a", user=ann, job_type=job_type)


def test_the_id_in_a_name_becomes_the_primary_key(manager, ann):
    jobs = [manager.create_job(name="run {id} of {id}", user=ann, job_type="BASIC") for _ in range(2)]
    assert [job.name for job in jobs] == [f"run {job.pk} of {job.pk}" for job in jobs]
    assert job_rows().get(pk=jobs[0].pk).name == jobs[0].name


def test_a_name_is_taken_for_its_user_and_app_only(manager, ann, bob):
    manager.create_job(name="a", user=ann, job_type="BASIC")
    manager.create_job(name="a", user=bob, job_type="BASIC")
    JobManager("another_app").create_job(name="a", user=ann, job_type="BASIC")
    with pytest.raises(NameTaken, match="name: ann already has a job 'a' in app; use another name"):
        manager.create_job(name="a", user=ann, job_type="COMMAND", command=["true"])
    assert job_rows().filter(label="app").count() == 2


def test_a_name_is_free_again_as_soon_as_its_job_is_deleted(fake, manager, ann):
    job = manager.create_job(name="a", user=ann, job_type="FAKE")
    job.execute()
    settle()
    job.delete()
    assert manager.create_job(name="a", user=ann, job_type="FAKE").pk != job.pk


@pytest.mark.parametrize("name", ["", "   ", None, 7])
def test_a_job_needs_a_name(manager, ann, name):
    with pytest.raises(InvalidAttribute, match="name: a job needs a name, for example"):
        manager.create_job(name=name, user=ann, job_type="BASIC")


@pytest.mark.parametrize("name", ["x" * 256, "{id}" + "x" * 255, "{id}" * 128])
def test_a_name_that_is_too_long_is_refused(manager, ann, name):
    with pytest.raises(InvalidAttribute, match=r"name: .*at most 255 characters"):
        manager.create_job(name=name, user=ann, job_type="BASIC")
    assert job_rows().count() == 0


@pytest.mark.parametrize("user", [None, AnonymousUser(), "ann"], ids=str)
def test_a_job_needs_a_person_who_is_logged_in(manager, db, user):
    with pytest.raises(InvalidAttribute, match="user: a job needs the user whose it is"):
        manager.create_job(name="a", user=user, job_type="BASIC")


# --- attributes


def test_an_unknown_attribute_is_refused_with_those_that_there_are(manager, ann):
    with pytest.raises(UnknownAttribute, match=r"comand: CommandJob has no such attribute .* it has command, desc"):
        manager.create_job(name="a", user=ann, job_type="COMMAND", comand=["true"])


@pytest.mark.parametrize(
    "attribute",
    [
        "status_code",
        "status",
        "attempt",
        "external_id",
        "completion_time",
        "uuid",
        "hidden",
        "claim",
        "id",
        "pk",
        "label",
    ],
)
def test_what_the_core_owns_cannot_be_set_by_who_makes_a_job(manager, ann, attribute):
    with pytest.raises(UnknownAttribute, match=f"^{attribute}: BasicJob has no such attribute that can be set"):
        manager.create_job(name="a", user=ann, job_type="BASIC", **{attribute: "COM"})


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"command": "echo hello"}, "command: must be a list, program first, .*; a line needs shell=True"),
        ({"command": []}, "command: "),
        ({"command": ["a", 1]}, "command: every word of it must be a text"),
        ({"command": ["a\0b"]}, "command: every word of it must be a text without NUL"),
        ({"command": ["echo", "a"], "shell": True}, "command: with shell=True it is one line of text"),
        ({"command": ["a"], "environment": {"A": 1}}, "environment: 'A' must have a text as its value"),
        ({"command": ["a"], "environment": {"A=B": "1"}}, "environment: 'A=B' must have .* no '=' in its name"),
        ({"command": ["a"], "environment": []}, "environment: must be a dictionary of texts"),
        ({"command": ["a"], "input_files": "one.txt"}, "input_files: must be a list of paths"),
        ({"command": ["a"], "timeout": -1}, "timeout: "),
        ({"command": ["a"], "timeout": "soon"}, "timeout: "),
        ({"command": ["a"], "extended_properties": {1, 2}}, "extended_properties: "),
        ({"command": ["a"], "process_results_function": "no.such.module.f"}, "process_results_function: .*imported"),
        ({"command": ["a"], "process_results_function": "os.sep"}, "process_results_function: .*is not a function"),
        ({"command": ["a"], "process_results_function": lambda job: None}, "process_results_function: .*top level"),
        ({"command": ["a"], "description": "x" * 2049}, "description: "),
        ({}, "command: "),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_value_is_refused_with_the_attributes_name_and_what_would_do(manager, ann, attributes, words):
    with pytest.raises(InvalidAttribute, match=words):
        manager.create_job(name="a", user=ann, job_type="COMMAND", **attributes)
    assert job_rows().count() == 0


def test_a_function_is_kept_as_its_path(manager, ann):
    job = manager.create_job(name="a", user=ann, job_type="BASIC", process_results_function=count)
    assert BasicJob.objects.get(pk=job.pk).process_results_function == "tests.exampleapp.results.count"
    with pytest.raises(ValueError, match="top level of a module"):
        job.process_results_function = lambda job: None


def test_groups_are_given_one_or_several(manager, ann):
    lab, office = Group.objects.create(name="lab"), Group.objects.create(name="office")
    one = manager.create_job(name="a", user=ann, job_type="BASIC", groups=lab)
    two = manager.create_job(name="b", user=ann, job_type="BASIC", groups=[lab, office])
    assert list(one.groups.all()) == [lab]
    assert set(two.groups.all()) == {lab, office}


# --- finding


@pytest.mark.parametrize("job_id", [10**9, 10**30, "x", None, -1])
def test_a_job_that_is_not_there_is_not_found(manager, ann, job_id):
    with pytest.raises(JobNotFound, match=r"^job_id: app has no job"):
        manager.get_job(job_id=job_id)
    with pytest.raises(JobNotFound, match=r"^job_id: app has no job .* of ann$"):
        manager.get_job(job_id=job_id, user=ann)


def test_another_persons_another_apps_and_no_job_are_told_apart_by_nothing(manager, ann, bob):
    theirs = manager.create_job(name="a", user=bob, job_type="BASIC")
    elsewhere = JobManager("another_app").create_job(name="a", user=ann, job_type="BASIC")
    said = set()
    for pk in (theirs.pk, elsewhere.pk, 10**9):
        with pytest.raises(JobNotFound) as caught:
            manager.get_job(pk, ann)
        said.add(str(caught.value).replace(str(pk), "N"))
    assert said == {"job_id: app has no job N of ann"}


def test_somebody_who_is_not_logged_in_has_no_jobs(manager, new_job):
    new_job()
    assert list(manager.list_jobs(AnonymousUser())) == []
    with pytest.raises(JobNotFound):
        manager.get_job(new_job().pk, AnonymousUser())


def test_jobs_of_all_types_are_listed_as_what_they_are_newest_first(manager, ann):
    basic = manager.create_job(name="a", user=ann, job_type="BASIC")
    command = manager.create_job(name="b", user=ann, job_type="COMMAND", command=["true"])
    assert [type(job) for job in manager.list_jobs()] == [CommandJob, BasicJob]
    assert list(manager.list_jobs()) == [command, basic]


def test_workspaces_are_apart_for_each_app_and_person_whatever_they_are_called(ann, bob, request_of):
    paths = [
        app.get_app_workspace().path,
        app.get_user_workspace(ann).path,
        app.get_user_workspace(bob).path,
        JobManager("another_app").get_user_workspace(ann).path,
    ]
    assert len(set(paths)) == 4
    assert all(Path(path).is_dir() for path in paths)
    assert app.get_user_workspace(request_of(ann)).path == paths[1]


def test_a_scheduler_is_found_by_name_and_an_unknown_one_named_with_those_there_are(db):
    Scheduler.objects.create(name="pool", type="condor")
    assert app.get_scheduler("pool").type == "condor"
    with pytest.raises(Scheduler.DoesNotExist, match="there is none called 'pond'; there are: pool"):
        app.get_scheduler("pond")
