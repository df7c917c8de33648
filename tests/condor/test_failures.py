"""What HTCondor said, as the real pool said it, and what is made of it."""

import base64
import json
import time

import pytest

from jobs.condor.bindings.failures import Refused, Token, Unavailable, failure, words

TRANSFER = "DCSchedd::spoolJobFiles:7002:File transfer failed for target job 17.0: "


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Failed to create job ad, Submit:-1:I don't know about the 'nosuch' universe.", Refused),
        ('Unable to commit transaction, SCHEDD:2:Setting job owner to "root" is not permitted', Refused),
        ('SECMAN:2010:Received "DENIED" from server for user jobs@vm using method IDTOKENS.', Refused),
        (TRANSFER + "|Error: 1 total failures: first failure: reading from file /x: (errno 2) No such file", Refused),
        (TRANSFER + "TOOL at 127.0.0.1 - |Error: writing to file /x: (errno 28) No space left on device", Unavailable),
        (TRANSFER + "TOOL at 127.0.0.1 - |Error: receiving file /tmp/tr/iwd/out", Unavailable),
        (TRANSFER, Unavailable),
        ("Unable to commit transaction", Unavailable),
        ("Failed to create new cluster.", Unavailable),
        ("Failed to fetch ads from schedd, CEDAR:6001:Failed to connect to <127.0.0.1:1>", Unavailable),
        ("SECMAN:2007:This service is running, but did not respond in a reasonable time.", Unavailable),
        ("AUTHENTICATE:1003:Failed to authenticate with any method", Unavailable),
        ("expected next ProcId to be 20000, but Schedd says -4", Refused),
        ("expected next ProcId to be 7, but Schedd says -2", Unavailable),
        ("expected next ProcId to be 0, but Schedd says -1", Unavailable),
    ],
)
def test_only_what_is_plainly_a_no_is_a_refusal(text, kind):
    assert type(failure(text)) is kind


def test_a_limit_of_the_queue_is_named():
    assert "MAX_JOBS_PER_SUBMISSION" in str(failure("expected next ProcId to be 20000, but Schedd says -4"))


def test_an_exception_without_words_gets_those_of_the_log():
    log = (
        "11/22/26 08:00:38 Server sent status indicating not OK.\n"
        "11/22/26 08:00:38 ERROR: AUTHENTICATE:1003:Failed to authenticate with any method\n"
        "11/22/26 08:00:38 FILETRANSFER: failed to open statistics file /log/transfer_history with error 2\n"
    )
    assert words("Failed to start command.", log) == (
        "Failed to start command: AUTHENTICATE:1003:Failed to authenticate with any method"
    )
    assert words("Failed to fetch ads from schedd, errmsg=", "") == "Failed to fetch ads from schedd"
    assert words("errmsg=Submit:-1:No\n\texecutable\n", log) == "Submit:-1:No executable"


def token(**claims) -> Token:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Token(f"e30.{payload}.signature")


def test_what_is_wrong_with_a_token_is_said_where_it_can_be_seen():
    assert token(iss="pool").flaw("pool") == ""
    assert token(iss="pool", exp=time.time() + 60).flaw("") == ""
    assert "expired on 2001-09-09 at 01:46:40 UTC" in token(iss="pool", exp=1_000_000_000).flaw("pool")
    assert "'other'" in token(iss="other").flaw("pool")
    for text in ("", "a.b.c", "a.bnVsbA.c", "one word"):
        assert Token(text).issuer == ""
        assert "no token" in Token(text).flaw("pool")
