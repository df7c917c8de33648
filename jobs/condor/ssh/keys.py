"""Keys of SSH: a host's, by which it is known again, and the account's own. paramiko is read here only when it is needed."""

import base64
import hashlib
import io


class PassphraseError(ValueError):
    """The key is encrypted, and the passphrase is missing or another one."""


def fingerprint(key: str) -> str:
    """A host key's fingerprint, as `ssh-keygen -l` prints it; 'unreadable' where it is no key.

    Args:
        key: 'type base64', as in a known_hosts file.
    """
    try:
        name, blob = key.split()[:2]
        raw = base64.b64decode(blob, validate=True)
    except ValueError:
        return "unreadable"
    # It begins with its type, after that one's length (RFC 4253, section 6.6).
    if not raw.startswith(len(name).to_bytes(4) + name.encode()):
        return "unreadable"
    return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def kind(key: str) -> str:
    """Its type: 'ssh-ed25519', ….."""
    return key.split()[0] if key.split() else ""


def private_key(text: str, passphrase: str = ""):
    """The account's key, of any type that paramiko reads.

    Raises:
        PassphraseError: its passphrase is missing or wrong.
        ValueError: it cannot be read; says why, and not what it is.
    """
    import paramiko

    if "PRIVATE KEY" not in text:
        raise ValueError("this is no private key; it begins with -----BEGIN … PRIVATE KEY-----")
    why = "its type is not known; ed25519, ecdsa and rsa are"
    for one in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return one.from_private_key(io.StringIO(text.strip() + "\n"), password=passphrase or None)
        except paramiko.PasswordRequiredException:
            raise PassphraseError("the key is encrypted, and needs its passphrase") from None
        except (paramiko.SSHException, ValueError, TypeError, IndexError) as error:
            if passphrase and any(
                word in str(error).lower() for word in ("decrypt", "password", "passphrase", "checkint")
            ):
                raise PassphraseError("the passphrase is not the key's") from None
    raise ValueError(f"the key cannot be read: {why}")
