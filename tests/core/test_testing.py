"""What Jobdeck ships for the tests of app code."""

from jobs.local.models import CommandJob
from jobs.testing import fake_engine
from jobs.types import get_type


def test_the_usual_engine_is_back_after_a_fake_one_of_the_same_name():
    usual = get_type("COMMAND")
    with fake_engine(CommandJob, "COMMAND") as fake:
        assert get_type("COMMAND").engine is fake
    assert get_type("COMMAND") is usual
    assert get_type(CommandJob) is usual
