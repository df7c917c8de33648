"""The files of a job's workspace: listed, previewed, downloaded, and never one from outside of it."""

import json
import os

import pytest
from django.urls import reverse

from jobs.status import Status

pytestmark = pytest.mark.django_db

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SANDBOX = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.fixture
def job(new_job):
    return new_job(status=Status.COMPLETE)


def page(browser, job, file="") -> str:
    response = browser.get(f"/jobs/{job.pk}/results/", {"file": file} if file else None)
    assert response.status_code == 200
    return response.content.decode()


def test_files_are_listed_with_size_and_download(anns, job, results):
    results(job, {"monthly.csv": "a\n1\n", "sub/deep.txt": "x" * 2048})

    shown = page(anns, job)

    assert f'href="/jobs/{job.pk}/results/download/sub/deep.txt"' in shown
    assert "2.0\xa0KB" in shown


def test_a_job_without_files_says_so(anns, job):
    assert "left no files" in page(anns, job)


def test_a_download_is_an_attachment_that_no_browser_runs(anns, job, results):
    results(job, {"page.html": "<script>alert(1)</script>"})

    answer = anns.get(f"/jobs/{job.pk}/results/download/page.html")

    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


def test_a_picture_is_shown_first_and_only_as_a_picture(anns, job, results):
    results(job, {"data.csv": "a\n1\n", "plot.svg": SVG})

    shown = page(anns, job)

    assert f'<img src="/jobs/{job.pk}/results/image/plot.svg?' in shown
    assert "<script>alert" not in shown


def test_an_svg_opened_by_itself_runs_nothing_and_fetches_nothing(anns, job, results):
    results(job, {"plot.svg": SVG})

    answer = anns.get(f"/jobs/{job.pk}/results/image/plot.svg")

    assert b"".join(answer.streaming_content) == SVG.encode()
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"] == f"{SANDBOX}; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_only_pictures_are_sent_inline(anns, job, results):
    results(job, {"page.html": "<script>alert(1)</script>"})

    assert anns.get(f"/jobs/{job.pk}/results/image/page.html").status_code == 404


def test_a_csv_is_a_table_of_its_first_fifty_rows(anns, job, results):
    results(job, {"big.csv": "year,name\n" + "".join(f"{number},<b>n{number}</b>\n" for number in range(60))})

    shown = page(anns, job)

    assert '<th scope="col" class="jd-number">year</th>' in shown
    assert "&lt;b&gt;n49&lt;/b&gt;" in shown
    assert "n50" not in shown
    assert "Only the beginning" in shown


@pytest.mark.parametrize("content", ["", "\n", "a", '"open', "a,b\n1\n1,2,3\n", "x" * 300_000, "a\n" + "\0"])
def test_a_csv_of_any_shape_can_be_shown(anns, job, results, content):
    results(job, {"odd.csv": content})

    assert "odd.csv" in page(anns, job)


def test_json_is_laid_out(anns, job, results):
    results(job, {"summary.json": '{"days":1461,"name":"Grüße <b>"}'})

    shown = page(anns, job)

    assert "&quot;days&quot;: 1461" in shown
    assert "Grüße &lt;b&gt;" in shown


@pytest.mark.parametrize("content", ["{broken", "[" * 100_000, json.dumps({"a": "x" * 600_000})])
def test_json_that_cannot_be_laid_out_is_shown_as_it_is(anns, job, results, content):
    results(job, {"odd.json": content})

    assert "odd.json" in page(anns, job)


def test_html_is_shown_in_a_frame_that_runs_nothing_and_fetches_nothing(anns, job, results):
    results(job, {"page.html": "<script>alert(1)</script>"})

    shown = page(anns, job, "page.html")
    answer = anns.get(f"/jobs/{job.pk}/results/page/page.html")

    assert f'<iframe sandbox src="/jobs/{job.pk}/results/page/page.html?' in shown
    assert "<script>alert" not in shown
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer.headers["Content-Security-Policy"] == f"{SANDBOX}; frame-ancestors 'self'"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_only_html_is_sent_for_the_frame_and_nothing_else_may_be_framed(anns, job, results):
    results(job, {"plot.svg": SVG, "a.txt": "x"})

    assert anns.get(f"/jobs/{job.pk}/results/page/plot.svg").status_code == 404
    for path in ("image/plot.svg", "download/a.txt", ""):
        answer = anns.get(f"/jobs/{job.pk}/results/{path}")
        list(answer)
        assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(("name", "content"), [("page.html", "<script>alert(1)</script>"), ("plot.svg", SVG)])
def test_the_source_of_a_page_and_of_a_drawing_can_be_read(anns, job, results, name, content):
    results(job, {name: content})

    shown = anns.get(f"/jobs/{job.pk}/results/", {"file": name, "view": "text"}).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<iframe" not in shown
    assert "<img" not in shown


