"""The tokens of flask-tasks: what they open, and all that is none."""

import base64
import hmac
import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.core.checks import run_checks
from django.core.management import call_command

from jobs.access.tokens import make_token as make_personal_token
from jobs.functions.flasktasks import keys
from jobs.functions.flasktasks.tokens import make_token
from tests.dialects.functions.conftest import Caller, allow, with_token

PROTECTED = {"type": "myProtectedTask", "args": {"x": 3, "y": 4}}


def claims_of(user, **changes) -> dict:
    claims = jwt.decode(make_token(user)[0], options={"verify_signature": False})
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_name_and_password_bring_a_token_that_opens_what_the_person_may(nobody, ann):
    allow(ann, "myProtectedTask")
    for method in ("GET", "POST"):
        answer = nobody(method, "/token", {"user": "ann", "password": "ann"})
        said = answer.json()
        assert said.keys() == {"token", "exp"}
        assert int(said["exp"]) == pytest.approx(time.time() + 3600, abs=10)
        assert answer["Cache-Control"] == "no-store"
        assert jwt.get_unverified_header(said["token"])["alg"] == "RS256"
        with_it = Caller(said["token"])
        for asking in ("GET", "POST"):
            listed = with_it(asking, "/protected")
            assert listed.json() == {"allowed_tasks": {"myProtectedTask": True}, "exp": said["exp"]}


def test_the_lines_of_the_document_with_a_body_only_list(allowed):
    assert allowed("GET", "/protected", PROTECTED).json()["allowed_tasks"] == {"myProtectedTask": True}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "ann", "password": "wrong"}, 401),
        ({"user": "nobody", "password": "ann"}, 401),
        ({"user": "ann"}, 400),
        ({"user": "ann", "password": ""}, 400),
        ({"user": 1, "password": 2}, 400),
        ([], 400),
    ],
)
def test_without_the_right_password_there_is_no_token(nobody, ann, body, status):
    answer = nobody("POST", "/token", body)
    assert answer.status_code == status
    assert answer.json().keys() == {"message"}


