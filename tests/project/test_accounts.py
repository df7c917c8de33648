"""The account of a first start: its password is known to everybody only where nobody else can use it."""

import re

import pytest

MAY_LOG_IN = "from django.contrib.auth import authenticate; print(bool(authenticate(username='demo', password={!r})))"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def new_site(site):
    """A site with an empty database, as before its first start."""
    site.folder.mkdir()
    site.environment["SECRET_KEY"] = "for this test only"
    assert site.manage("migrate", "--verbosity=0").returncode == 0
    return site


def seed(site, **environment) -> str:
    done = site.manage("seed", "--without-examples", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def may_log_in(site, password: str) -> bool:
    return site.python(MAY_LOG_IN.format(password)) == "True"


def random_password(text: str) -> str:
    found = re.search(r"password(?: is)? (\S{16})(?= )", text)
    assert found, text
    return found[1]


def test_on_loopback_the_password_is_the_known_one(new_site):
    assert "'demo' with the password 'demo'" in seed(new_site)
    assert may_log_in(new_site, "demo")
    assert seed(new_site) == ""


@pytest.mark.parametrize(
    "reachable",
    [{"HOST": "0.0.0.0"}, {"JOBDECK_URL": "https://jobs.example.org"}, {"ALLOWED_HOSTS": "jobs.example.org"}],
    ids=["listens everywhere", "has a public URL", "answers to a public name"],
)
def test_where_others_can_reach_the_site_the_password_is_random_and_printed_once(new_site, reachable):
    password = random_password(seed(new_site, **reachable))
    assert may_log_in(new_site, password)
    assert not may_log_in(new_site, "demo")
    assert seed(new_site, **reachable) == ""


def test_the_known_password_ends_when_others_can_reach_the_site(new_site):
    seed(new_site)
    password = random_password(seed(new_site, HOST="0.0.0.0"))
    assert may_log_in(new_site, password)
    assert not may_log_in(new_site, "demo")
    assert seed(new_site, HOST="0.0.0.0") == ""


def test_the_account_may_run_commands_and_functions_and_is_no_administrator(new_site):
    seed(new_site)
    code = """
from django.contrib.auth.models import User
user = User.objects.get()
rights = ("jobs.run_commands", "jobs_functions.call_functions", "jobs.jobs_table_actions")
print(*map(user.has_perm, rights), user.is_staff, user.is_superuser)
"""
    assert new_site.python(code) == "True True False False False"


def test_a_site_that_has_accounts_already_gets_neither_demo_nor_examples(new_site):
    new_site.python("from django.contrib.auth.models import User; User.objects.create_user('operator')")
    assert new_site.manage("seed").stdout == ""
    assert new_site.python("from django.contrib.auth.models import User; print(User.objects.get())") == "operator"
