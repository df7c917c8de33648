"""The page of a person's tokens, and the command: the text is shown once, and only to its owner."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from jobs.access.tokens import PREFIX, make_token, token_of
from jobs.models import AccessToken

pytestmark = pytest.mark.django_db

PAGE = "/jobs/tokens/"
TEXT = re.compile(rf"{PREFIX}[\w-]{{40,}}")


@pytest.fixture
def browser(ann) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def make(browser, **values):
    return browser.post(f"{PAGE}new/", {"name": "nightly", "scopes": ["read", "submit"], "days": "30", **values})


def test_a_token_is_made_and_shown_this_once(browser, ann):
    page = make(browser)
    [text] = set(TEXT.findall(page.content.decode()))
    assert "no-store" in page["Cache-Control"]
    token = token_of(text)
    assert (token.user, token.name, token.scopes) == (ann, "nightly", ["read", "submit"])
    assert timedelta(days=29) < token.expires - timezone.now() < timedelta(days=31)
    later = browser.get(PAGE).content.decode()
    assert text not in later
    assert f"…{text[-4:]}" in later


def test_one_without_an_end_is_good_until_it_is_revoked(browser):
    make(browser, days="0")
    assert AccessToken.objects.get().expires is None
    assert "good until revoked" in browser.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"scopes": []}, "Choose at least one"),
        ({"scopes": ["all"]}, "not one of the available choices"),
        ({"days": "7000"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(browser, values, message):
    page = make(browser, **values)
    assert page.status_code == 422
    assert message in page.content.decode()
    assert not AccessToken.objects.exists()


def test_a_revoked_token_opens_nothing_and_is_not_listed(browser, ann):
    row, text = make_token(ann, "old", ["read"])
    page = browser.post(f"{PAGE}{row.pk}/revoke/", follow=True).content.decode()
    assert "is revoked" in page
    assert "You have none." in page
    assert token_of(text) is None


def test_nobody_sees_or_revokes_those_of_others(browser, bob):
    row, text = make_token(bob, "bobs", ["read"])
    assert "bobs" not in browser.get(PAGE).content.decode()
    assert "no such token" in browser.post(f"{PAGE}{row.pk}/revoke/", follow=True).content.decode()
    assert token_of(text)


def test_a_login_is_needed():
    for answer in (Client().get(PAGE), Client().post(f"{PAGE}new/", {}), Client().post(f"{PAGE}1/revoke/")):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


# --- the command


def test_the_command_makes_lists_and_revokes(ann, capsys):
    call_command("token", "create", "ann", "nightly runs", "--scope", "submit", "--days", "3")
    text = capsys.readouterr().out.strip()
    assert token_of(text).scopes == ["submit"]
    call_command("token", "list", "ann")
    listed = capsys.readouterr().out
    assert "nightly runs" in listed
    assert text not in listed
    call_command("token", "revoke", "ann", listed.split()[0])
    assert token_of(text) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["create", "nobody", "x"], "There is no account 'nobody'"),
        (["create", "ann", ""], "name: give it a name"),
        (["revoke", "ann", "7"], "no token with the number 7"),
    ],
)
def test_the_command_says_what_is_wrong(ann, words, message):
    with pytest.raises(CommandError, match=message):
        call_command("token", *words)