def test_a_page_or_picture_that_is_too_large_is_not_shown(anns, job, results, monkeypatch):
    for module in ("jobs.web.results", "jobs.web.views.files"):
        monkeypatch.setattr(f"{module}.PAGE_BYTES", 10)
        monkeypatch.setattr(f"{module}.IMAGE_BYTES", 10)
    results(job, {"page.html": "<p>far too large</p>", "plot.png": "x" * 11})

    assert "<iframe" not in page(anns, job, "page.html")
    assert "too large" in page(anns, job, "plot.png")
    assert anns.get(f"/jobs/{job.pk}/results/page/page.html").status_code == 404
    assert anns.get(f"/jobs/{job.pk}/results/image/plot.png").status_code == 404


def test_what_python_and_dot_files_leave_is_folded_away(anns, job, results):
    results(job, {"out.txt": "x", ".cache/a": "x", "__pycache__/m.cpython-311.pyc": "x", "sub/.hidden": "x"})

    response = anns.get(f"/jobs/{job.pk}/results/")

    assert [file.name for file in response.context["listing"].files] == ["out.txt"]
    assert "3 hidden files" in response.content.decode()
    assert "Download all" in response.content.decode()
    assert ".cache/a" in page(anns, job, ".cache/a")


def test_what_is_no_text_has_no_preview(anns, job, results):
    results(job, {"model.bin": b"\x7fELF\0\0"})

    assert "No preview" in page(anns, job)


def test_a_file_that_is_gone_by_now_is_said(anns, job, results):
    results(job, {"a.txt": "x"})

    assert "There is no such file any more" in page(anns, job, "b.txt")


def test_names_with_any_character_can_be_downloaded(anns, job, results):
    odd = "a b#c?d%e'f\"<g>&ü;.txt"
    results(job, {odd: "x"})

    shown = page(anns, job)

    assert "<g>" not in shown
    answer = anns.get(reverse("jobs:download", args=[job.pk, odd]))
    assert b"".join(answer.streaming_content) == b"x"


def test_a_name_that_is_no_text_does_no_harm(anns, job, results):
    folder = results(job, {"fine.txt": "x"})
    os.close(os.open(os.fsencode(folder) + b"/\xff.txt", os.O_CREAT))
    (folder / "two\nlines.txt").touch()

    shown = page(anns, job)

    assert "fine.txt" in shown
    assert "2 more have names that cannot be written here" in shown


# --- never one from outside


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.png"
    path.write_text("top secret")
    return path


@pytest.mark.parametrize("route", ["download", "image"])
@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "..", ".", "%2e%2e/secret.png", "..%2fsecret.png"]
)
def test_a_name_that_leads_out_of_the_workspace_is_404(anns, job, results, route, name):
    folder = results(job, {"a/b.png": "x"})
    (folder.parent / "secret.png").write_text("top secret")

    assert anns.get(f"/jobs/{job.pk}/results/{route}/{name}").status_code == 404


@pytest.mark.parametrize("route", ["download", "image"])
def test_an_absolute_path_is_404(anns, job, results, route, secret):
    results(job, {"a.png": "x"})

    assert anns.get(f"/jobs/{job.pk}/results/{route}/{secret}").status_code == 404
    assert anns.get(f"/jobs/{job.pk}/results/{route}//etc/passwd").status_code == 404


@pytest.mark.parametrize("route", ["download", "image"])
def test_a_link_is_neither_listed_nor_followed(anns, job, results, route, secret):
    folder = results(job, {"a.png": "x"})
    (folder / "link.png").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)

    assert "link.png" not in page(anns, job)
    assert "secret.png" not in page(anns, job)
    assert anns.get(f"/jobs/{job.pk}/results/{route}/link.png").status_code == 404
    assert anns.get(f"/jobs/{job.pk}/results/{route}/folder/secret.png").status_code == 404


def test_a_file_that_became_a_link_after_it_was_listed_is_not_previewed(anns, job, results, secret, monkeypatch):
    from jobs.web import results as module

    folder = results(job, {"a.txt": "x"})
    listed = module.listing(job)
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(secret)

    assert module.preview(job, listed.files[0]).text == "The file is gone."


@pytest.mark.parametrize("route", ["download", "image"])
def test_a_folder_a_fifo_and_a_missing_workspace_are_404(anns, job, new_job, results, route):
    folder = results(job, {"sub.png/a.txt": "x"})
    os.mkfifo(folder / "pipe.png")

    assert anns.get(f"/jobs/{job.pk}/results/{route}/sub.png").status_code == 404
    assert anns.get(f"/jobs/{job.pk}/results/{route}/pipe.png").status_code == 404
    assert anns.get(f"/jobs/{new_job().pk}/results/{route}/a.png").status_code == 404
