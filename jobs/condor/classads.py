"""Texts in HTCondor's expression language (HTCondor manual, 'ClassAd syntax')."""


def quoted(text: str) -> str:
    """A text as a ClassAd string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
