"""All files of a job as one ZIP, made while it is sent."""

import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from jobs.status import Status
from jobs.web import archive
from jobs.web.archive import NOT_INCLUDED, stream_zip
from jobs.workspaces import list_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(new_job):
    return new_job("rain / 2012", status=Status.COMPLETE)


def unpack(data: bytes) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(data))
    assert found.testzip() is None
    return found


def whole(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200
    return unpack(b"".join(answer.streaming_content))


def test_all_files_come_in_one_folder_named_after_the_job(anns, job, results):
    results(job, {"a.csv": "x,y\n" * 1000, "sub/plot.png": b"\x89PNG", ".hidden": "h"})

    answer = anns.get(f"/jobs/{job.pk}/results/all/")
    found = whole(answer)

    top = f"job-{job.pk}-rain-2012"
    assert sorted(found.namelist()) == sorted([f"{top}/a.csv", f"{top}/sub/plot.png", f"{top}/.hidden"])
    assert found.read(f"{top}/a.csv") == b"x,y\n" * 1000
    assert found.getinfo(f"{top}/a.csv").compress_size < 1000
    assert found.getinfo(f"{top}/sub/plot.png").compress_type == zipfile.ZIP_STORED
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{top}.zip"'
    assert answer.headers["Content-Type"] == "application/zip"


def test_a_job_without_files_has_no_archive(anns, job):
    assert anns.get(f"/jobs/{job.pk}/results/all/").status_code == 404


def test_nobody_else_gets_it(bobs, job, results):
    results(job, {"a.txt": "x"})

    assert bobs.get(f"/jobs/{job.pk}/results/all/").status_code == 404


def test_too_many_files_are_refused_before_the_first_byte_and_the_page_says_what_to_do(anns, job, results, monkeypatch):
    monkeypatch.setattr("jobs.web.views.files.MOST_ARCHIVED", 2)
    results(job, {"a": "1", "b": "2", "c": "3"})

    answer = anns.get(f"/jobs/{job.pk}/results/all/")

    assert answer.status_code == 413
    assert "Too many files" in answer.content.decode()


def test_a_link_is_not_in_it(anns, job, results, tmp_path):
    (tmp_path / "secret").write_text("top secret")
    folder = results(job, {"a.txt": "x"})
    (folder / "link.txt").symlink_to(tmp_path / "secret")
    (folder / "folder").symlink_to(tmp_path)

    assert len(whole(anns.get(f"/jobs/{job.pk}/results/all/")).namelist()) == 1


@pytest.mark.parametrize("swap", ["file", "folder"])
def test_what_is_swapped_for_a_link_while_the_archive_is_made_is_left_out_and_named(job, results, tmp_path, swap):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.txt").write_text("top secret")
    folder = results(job, {"a.txt": "x" * 600_000, "sub/b.txt": "mine"})
    parts = stream_zip(folder, list_files(folder), "top")
    begun = next(parts)
    if swap == "file":
        (folder / "sub" / "b.txt").unlink()
        (folder / "sub" / "b.txt").symlink_to(outside / "b.txt")
    else:
        (folder / "sub").rename(folder / "old")
        (folder / "sub").symlink_to(outside)

    found = unpack(begun + b"".join(parts))

    assert found.namelist() == ["top/a.txt", f"top/{NOT_INCLUDED}"]
    assert b"sub/b.txt" in found.read(f"top/{NOT_INCLUDED}")


def test_a_file_that_grows_while_it_is_packed_ends_where_it_was_when_its_turn_came(job, results):
    folder = results(job, {"a.bin": os.urandom(3 * archive.CHUNK)})
    parts = stream_zip(folder, list_files(folder), "top")
    begun = next(parts)
    with (folder / "a.bin").open("ab") as file:
        file.write(b"more")

    assert unpack(begun + b"".join(parts)).getinfo("top/a.bin").file_size == 3 * archive.CHUNK


def test_names_cannot_lead_out_of_where_somebody_unpacks_them_and_stay_apart(job, results):
    folder = results(job, {"..\\..\\evil.txt": "1", ".._.._evil.txt": "2", "C:autoexec": "3"})
    os.close(os.open(os.fsencode(folder) + b"/\xff.txt", os.O_CREAT))

    names = unpack(b"".join(stream_zip(folder, list_files(folder), "top"))).namelist()

    assert len(set(names)) == 4
    assert not any("\\" in name or ":" in name for name in names)


def test_a_large_workspace_takes_little_memory(job, results, record_property):
    folder = results(job, {"a.bin": b""})
    with (folder / "a.bin").open("wb") as file:
        file.truncate(200 * 2**20)
    tracemalloc.start()
    try:
        sent = sum(len(part) for part in stream_zip(folder, list_files(folder), "top"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    record_property("figures", f"ZIP of 200 MB while it is sent: {sent} bytes, {peak / 2**20:.1f} MB of memory at most")
    assert peak < 8 * 2**20


def test_who_stops_the_download_leaves_no_file_open(job, results):
    folder = results(job, {"a.bin": os.urandom(3 * archive.CHUNK)})
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir()))
    parts = stream_zip(folder, list_files(folder), "top")
    next(parts)
    parts.close()

    assert len(list(open_files.iterdir())) == before
