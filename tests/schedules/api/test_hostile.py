"""Whatever is sent, it is answered with what is wrong with it."""

import json

import pytest

from jobs.schedules.models import Schedule

pytestmark = pytest.mark.django_db
DISK = {"name": "disk", "argv": ["df", "-h"], "frequency": "every 10 minutes", "on_all": True}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "a\0b"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": ["disk"]}, "name"),
        ({"name": None}, "name"),
        ({"argv": None}, "argv"),
        ({"argv": ["\0"]}, "argv"),
        ({"argv": ["x"] * 10_001}, "argv"),
        ({"argv": ["x" * 60_000, "x" * 60_000]}, "argv"),
        ({"argv": [], "shell": {"a": 1}}, "shell"),
        ({"argv": [], "shell": "x" * 100_001}, "shell"),
        ({"argv": [], "shell": "ä" * 60_000}, "shell"),
        ({"start": 7}, "start"),
        ({"start": "9999-12-31T23:59:59Z"}, "start"),
        ({"start": "9999-12-31T23:59:59-14:00"}, "start"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
        ({"start": "1969-12-31T00:00:00Z"}, "start"),
        ({"end": "9999-12-31T23:59:59Z"}, "end"),
        ({"end": "2020-01-01T00:00:00Z"}, "end"),
        ({"frequency": "0 3 * * *", "start": "9999-12-31T23:59:59Z"}, "start"),
        ({"frequency": "0 0 31 2 *"}, "frequency"),
        ({"frequency": "* " * 90}, "frequency"),
        ({"frequency": 30}, "frequency"),
        ({"keep": 0}, "keep"),
        ({"keep": "ten"}, "keep"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 1e300}, "timeout"),
        ({"zone": "x" * 61}, "zone"),
        ({"zone": ""}, "zone"),
        ({"on_names": "node1"}, "on_names"),
        ({"on_names": ["a b"]}, "on_names"),
        ({"on_tags": [""]}, "on_tags"),
        ({"on_tags": [{"a": 1}]}, "on_tags.0"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"argv": [], "job_type": "NONE"}, "job_type"),
        ({"argv": [], "job_type": "COMMAND", "job_values": []}, "job_values"),
        ({"argv": [], "job_type": "COMMAND", "job_values": {"command": ["date"], "name": "x"}}, "job_values"),
        ({"id": "x"}, "id"),
        ({"next_due": "2026-01-31T00:00:00Z"}, "next_due"),
    ],
)
def test_no_value_of_a_field_is_an_error_of_the_server(anns, said, field):
    answer = anns.post("schedules/", DISK | said)
    assert answer.status_code == 400, answer.content
    error = answer.json()["error"]
    assert (
        any(name.split(".")[0] == field.split(".")[0] for name in error.get("fields", {}))
        or "\\x00" in error["message"]
    )
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"\\ud800": 1}', 400),
        (b'{"timeout": 1e999}', 400),
        (b" " * 10_000_001, 413),
    ],
)
def test_what_is_no_json_object_is_refused(staffs, agent, body, status):
    for method, path in (
        ("POST", "schedules/"),
        ("POST", "schedules/enrol-tokens/"),
        ("PATCH", f"schedules/agents/{agent.id}/"),
    ):
        if body == b"" and path != "schedules/":
            continue  # they need nothing
        answer = staffs.client.generic(method, f"/api/{path}", body, "application/json", headers=staffs.headers)
        assert answer.status_code == status, answer.content
        assert answer.json()["error"]["code"] == {400: "invalid", 413: "too_large"}[status]


def test_a_body_of_another_type_and_other_methods_are_refused(anns):
    answer = anns.client.post("/api/schedules/", "name=disk", "application/x-www-form-urlencoded", headers=anns.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    answer = anns("PUT", "schedules/", DISK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_a_command_of_a_hundred_kilobytes_is_taken_and_one_of_a_megabyte_is_not(anns):
    assert anns.post("schedules/", DISK | {"argv": ["x" * 99_000]}).status_code == 201
    answer = anns.post("schedules/", DISK | {"name": "other", "argv": ["x" * 1_000_000]})
    assert answer.status_code == 400
    assert len(json.dumps(answer.json())) < 2000


@pytest.mark.parametrize(
    "query",
    [
        "text=%00",
        "text=%ED%A0%80",
        "after=-1",
        "after=99999999999999999999",
        "own=maybe",
        "enabled=%00",
        "user=%00",
        "colour=red",
    ],
)
def test_no_parameter_of_the_list_is_an_error_of_the_server(anns, query):
    assert anns.get(f"schedules/?{query}").status_code in (200, 400)


@pytest.mark.parametrize(
    "query",
    ["agent=%00", "state=%00", "since=%00", "since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00",
     "until=2026-13-01T00:00:00Z", "before=_", "before=1_x", "before=0_00000000-0000-0000-0000-000000000000"],
)  # fmt: skip
def test_no_parameter_of_executions_is_an_error_of_the_server(anns, agent, query):
    made = anns.post("schedules/", DISK).json()["id"]
    assert anns.get(f"schedules/{made}/executions/?{query}").status_code in (200, 400)


@pytest.mark.parametrize("path", ["schedules/x/", "schedules/00000000-0000-0000-0000-00000000000/", "schedules/%00/"])
def test_what_is_no_id_is_not_found(anns, path):
    assert anns.get(path).status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [({"agents": []}, "agents"), ({"agents": "node1"}, "agents"), ({"agents": ["a\0"]}, "agents"),
     ({"agents": ["x"] * 1001}, "agents"), ({"agents": None}, "agents"), ({"on": []}, "on")],
)  # fmt: skip
def test_what_is_wrong_with_a_run_now_is_named(anns, agent, said, field):
    made = anns.post("schedules/", DISK).json()["id"]
    answer = anns.post(f"schedules/{made}/run-now/", said)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("said", "field"),
    [({"name": ""}, "name"), ({"name": None}, "name"), ({"name": "a b"}, "name"), ({"name": "x" * 101}, "name"),
     ({"tags": None}, "tags"), ({"tags": "gpu"}, "tags"), ({"tags": [7]}, "tags.0"), ({"tags": ["x"] * 51}, "tags"),
     ({"tags": [""]}, "tags.0"), ({"key": "x"}, "key")],
)  # fmt: skip
def test_what_is_wrong_with_a_change_of_an_agent_is_named(staffs, agent, said, field):
    answer = staffs("PATCH", f"schedules/agents/{agent.id}/", said)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert (agent.row.name, agent.row.tags) == ("node1", [])
