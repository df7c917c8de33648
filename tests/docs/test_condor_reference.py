"""The reference of HTCondor says what the code says."""

import re

from django.conf import settings

from jobs.condor.answers import process_state
from jobs.condor.bindings import transport
from jobs.condor.models import CondorJob, CondorScheduler, CondorWorkflow, CondorWorkflowNode
from jobs.condor.submission.description import DAYS_IN_QUEUE, VACATE, variables_of
from jobs.condor.submission.form import MOST_PROCESSES
from jobs.models import Job, Scheduler
from jobs.status import Status
from tests.docs.blocks import DOCS
from tests.docs.test_docs import rows_of

PAGE = DOCS / "reference" / "condor.md"
SCRIPT = (settings.BASE_DIR / "scripts" / "pool").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the tables with that heading, by what is in their first column."""
    return {row[0].strip("`"): row[1:] for row in rows_of(PAGE, heading)}


def own_fields(model, base) -> dict[str, object]:
    """The fields that a model has beside its base, with their defaults as the page has them."""
    fields = [one for one in model._meta.local_fields if one.name not in {parent.name for parent in base._meta.fields}]
    return {one.name: f"`{one.get_default()!r}`".replace("'", '"') for one in fields if not one.remote_field}


def test_it_has_every_attribute_of_a_job_with_its_default():
    listed = {name: cells[0] for name, cells in rows("attribute").items()}
    assert listed == own_fields(CondorJob, Job)


def test_it_has_every_field_of_a_scheduler_with_its_default():
    listed = {name: cells[0] for name, cells in rows("field").items()}
    assert listed == own_fields(CondorScheduler, Scheduler)


def test_it_has_every_attribute_of_a_workflow_and_of_a_node_with_its_default():
    listed = {name: cells[0] for name, cells in rows("workflow's").items()}
    assert listed == own_fields(CondorWorkflow, Job)
    listed = {name: cells[0] for name, cells in rows("node's").items()}
    known = own_fields(CondorWorkflowNode, CondorWorkflowNode.__bases__[0])
    assert listed == {name: default for name, default in known.items() if name not in CondorWorkflowNode.STATE | {"id"}}


def test_the_statuses_are_those_that_answers_have():
    for number, status, remark in [
        (int(code), cells[0], cells[1])
        for what, cells in ((row[0], row[1:]) for row in rows_of(PAGE, "HTCondor's JobStatus"))
        for code in re.findall(r"\d", what)
    ]:
        ad = {"JobStatus": number, "ExitCode": 1 if "another" in remark else 0}
        if "still ends" in remark:
            ad["RemoteHost"] = "slot1@example.org"
        assert Status(process_state(ad).status).label == status, (number, remark)
    assert {code for row in rows_of(PAGE, "HTCondor's JobStatus") for code in re.findall(r"\d", row[0])} == set(
        "1234567"
    )


def test_the_variables_of_a_job_are_those_that_it_gets():
    job = CondorJob()
    given = variables_of(job, token_file="token", callback_url="http://127.0.0.1/")
    assert {name for name in rows("variable") if not name.startswith("JOBDECK_POOL")} == set(given)


def test_the_numbers_are_those_of_the_code():
    text = PAGE.read_text()
    assert f"1 to {MOST_PROCESSES:,}" in text
    assert DAYS_IN_QUEUE == 10
    assert rows("command")["job_max_vacate_time"] == [f"`{VACATE}`"]
    deadlines = [float(row[1]) for row in rows_of(PAGE, "") if re.fullmatch(r"\d+", row[1])]
    assert deadlines == [transport.QUERY, transport.HISTORY, transport.SUBMIT, transport.TEST]
    assert transport.RETRIEVE == transport.SUBMIT


def test_it_has_every_command_and_variable_of_the_pool_script():
    commands = re.findall(r"^(\w+)\)", SCRIPT.partition("case ${1:-} in")[2], re.MULTILINE)
    assert {name.split()[1] for name in rows("command") if name.startswith("scripts/pool")} == set(commands)
    variables = set(re.findall(r"\$\{(JOBDECK_POOL_\w+)|\$(JOBDECK_POOL_\w+)", SCRIPT))
    used = {one or other for one, other in variables}
    assert used == {name for name in rows("variable") if name.startswith("JOBDECK_POOL")}
