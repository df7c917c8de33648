"""The page of a result: well-formed, escaped, and told in words as well."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.template.backends.django import DjangoTemplates
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import functions
from jobs.functions.display.shape import display
from tests.functions.display.results import flight

ROOM = Path(functions.__file__).parent
CSS = (ROOM / "static" / "jobs_functions" / "result.css").read_text()
TOKENS = (ROOM.parent / "web" / "static" / "jobs" / "tokens.css").read_text()
ENGINE = DjangoTemplates({"NAME": "rooms", "DIRS": [ROOM / "templates"], "APP_DIRS": False, "OPTIONS": {}})
EVIL = '"><script>alert(1)</script>'

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=6), inner, max_size=6),
    max_leaves=30,
)
arrays = st.integers(3, 12).flatmap(
    lambda length: st.dictionaries(
        st.sampled_from(["t", "r", "v", "path", "x"]),
        st.lists(st.none() | st.integers() | st.floats(), min_size=length, max_size=length)
        | st.lists(st.tuples(st.floats(), st.floats(), st.integers()).map(list), min_size=length, max_size=length),
        max_size=4,
    ).map(lambda found: {**found, "n": list(range(length))})
)


def page(result, url=""):
    context = {"result": display(result, 3_000_000), "download_url": url}
    return ENGINE.get_template("jobs_functions/result.html").render(context)


def pictures(html):
    """The charts, each as it parses."""
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg viewBox.*?</svg>", html, re.S)]


def test_each_picture_says_in_words_what_it_shows():
    found = [(one.find("title").text, one.find("desc").text) for one in pictures(page(flight()))]
    assert [title for title, _ in found] == [
        "Path of r in space",
        *(f"{name} over t" for name in ["r", "v", "a", "alpha", "w"]),
    ]
    assert found[2][1] == ("t goes from 0 to 1.999. x is always 10. y is always 10. z lies between -9.61019 and 10.")


def test_a_legend_names_each_line_and_shows_its_dashes():
    legend = re.findall(r'<span class="jd-key">.*?class="jd-line jd-line-(\d)".*?</svg>(\w)</span>', page(flight()))
    assert legend[:3] == [("1", "x"), ("2", "y"), ("3", "z")]
    dashes = dict(re.findall(r"\.jd-line-(\d) \{[^}]*stroke-dasharray: ([^;]*);", CSS))
    assert len({dashes.get(str(style), "none") for style in range(1, 5)}) == 4


def test_the_page_of_a_flight_is_small_and_brings_no_script_and_no_style():
    html = page(flight())
    assert len(html) < 80_000
    assert not re.search(r"<script|<style| style=| on\w+=|https?:", html)


@pytest.mark.parametrize(
    "result",
    [EVIL, {EVIL: EVIL}, [EVIL], [{EVIL: EVIL}], {"a": {EVIL: [EVIL]}}, {EVIL: [1, 2, 3], "t": [1, 2, 3], "s": EVIL},
     {"v": [1, 2, 3], EVIL: [1, 2, 4]}, {EVIL: [[1, 2, 3]] * 3, "t": [1, 2, 3], "b": [EVIL]}],
)  # fmt: skip
def test_markup_in_a_result_is_text(result):
    html = page(result)
    assert "alert(1)" in html
    assert "<script" not in html


@pytest.mark.parametrize("language", ["de", "fr"])
def test_pictures_are_the_same_in_languages_that_write_numbers_otherwise(language, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    result = {"t": [0, 0.5, 1.5], "r": [[0.25, 1, 2], [1, 2, 3000], [2, 3, 4]]}
    charts = [ElementTree.tostring(one) for one in pictures(page(result))]
    with translation.override(language):
        assert [ElementTree.tostring(one) for one in pictures(page(result))] == charts


def test_what_is_cut_can_be_downloaded_where_the_page_has_a_link():
    assert '<a href="/x/?a=1&amp;b=2">Download the whole result</a>' in page("a\n" * 90_000, "/x/?a=1&b=2")
    assert "Download the result to have all of it." in page("a\n" * 90_000)
    assert "ownload" not in page("short", "/x/")


def test_exact_values_are_beside_what_was_rounded():
    assert '<p class="jd-result-value" title="0.30000000000000004"><bdi>0.3</bdi></p>' in page(0.1 + 0.2)
    assert '<td class="jd-number" title="0.3333333333333333">0.333333</td>' in page([{"a": 1 / 3}])


@settings(max_examples=100, deadline=None)
@given(anything | arrays)
def test_any_result_has_a_page_that_can_be_sent(result):
    html = page(json.loads(json.dumps(result)))
    html.encode()
    for one in pictures(html):
        places = [part.attrib.get(name, "") for part in one.iter() for name in ("d", "x", "y", "cx", "cy")]
        assert not re.search("nan|inf|e", " ".join(places))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_line_can_be_told_from_the_ground(scheme):
    light, dark = TOKENS.split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"(--jd-[\w-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))
    strokes = re.findall(r"\.jd-line-\d \{ stroke: var\((--jd-[\w-]+)\)", CSS)
    texts = re.findall(r"fill: var\((--jd-(?:soft|ink))\)", CSS)
    assert len(set(strokes)) == 4
    for name in (*strokes, *texts):
        assert contrast(colours[name], colours["--jd-ground"]) >= 4.5, name


def contrast(one, other):
    """As WCAG 2 measures it."""
    first, second = sorted(map(luminance, (one, other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
