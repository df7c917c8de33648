"""Workspaces: nothing in them leads out."""

import contextlib
import os
import threading
import time
from pathlib import Path

import pytest

from jobs.errors import InvalidAttribute
from jobs.workspaces import list_files, make_workspace, open_inside, resolve_named_path, workspace_path

SECRET = "not of this job"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A workspace with a file, beside a folder with a secret."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.txt").write_text(SECRET)
    workspace = tmp_path / "workspace"
    (workspace / "a" / "b").mkdir(parents=True)
    (workspace / "a" / "b" / "file.txt").write_text("of this job")
    return workspace


def read(folder, name) -> str:
    with open_inside(folder, name) as file:
        return file.read().decode()


@pytest.mark.parametrize("name", ["a/b/file.txt", "./a/b/file.txt", "a//b/./file.txt"])
def test_a_file_inside_is_read(folder, name):
    assert read(folder, name) == "of this job"


@pytest.mark.parametrize(
    "name",
    [
        "../outside/file.txt",
        "a/../../outside/file.txt",
        "a/b/..",
        "..",
        "",
        ".",
        "/",
        "/etc/passwd",
        "//etc/passwd",
        "a/b/file.txt\0",
        "\0",
        "a/b/file.txt/x",
        "x" * 300,
        "\udcff",
    ],
)
def test_a_name_that_leads_out_or_nowhere_is_refused(folder, name):
    with pytest.raises((InvalidAttribute, FileNotFoundError)):
        open_inside(folder, name)


@pytest.mark.parametrize("name", ["a/b/none.txt", "none/file.txt", "a/b", "a"])
def test_what_is_no_file_is_not_found(folder, name):
    with pytest.raises(FileNotFoundError):
        open_inside(folder, name)


@pytest.mark.parametrize("position", ["a", "a/b", "a/b/file.txt"])
@pytest.mark.parametrize("inside", [False, True], ids=["leading out", "leading inside"])
def test_a_link_at_any_place_of_the_way_is_refused(folder, position, inside):
    target = folder if inside else folder.parent / "outside"
    (folder / position).rename(folder / "moved")
    (folder / position).symlink_to(target / "file.txt" if position.endswith("txt") else target)
    with pytest.raises(InvalidAttribute, match="leads through a link or is no file"):
        open_inside(folder, "a/b/file.txt")


def test_a_pipe_is_refused_at_once(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(FileNotFoundError, match="pipe is not a regular file"):
        open_inside(folder, "pipe")


def test_no_swap_while_a_file_is_opened_leads_out(folder):
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder.parent / "outside" / "theirs.txt").touch()
    (folder / "a" / "file.txt").write_text("of this job")
    ended = threading.Event()

    def swap():
        while not ended.wait(0.0001):
            (folder / "a").rename(folder / "aside")
            (folder / "link").rename(folder / "a")
            (folder / "a").rename(folder / "link")
            (folder / "aside").rename(folder / "a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    contents, deadline = set(), time.monotonic() + 1.5
    try:
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError, InvalidAttribute):
                contents.add(read(folder, "a/file.txt"))
            assert "theirs.txt" not in str(list_files(folder))
    finally:
        ended.set()
        swapper.join()
    assert contents == {"of this job"}


def test_no_handle_is_left_open(folder):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("a/b/file.txt", "a/none/x", "a/b", "a/b/file.txt/x", "none"):
        with contextlib.suppress(FileNotFoundError, InvalidAttribute):
            open_inside(folder, name).close()
    list_files(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_regular_files_are_listed_by_name_and_links_are_neither_shown_nor_followed(folder):
    (folder / "link.txt").symlink_to(folder.parent / "outside" / "file.txt")
    (folder / "linked").symlink_to(folder.parent / "outside")
    os.mkfifo(folder / "pipe")
    (folder / "z.txt").write_text("12345")
    files = list_files(folder)
    assert [(file.name, file.size) for file in files] == [("a/b/file.txt", 11), ("z.txt", 5)]
    assert files[0].modified.tzinfo is not None


def test_a_list_has_its_limit_and_that_of_no_folder_is_empty(folder):
    for number in range(20):
        (folder / f"{number:02}.txt").touch()
    assert len(list_files(folder, limit=7)) == 7
    assert list_files(folder / "none") == []


def test_folders_inside_one_another_without_end_do_not_break_the_list(folder):
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert [file.name for file in list_files(folder)] == ["a/b/file.txt"]
    finally:
        os.system(f"rm -rf {folder}/d")


def test_a_job_that_makes_and_removes_files_meanwhile_does_not_break_the_list(folder):
    ended = threading.Event()

    def work():
        while not ended.is_set():
            for number in range(50):
                (folder / f"{number}.tmp").touch()
            for number in range(50):
                (folder / f"{number}.tmp").unlink()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(200):
            assert "a/b/file.txt" in [file.name for file in list_files(folder)]
    finally:
        ended.set()
        worker.join()


# --- paths that a caller names


@pytest.fixture
def job(new_job):
    job = new_job()
    make_workspace(job)
    return job


def test_app_code_may_name_any_path_and_a_relative_one_starts_in_the_workspace(job, tmp_path):
    assert resolve_named_path(job, "/etc/hosts", from_app_code=True) == Path("/etc/hosts")
    assert resolve_named_path(job, "in.txt", from_app_code=True) == workspace_path(job) / "in.txt"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a\0b", ""])
def test_other_callers_may_name_what_lies_in_the_workspace(job, path):
    if path == "":
        assert resolve_named_path(job, path, from_app_code=False) == workspace_path(job)
        return
    with pytest.raises(InvalidAttribute):
        resolve_named_path(job, path, from_app_code=False)


def test_other_callers_may_name_what_lies_in_a_shared_folder_but_not_beside_it(job, tmp_path, settings):
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "shared-not").mkdir()
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": ["", str(shared)]}
    assert resolve_named_path(job, str(shared / "x"), from_app_code=False) == shared / "x"
    for path in (tmp_path / "shared-not" / "x", shared / ".." / "x"):
        with pytest.raises(InvalidAttribute, match="lies outside the job's workspace and of the shared folders"):
            resolve_named_path(job, str(path), from_app_code=False)
    (shared / "out").symlink_to("/etc")
    with pytest.raises(InvalidAttribute):
        resolve_named_path(job, str(shared / "out" / "passwd"), from_app_code=False)


def test_links_in_a_ring_are_refused(job):
    (workspace_path(job) / "one").symlink_to("two")
    (workspace_path(job) / "two").symlink_to("one")
    with pytest.raises(InvalidAttribute):
        resolve_named_path(job, "one", from_app_code=False)


def test_a_workspace_is_for_this_account_only(job):
    assert workspace_path(job).stat().st_mode & 0o777 == 0o700
