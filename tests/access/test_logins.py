"""Who a caller is taken for: passwords, personal tokens, and what is not believed."""

import base64
from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.core.cache import cache
from django.test import Client

from jobs import clock
from jobs.access.passwords import FAILURES
from jobs.access.tokens import make_token, revoke, token_of
from jobs.errors import InvalidAttribute
from jobs.models import AccessToken

pytestmark = pytest.mark.django_db

URL = "/api/tasks"


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()
    yield
    cache.clear()


def basic(name: str, password: str = "") -> dict:
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def status(headers: dict, client: Client | None = None) -> int:
    return (client or Client()).get(URL, headers=headers).status_code


@pytest.fixture
def token(ann) -> str:
    return make_token(ann, "script", ["read"])[1]


def test_a_password_opens(ann):
    assert status(basic("ann", "ann")) == 200


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong"), ("nobody", "ann"), ("ann", " ann"), ("a\0nn", "ann"), ("ann", "a\0")]
)
def test_a_wrong_password_does_not(ann, name, password):
    answer = Client().get(URL, headers=basic(name, password))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic ")


def test_without_any_login_the_answer_says_how(ann):
    answer = Client().get(URL)
    assert (answer.status_code, answer["WWW-Authenticate"][:5]) == (401, "Basic")
    assert "token" in answer.json()["detail"]


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ???", "Basic " + base64.b64encode(b"no colon").decode(), "Basic /w=="]
)
def test_what_is_no_basic_login_is_said_so(header):
    assert Client().get(URL, headers={"Authorization": header}).status_code == 401


def test_a_password_is_hashed_once_and_then_remembered(ann, monkeypatch):
    hashed = []
    check = hashers.check_password
    monkeypatch.setattr(
        "django.contrib.auth.base_user.check_password", lambda *args, **kw: hashed.append(1) or check(*args, **kw)
    )
    for _ in range(5):
        assert status(basic("ann", "ann")) == 200
    assert len(hashed) == 1
    ann.set_password("other")
    ann.save()
    assert status(basic("ann", "ann")) == 401, "it is forgotten as soon as it is another"


def test_somebody_who_is_locked_out_is_not_remembered(ann):
    assert status(basic("ann", "ann")) == 200
    ann.is_active = False
    ann.save()
    assert status(basic("ann", "ann")) == 401


def test_guessing_does_not_lock_out_who_was_right_before(ann):
    assert status(basic("ann", "ann")) == 200
    for _ in range(FAILURES["name"] + 1):
        status(basic("ann", "guess"))
    assert status(basic("ann", "guess")) == 429
    assert status(basic("ann", "ann")) == 200


def test_guessing_ends_before_anything_is_hashed(ann, monkeypatch):
    for _ in range(FAILURES["name"]):
        assert status(basic("ann", "guess")) == 401
    monkeypatch.setattr("jobs.access.passwords.authenticate", lambda *_, **__: pytest.fail("it was hashed"))
    answer = Client().get(URL, headers=basic("ann", "ann"))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


# --- tokens


def test_a_token_opens_as_bearer_and_as_name_without_password(token):
    assert status({"Authorization": f"Bearer {token}"}) == 200
    assert status(basic(token)) == 200


def test_a_name_without_password_is_never_looked_up_as_an_account(ann):
    ann.set_password("")
    ann.save()
    assert status(basic("ann", "")) == 401


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text + "x", lambda _: "", lambda _: "jobdeck_"]
)
def test_another_text_is_no_token(token, change):
    assert status({"Authorization": f"Bearer {change(token)}"}) == 401


def test_the_text_of_a_token_is_nowhere_in_the_database(token):
    row = AccessToken.objects.values().get()
    assert token not in str(row)
    assert token.endswith(row["ending"])


def test_a_token_that_was_revoked_or_has_expired_opens_nothing(ann):
    row, text = make_token(ann, "script", ["read"], expires=clock.now() + timedelta(hours=1))
    assert status({"Authorization": f"Bearer {text}"}) == 200
    AccessToken.objects.update(expires=clock.now())
    assert status({"Authorization": f"Bearer {text}"}) == 401
    AccessToken.objects.update(expires=None)
    assert revoke(ann, row.pk)
    assert status({"Authorization": f"Bearer {text}"}) == 401
    assert not revoke(ann, row.pk), "it is revoked already"


def test_nobody_revokes_the_token_of_another(ann, bob):
    row, text = make_token(ann, "script", ["read"])
    assert not revoke(bob, row.pk)
    assert token_of(text)


def test_the_token_of_somebody_who_is_locked_out_opens_nothing(ann, token):
    ann.is_active = False
    ann.save()
    assert token_of(token) is None


def test_a_token_without_the_scope_is_told_which_one_it_needs(token):
    answer = Client().post(URL, {}, content_type="application/json", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert "has the scope read; that needs submit" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "scopes", "hours", "field"),
    [
        ("", ["read"], 1, "name"),
        ("x" * 101, ["read"], 1, "name"),
        ("two\nlines", ["read"], 1, "name"),
        ("script", [], 1, "scopes"),
        ("script", ["all"], 1, "scopes"),
        ("script", ["read"], -1, "expires"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(ann, name, scopes, hours, field):
    with pytest.raises(InvalidAttribute, match=f"^{field}: "):
        make_token(ann, name, scopes, expires=clock.now() + timedelta(hours=hours))
    assert not AccessToken.objects.exists()


def test_its_last_use_is_noted_to_the_hour(token, django_assert_num_queries):
    token_of(token)
    assert AccessToken.objects.get().last_used is not None
    with django_assert_num_queries(1):
        token_of(token)
