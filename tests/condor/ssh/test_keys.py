"""Keys: fingerprints as ssh-keygen has them, and what is said of a private key that cannot be read."""

import subprocess

import pytest

from jobs.condor.ssh.keys import PassphraseError, fingerprint, kind, private_key


def made(tmp_path, kind_of: str, passphrase: str = "", *more) -> tuple[str, str]:
    """A key as ssh-keygen makes it: the private and the public one."""
    file = tmp_path / f"{kind_of}{bool(passphrase)}{len(more)}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind_of, "-N", passphrase, "-f", file, *more], check=True)
    return file.read_text(), file.with_name(f"{file.name}.pub").read_text()


@pytest.mark.parametrize("kind_of", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("passphrase", ["", "open sesame é"])
@pytest.mark.parametrize("more", [(), ("-m", "PEM")], ids=["openssh", "pem"])
def test_keys_of_every_usual_kind_are_read(tmp_path, kind_of, passphrase, more):
    if more and (kind_of == "ed25519" or "é" in passphrase):
        more = ()  # there is no such form of it
    private, public = made(tmp_path, kind_of, passphrase, *more)
    key = private_key(f"\n{private}  ", passphrase)
    assert key.get_base64() == public.split()[1]


@pytest.mark.parametrize("kind_of", ["ed25519", "ecdsa"])
def test_a_passphrase_that_is_missing_or_wrong_is_said_so(tmp_path, kind_of):
    private, _ = made(tmp_path, kind_of, "open sesame")
    with pytest.raises(PassphraseError, match="needs its passphrase"):
        private_key(private)
    with pytest.raises(PassphraseError, match="not the key's"):
        private_key(private, "wrong")


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"]
)
def test_what_is_no_key_is_said_so_without_showing_it(text):
    with pytest.raises(ValueError) as said:
        private_key(text)
    assert not isinstance(said.value, PassphraseError)
    assert "AAAA" not in str(said.value)


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path):
    _, public = made(tmp_path, "ed25519")
    (tmp_path / "public").write_text(public)
    printed = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "public"], capture_output=True, text=True, check=True
    )
    assert fingerprint(public) == printed.stdout.split()[1]
    assert kind(public) == "ssh-ed25519"


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 ä", "ssh-ed25519 abc", "ssh-ed25519 AAAA"])
def test_what_is_no_public_key_has_no_fingerprint(text):
    assert fingerprint(text) == "unreadable"
