"""Pools by SSH in Django's admin: the account's secrets go in and never come out; a host key is accepted on purpose."""

import io

import paramiko
import pytest

from jobs.condor.models import CondorScheduler
from jobs.condor.ssh.keys import fingerprint
from jobs.models import Scheduler
from tests.condor.test_admin import LIST, change, errors, filled, row

pytestmark = pytest.mark.django_db


def ed25519() -> paramiko.PKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return paramiko.Ed25519Key.from_private_key(io.StringIO(made.decode()))


def written(passphrase: str = "") -> str:
    """A new private key as its file has it."""
    out = io.StringIO()
    paramiko.ECDSAKey.generate(bits=256).write_private_key(out, password=passphrase or None)
    return out.getvalue()


KEY = written()
LOCKED = written("open sesame")
HOST_KEY = f"ssh-ed25519 {ed25519().get_base64()}"
OTHER_HOST_KEY = f"ssh-ed25519 {ed25519().get_base64()}"
INNER = KEY.splitlines()[2]


def by_ssh(**values) -> dict:
    return filled(**{"address": "", "ssh_host": "submit.example.org", "ssh_username": "site"} | values)


@pytest.fixture
def pool() -> CondorScheduler:
    made = CondorScheduler.objects.create(
        name="lab",
        ssh_host="submit.example.org",
        ssh_username="site",
        ssh_key=KEY,
        ssh_password="the password",
        least_interval=3.0,
    )
    made.refresh_from_db()
    return made


def after_a_test(pool, key: str = HOST_KEY) -> CondorScheduler:
    """The pool after a test that met this host key."""
    found = {"name": "Host key", "ok": False, "detail": "not known yet", "offer": key}
    Scheduler.objects.filter(pk=pool.pk).update(last_test={"time": "", "ok": False, "checks": [found]})
    pool.refresh_from_db()
    return pool


def test_a_pool_is_added_with_account_and_key_and_tested(root):
    root.post(f"{LIST}add/", by_ssh(ssh_port="2222", new_ssh_key=LOCKED, new_ssh_passphrase="open sesame"))

    pool = CondorScheduler.objects.get()
    assert (pool.place, pool.by_ssh) == ("site@submit.example.org:2222", True)
    assert pool.ssh_key.reveal().strip() == LOCKED.strip()
    assert pool.ssh_passphrase.reveal() == "open sesame"
    assert pool.ssh_host_key == "", "no key is accepted by itself"
    assert pool.test_wanted is not None