def test_passwords_can_be_guessed_only_so_often(nobody, ann):
    codes = [nobody("POST", "/token", {"user": "ann", "password": "wrong"}).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    assert nobody("POST", "/token", {"user": "ann", "password": "ann"}).status_code == 429


def test_a_protected_task_is_run_with_a_token_that_opens_it(allowed):
    assert allowed.result(allowed.post(PROTECTED).json())["result"] == 12


def test_a_token_that_does_not_open_it_is_refused_with_the_reason(ann):
    caller = with_token(ann)
    assert caller.get("/protected").json()["allowed_tasks"] == {}
    allow(ann, "myProtectedTask")  # the right came later than the token
    answer = caller.post(PROTECTED)
    assert (answer.status_code, answer.json()) == (
        401,
        {"message": "this token does not open the task myProtectedTask"},
    )


def test_a_right_that_was_taken_back_ends_what_the_token_opens(allowed, ann):
    ann.user_permissions.clear()
    assert allowed.post(PROTECTED).status_code == 401
    assert allowed.get("/protected").json()["allowed_tasks"] == {}
    assert allowed.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 200


def test_nobody_runs_a_protected_task_also_where_the_account_is_on(nobody, account):
    allow(account, "myProtectedTask")
    answer = nobody.post(PROTECTED)
    assert answer.status_code == 401
    assert "authorization is needed" in answer.json()["message"]


def test_a_locked_account_has_no_token(allowed, ann):
    ann.is_active = False
    ann.save()
    assert allowed.get("/protected").status_code == 401


def encoded(part) -> str:
    """A part of a token."""
    part = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def forged(ann) -> dict[str, str]:
    """Tokens that are none, by what is wrong with them."""
    good, _ = make_token(ann)
    public = (keys.folder() / keys.PUBLIC).read_bytes()
    header, body, signature = good.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=="))
    altered = encoded({**content, "allowed_tasks": {"myProtectedTask": True, "other": True}})
    other = generate_private_key(public_exponent=65537, key_size=2048)
    signed = keys.private_key()
    # What a library makes that takes the public key for a secret: it is no secret, so everybody could.
    unsigned = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{body}"
    by_secret = f"{unsigned}.{encoded(hmac.digest(public, unsigned.encode(), 'sha256'))}"
    return {
        "expired": jwt.encode(claims_of(ann, exp=int(time.time()) - 1), signed, algorithm="RS256"),
        "no algorithm": jwt.encode(content, None, algorithm="none"),
        "HS256": by_secret,
        "RS512": jwt.encode(content, signed, algorithm="RS512"),
        "another key": jwt.encode(content, other, algorithm="RS256"),
        "altered": f"{header}.{altered}.{signature}",
        "nested": f"{encoded(b'[' * 20_000)}.{body}.{signature}",
        "a list of algorithms": f"{encoded({'alg': ['RS256']})}.{body}.{signature}",
        "not there": "..",
        "cut off": good[:-20],
        "no expiry": jwt.encode(claims_of(ann, exp=None), signed, algorithm="RS256"),
        "for another use": jwt.encode(claims_of(ann, aud="other"), signed, algorithm="RS256"),
        "of another site": jwt.encode(claims_of(ann, iss="other"), signed, algorithm="RS256"),
        "of nobody": jwt.encode(claims_of(ann, sub="999999"), signed, algorithm="RS256"),
        "of no number": jwt.encode(claims_of(ann, sub="x' OR 1=1"), signed, algorithm="RS256"),
        "without tasks": jwt.encode(claims_of(ann, allowed_tasks="all"), signed, algorithm="RS256"),
        "nonsense": "nonsense",
        "a personal token": make_personal_token(ann, "test", ["read", "submit"])[1],
    }


REASONS = {
    "expired": "has expired",
    "no algorithm": "is not signed with RS256",
    "HS256": "is not signed with RS256",
    "RS512": "is not signed with RS256",
    "another key": "was not signed here, or was altered",
    "altered": "was not signed here, or was altered",
}


def test_what_is_no_token_is_refused_with_the_reason_everywhere(ann):
    allow(ann, "myProtectedTask")
    for what, token in forged(ann).items():
        caller = Caller(token)
        for answer in (caller.get("/protected"), caller.post(PROTECTED), caller.get("/task/1")):
            assert answer.status_code == 401, what
            assert REASONS.get(what, "") in answer.json()["message"], what
        # Nor does it fall back to the account of those who do not log in.
        assert caller.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 401, what


@pytest.mark.parametrize("header", ["Bearer", "Basic YW5uOmFubg==", "token", ""])
def test_another_login_than_a_token_is_refused(account, ann, header):
    caller = Caller()
    caller.headers = {"Authorization": header}
    assert caller.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 401


def test_the_login_of_the_browser_opens_nothing_here(ann):
    caller = Caller()
    caller.client.force_login(ann)
    assert caller.get("/protected").status_code == 401


def test_a_token_opens_no_other_api(allowed):
    for path in ("/api/jobs/", "/api/tasks"):
        assert allowed.get(path).status_code == 401


def test_a_token_is_good_for_as_long_as_the_setting_says(ann, settings):
    settings.JOBS = {**settings.JOBS, "JWT_EXPIRE_SEC": 60}
    assert make_token(ann)[1] == pytest.approx(time.time() + 60, abs=5)


def test_keys_come_from_the_settings_also_as_one_line(ann, settings):
    key = generate_private_key(public_exponent=65537, key_size=2048)
    settings.JOBS = {**settings.JOBS, "JWT_PRIVATE_PEM": pem(key).replace("\n", "\\n")}
    caller = with_token(ann)
    assert caller.get("/protected").status_code == 200
    settings.JOBS = {**settings.JOBS, "JWT_PRIVATE_PEM": ""}
    assert caller.get("/protected").status_code == 401


def test_a_token_of_a_host_whose_clock_is_ahead_is_taken(ann):
    token = jwt.encode(claims_of(ann, iat=int(time.time()) + 30), keys.private_key(), algorithm="RS256")
    assert Caller(token).get("/protected").status_code == 200


def ids_of_warnings() -> set[str]:
    return {one.id for one in run_checks(tags=["jobs"]) if one.id.startswith("jobs_functions.")}


def test_with_a_public_key_alone_tokens_are_taken_and_none_are_made(nobody, ann, settings):
    key = generate_private_key(public_exponent=65537, key_size=2048)
    elsewhere = jwt.encode(claims_of(ann), key, algorithm="RS256")
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.JOBS = {**settings.JOBS, "JWT_PUBLIC_PEM": public.decode()}
    assert Caller(elsewhere).get("/protected").status_code == 200
    answer = nobody("POST", "/token", {"user": "ann", "password": "ann"})
    assert (answer.status_code, "JWT_PRIVATE_PEM is not" in answer.json()["message"]) == (503, True)
    assert ids_of_warnings() == set()
    settings.JOBS = {**settings.JOBS, "JWT_PRIVATE_PEM": pem(key)}
    assert with_token(ann).get("/protected").status_code == 200
    assert ids_of_warnings() == set()


def test_whoever_sets_keys_that_are_none_or_no_pair_is_warned(settings):
    one, other = (pem(generate_private_key(public_exponent=65537, key_size=2048)) for _ in range(2))
    public = serialization.load_pem_private_key(other.encode(), None).public_key()
    text = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    for private, public in ((one, text), ("no key", ""), ("", "no key"), (text, "")):
        settings.JOBS = {**settings.JOBS, "JWT_PRIVATE_PEM": private, "JWT_PUBLIC_PEM": public}
        assert ids_of_warnings() == {"jobs_functions.W003"}


def test_without_keys_there_are_no_tokens_and_the_message_says_what_to_do(nobody, ann, settings, tmp_path):
    settings.JOBS = {**settings.JOBS, "DATA_DIR": str(tmp_path)}
    answer = nobody("POST", "/token", {"user": "ann", "password": "ann"})
    assert answer.status_code == 503
    assert "manage.py jwt_keys" in answer.json()["message"]
    settings.JOBS = {**settings.JOBS, "JWT_PRIVATE_PEM": "no key"}
    answer = nobody("POST", "/token", {"user": "ann", "password": "ann"})
    assert "JWT_PRIVATE_PEM is no private RSA key" in answer.json()["message"]


def test_keys_are_made_once_for_this_account_only(settings, tmp_path, capsys):
    settings.JOBS = {**settings.JOBS, "DATA_DIR": str(tmp_path)}
    call_command("jwt_keys")
    private, public = tmp_path / "jwt" / "private.pem", tmp_path / "jwt" / "public.pem"
    assert stat.S_IMODE(private.stat().st_mode) == stat.S_IMODE(public.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    before = private.read_text()
    call_command("jwt_keys")
    assert private.read_text() == before
    call_command("jwt_keys", renew=True)
    assert private.read_text() != before
    assert "private.pem is there already" in capsys.readouterr().out
    settings.JOBS = {**settings.JOBS, "JWT_PRIVATE_PEM": before}
    call_command("jwt_keys", renew=True)
    assert "none were made" in capsys.readouterr().out
    assert private.read_text() != before


def test_of_several_who_make_keys_at_once_one_makes_them(settings, tmp_path):
    settings.JOBS = {**settings.JOBS, "DATA_DIR": str(tmp_path)}
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: keys.make_keys(), range(4)))
    assert made.count(True) == 1
    assert sorted(path.name for path in keys.folder().iterdir()) == ["private.pem", "public.pem"]
    public = serialization.load_pem_public_key((keys.folder() / "public.pem").read_bytes())
    assert keys.private_key().public_key() == public
