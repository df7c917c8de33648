"""Folders as tar streams: all that was laid out arrives; of what comes back nothing leads out of the folder."""

import io
import os
import tarfile

import pytest

from jobs.condor.ssh.files import Stopped, pack, unpack


def packed(folder) -> bytes:
    out = io.BytesIO()
    pack(folder, out.write)
    return out.getvalue()


def in_pieces(data: bytes, size: int):
    """A function that gives the data piece by piece, then nothing."""
    read = io.BytesIO(data)
    return lambda: read.read(size)


def archive(*members: tuple[str, dict]) -> bytes:
    """A stream as an evil job could have one made."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, facts in members:
            member = tarfile.TarInfo(name)
            for key, value in facts.items():
                setattr(member, key, value)
            data = facts.get("data", b"wind")
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return out.getvalue()


@pytest.mark.parametrize("size", [1, 511, 512, 1 << 20])
def test_what_is_sent_arrives_whatever_the_pieces_are(tmp_path, size):
    sent, came = tmp_path / "sent", tmp_path / "came"
    (sent / "sub dir é").mkdir(parents=True)
    (sent / "sub dir é" / "a 'quoted' \"name\"").write_bytes(os.urandom(3000))
    (sent / "empty").touch()
    (sent / "program").write_text("#!/bin/sh\n")
    (sent / "program").chmod(0o755)
    (sent / ("long " * 40)).write_text("long")
    came.mkdir()
    unpack(in_pieces(packed(sent), size), came)
    assert {path.relative_to(came) for path in came.rglob("*")} == {path.relative_to(sent) for path in sent.rglob("*")}
    for path in sent.rglob("*"):
        if path.is_file():
            assert (came / path.relative_to(sent)).read_bytes() == path.read_bytes()
    assert os.access(came / "program", os.X_OK)
    assert not os.access(came / "empty", os.X_OK)


def test_links_that_were_laid_out_are_sent_as_what_they_lead_to(tmp_path):
    (tmp_path / "data").write_text("wind")
    sent, came = tmp_path / "sent", tmp_path / "came"
    sent.mkdir()
    came.mkdir()
    (sent / "link").symlink_to(tmp_path / "data")
    unpack(in_pieces(packed(sent), 4096), came)
    assert (came / "link").read_text() == "wind"
    assert not (came / "link").is_symlink()


@pytest.mark.parametrize("left", [0, 100, 512, 700, 1500])
def test_a_stream_that_was_cut_off_says_so(tmp_path, left):
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "data").write_bytes(os.urandom(2000))
    (tmp_path / "came").mkdir()
    with pytest.raises(Stopped):
        unpack(in_pieces(packed(tmp_path / "sent")[:left], 4096), tmp_path / "came")


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out", ".", ""])
def test_names_that_lead_out_are_left_out(tmp_path, name):
    came = tmp_path / "came"
    came.mkdir()
    unpack(in_pieces(archive((name, {}), ("good", {})), 4096), came)
    assert [path.name for path in tmp_path.rglob("*")] == ["came", "good"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_left_out_and_nothing_is_written_through_one(tmp_path, kind):
    came = tmp_path / "came"
    came.mkdir()
    evil = {"type": kind, "linkname": str(tmp_path)}
    unpack(in_pieces(archive(("way", evil), ("way/out", {}), ("way", evil), ("good", {})), 4096), came)
    assert not (tmp_path / "out").exists()
    assert (came / "way").is_dir()
    assert not (came / "way").is_symlink()
    assert (came / "good").read_bytes() == b"wind"


def test_nothing_is_written_through_a_link_that_lies_there_already(tmp_path):
    came, other = tmp_path / "came", tmp_path / "other"
    came.mkdir()
    other.write_text("mine")
    (came / "good").symlink_to(other)
    unpack(in_pieces(archive(("good", {})), 4096), came)
    assert other.read_text() == "mine"
    assert (came / "good").read_bytes() == b"wind"


def test_nothing_gets_more_rights_than_its_owner_has(tmp_path):
    unpack(in_pieces(archive(("program", {"mode": 0o6777})), 4096), tmp_path)
    assert (tmp_path / "program").stat().st_mode & 0o7777 == 0o700