def test_a_password_may_have_spaces_around_it(root):
    root.post(f"{LIST}add/", by_ssh(new_ssh_password=" two words "))

    assert CondorScheduler.objects.get().ssh_password.reveal() == " two words "


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"address": "cm.example.org", "new_ssh_key": KEY}, "ssh_host", "give one way to the pool"),
        ({"ssh_host": "a b", "new_ssh_key": KEY}, "ssh_host", "no place for spaces"),
        ({"ssh_host": "", "ssh_username": ""}, "address", "or an SSH host"),
        ({"ssh_username": "", "new_ssh_key": KEY}, "ssh_username", "Name the account"),
        ({}, "new_ssh_key", "private key here, or its password"),
        ({"new_ssh_key": "ssh-ed25519 AAAA"}, "new_ssh_key", "This is no private key"),
        ({"new_ssh_key": KEY[:80] + "\n-----END EC PRIVATE KEY-----"}, "new_ssh_key", "cannot be read"),
        ({"new_ssh_key": LOCKED}, "new_ssh_passphrase", "needs its passphrase"),
        ({"new_ssh_key": LOCKED, "new_ssh_passphrase": "wrong"}, "new_ssh_passphrase", "not the key's"),
        ({"new_ssh_key": KEY, "ssh_port": "0"}, "ssh_port", "from 1 to 65535"),
        ({"new_ssh_key": KEY, "ssh_folder": "../x"}, "ssh_folder", "without '..'"),
        ({"new_ssh_key": KEY, "ssh_folder": ""}, "ssh_folder", "required"),
        ({"new_ssh_key": KEY, "ssh_host_key": "ssh-ed25519"}, "ssh_host_key", "This is no host key"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(root, values, field, message):
    response = root.post(f"{LIST}add/", by_ssh() | values)

    assert message in errors(response, field)
    assert not CondorScheduler.objects.exists()


def test_a_passphrase_is_tried_on_the_stored_key(root, pool):
    pool.ssh_key = LOCKED
    pool.ssh_passphrase = "open sesame"
    pool.save()

    assert "not the key's" in errors(root.post(change(pool), by_ssh(new_ssh_passphrase="wrong")), "new_ssh_passphrase")
    assert "needs its passphrase" in errors(
        root.post(change(pool), by_ssh(remove_ssh_passphrase="on")), "new_ssh_passphrase"
    )


def test_what_is_saved_unchanged_stays(root, pool):
    pool.ssh_host_key = HOST_KEY
    pool.save()
    before = row(pool)

    root.post(change(pool), by_ssh(ssh_host_key=HOST_KEY))

    assert row(pool) == before | {"test_wanted": row(pool)["test_wanted"]}


def test_secrets_are_removed_one_by_one(root, pool):
    root.post(change(pool), by_ssh(remove_ssh_password="on"))

    pool.refresh_from_db()
    assert (bool(pool.ssh_password), bool(pool.ssh_key)) == (False, True)


def test_no_answer_of_the_site_has_a_secret_in_it(root, pool):
    after_a_test(pool)
    answers = [
        root.get(change(pool)),
        root.post(change(pool), by_ssh(new_ssh_key=KEY, ssh_username="")),
        root.post(change(pool), by_ssh(new_ssh_password="the password", ssh_port="0")),
        root.post(change(pool), by_ssh(new_ssh_key=KEY, new_ssh_password="the password"), follow=True),
        root.get(f"{LIST}{pool.pk}/history/"),
        root.get("/jobs/schedulers/"),
    ]
    for answer in answers:
        text = answer.content.decode()
        assert answer.status_code == 200
        assert INNER not in text
        assert "the password" not in text


# --- the host's key


def test_the_key_that_a_test_met_is_shown_with_its_fingerprint_and_accepted_by_a_tick(root, pool):
    after_a_test(pool)
    page = root.get(change(pool)).content.decode()
    assert fingerprint(HOST_KEY) in page
    assert pool.ssh_host_key == ""

    root.post(change(pool), by_ssh(accept_host_key="on", shown_host_key=HOST_KEY))

    pool.refresh_from_db()
    assert pool.ssh_host_key == HOST_KEY
    assert "accept_host_key" not in root.get(change(pool)).content.decode()


def test_another_key_than_the_one_that_was_shown_is_not_accepted(root, pool):
    after_a_test(pool)
    root.get(change(pool))
    after_a_test(pool, OTHER_HOST_KEY)

    response = root.post(change(pool), by_ssh(accept_host_key="on", shown_host_key=HOST_KEY))

    assert "did not find this key any more" in errors(response, "accept_host_key")
    assert fingerprint(OTHER_HOST_KEY) in response.content.decode()
    assert row(pool)["ssh_host_key"] == ""


def test_a_key_of_the_old_host_is_not_accepted_for_a_new_one(root, pool):
    after_a_test(pool)
    values = by_ssh(accept_host_key="on", shown_host_key=HOST_KEY) | {"ssh_host": "elsewhere.example.org"}

    assert "The host was changed too" in errors(root.post(change(pool), values), "accept_host_key")


def test_with_another_host_the_accepted_key_goes(root, pool):
    pool.ssh_host_key = HOST_KEY
    pool.save()

    values = by_ssh(ssh_host_key=HOST_KEY, new_ssh_password="the other's") | {"ssh_host": "elsewhere.example.org"}
    root.post(change(pool), values)

    assert (row(pool)["ssh_host"], row(pool)["ssh_host_key"]) == ("elsewhere.example.org", "")


@pytest.mark.parametrize("moved", [{"ssh_host": "evil.example.org"}, {"ssh_port": "2200"}])
def test_a_stored_password_is_not_sent_to_another_host(root, pool, moved):
    before = row(pool)

    assert "enter it again" in errors(root.post(change(pool), by_ssh() | moved), "new_ssh_password")
    assert row(pool) == before
    root.post(change(pool), by_ssh(remove_ssh_password="on") | moved)
    pool.refresh_from_db()
    assert not pool.ssh_password
    assert {name: str(getattr(pool, name)) for name in moved} == moved


def test_the_page_of_schedulers_says_where_it_is_and_leads_to_the_key(root, pool):
    after_a_test(pool)
    page = root.get("/jobs/schedulers/").content.decode()

    assert "site@submit.example.org" in page
    assert f'<a href="{change(pool)}">Accept it</a>' in page
