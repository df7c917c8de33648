"""The weather example's script: its figures, its plot and its words about bad observations."""

import csv
import hashlib
import json
import random
import subprocess
import time
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from pathlib import Path

import pytest

from examples.weather import check

SVG = "{http://www.w3.org/2000/svg}"


def summary_in(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def monthly_in(folder: Path) -> list[dict[str, str]]:
    with (folder / "monthly.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestFigures:
    def test_the_observations_are_the_published_ones(self):
        digest = hashlib.sha256(check.OBSERVATIONS.read_bytes()).hexdigest()
        assert digest in (check.OBSERVATIONS.parent / "README.md").read_text(encoding="utf-8")

    def test_the_real_observations_give_what_sql_gives(self, analyse, tmp_path):
        done = analyse()
        assert (done.returncode, done.stderr) == (0, "")
        assert check.differences(tmp_path) == []
        assert summary_in(tmp_path)["days_read"] == 1461
        assert len(monthly_in(tmp_path)) == 48

    def test_a_few_days_give_what_a_person_computes(self, analyse, observations, tmp_path):
        source = observations(
            "2013/01/30,1.0,6.0,2.0",  # exactly the threshold: a wet day
            "2013/01/31,0.9,8.0,-3.0",
            "2013/02/01,0.0,4.1,0.1",
            "2013/02/02,20.5,5.1,-0.3",
            "2013/02/03,0.2,7.3,0.0",
        )
        assert analyse(source).returncode == 0
        assert (tmp_path / "monthly.csv").read_text(encoding="utf-8").splitlines() == [
            "year,month,days,precipitation_mm,temp_max_mean_c,temp_min_mean_c,wet_days,largest_daily_mm",
            "2013,1,2,1.9,7.0,-0.5,1,1.0",
            "2013,2,3,20.7,5.5,-0.06666666666666667,1,20.5",
        ]
        assert summary_in(tmp_path) == {
            "days_read": 5,
            "first_date": "2013-01-30",
            "last_date": "2013-02-03",
            "wet_day_threshold_mm": 1.0,
            "precipitation_mm_per_year": {"2013": 22.6},
            "wet_days_per_year": {"2013": 2},
            "wettest_day": {"date": "2013-02-02", "precipitation_mm": 20.5},
            "wettest_month": {"year": 2013, "month": 2, "precipitation_mm": 20.7},
            "warmest_month": {"year": 2013, "month": 1, "temp_mean_c": 3.25},
            "coldest_month": {"year": 2013, "month": 2, "temp_mean_c": pytest.approx(2.716666666666667)},
            "longest_dry_spell_per_year": {"2013": {"start": "2013-01-31", "end": "2013-02-01", "days": 2}},
        }

    def test_a_dry_spell_over_new_year_counts_in_both_years(self, analyse, observations, tmp_path):
        rain = {"2012-12-29": "5.0", "2013-01-04": "5.0"}
        days = [str(date(2012, 12, 28) + timedelta(days=n)) for n in range(8)]
        assert analyse(observations(*(f"{day},{rain.get(day, '0.0')},9,1" for day in days))).returncode == 0
        assert summary_in(tmp_path)["longest_dry_spell_per_year"] == {
            "2012": {"start": "2012-12-30", "end": "2012-12-31", "days": 2},
            "2013": {"start": "2013-01-01", "end": "2013-01-03", "days": 3},
        }

    def test_a_year_without_a_dry_day_has_no_dry_spell(self, analyse, observations, tmp_path):
        source = observations("2012-12-31,0.0,9,1", "2013-01-01,3.0,9,1")
        assert analyse(source).returncode == 0
        assert summary_in(tmp_path)["longest_dry_spell_per_year"]["2013"] is None
        assert check.differences(tmp_path, source) == []

    @pytest.mark.parametrize("seed", range(6))
    def test_invented_weather_gives_what_sql_gives(self, seed, analyse, observations, tmp_path):
        chance = random.Random(seed)
        start = date(chance.randrange(1990, 2030), chance.randrange(1, 13), chance.randrange(1, 29))
        amounts = [["0.0", "0.9", "1.0"], ["0", "1.1", "23.45"], ["0.0"], ["7.1", "1.0"]][seed % 4]  # many ties
        lines = []
        for number in range(chance.randrange(1, 1200)):
            low = chance.randrange(-200, 200)
            high = low + chance.randrange(0, 100)
            lines.append(f"{start + timedelta(days=number)},{chance.choice(amounts)},{high / 10},{low / 10}")
        source = observations(*lines)
        done = analyse(source)
        assert (done.returncode, done.stderr) == (0, "")
        assert check.differences(tmp_path, source) == []

    def test_columns_may_stand_in_any_order_and_among_others(self, analyse, observations, tmp_path):
        source = observations('1,"a, b",2013-05-01,11,2.5', header="temp_min,note,date,temp_max,precipitation")
        assert analyse(source).returncode == 0
        assert check.differences(tmp_path, source) == []

    def test_pause_makes_it_last_that_much_longer(self, analyse):
        started = time.monotonic()
        assert analyse(check.OBSERVATIONS, "--pause", "1").returncode == 0
        assert time.monotonic() - started >= 1


class TestPlot:
    def bars(self, folder: Path) -> list[ET.Element]:
        return ET.parse(folder / "precipitation.svg").getroot().findall(f".//{SVG}rect[@class='bar']")

    def test_each_month_is_a_bar_as_high_as_its_precipitation(self, analyse, tmp_path):
        analyse()
        amounts = [float(row["precipitation_mm"]) for row in monthly_in(tmp_path)]
        heights = [float(bar.get("height")) for bar in self.bars(tmp_path)]
        scale = max(heights) / max(amounts)
        assert heights == pytest.approx([amount * scale for amount in amounts], abs=0.02)

    def test_it_stands_alone_and_says_what_it_shows(self, analyse, tmp_path):
        analyse()
        content = (tmp_path / "precipitation.svg").read_text(encoding="utf-8")
        assert "<script" not in content
        assert "href" not in content
        words = "\n".join(ET.fromstring(content).itertext())
        for expected in ("Monthly precipitation in Seattle", "mm", "2012", "2015", "Dec 2015: 284.5 mm", "1,226 mm"):
            assert expected in words

    def test_one_dry_day_is_enough_for_a_plot(self, analyse, observations, tmp_path):
        assert analyse(observations("2013-05-01,0.0,11,2")).returncode == 0
        assert [float(bar.get("height")) for bar in self.bars(tmp_path)] == [0]


class TestBadObservations:
    GOOD = "2013-05-01,0.0,11.0,2.0"

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            (["2013-05-02,wet,11.0,2.0"], "line 3, column precipitation: 'wet' is not a number. Write mm"),
            (["2013-05-02,1e3,11.0,2.0"], "line 3, column precipitation: '1e3' is not a number"),
            (["2013-05-02,0.0,nan,2.0"], "line 3, column temp_max: 'nan' is not a number. Write °C"),
            (["2013-05-02,0.0,11.0,"], "line 3, column temp_min: there is no value. Fill it in"),
            (["2013-05-02,-9999,11.0,2.0"], "line 3, column precipitation: -9999 is not between 0 and 2000 mm"),
            (["2013-05-02,0.0,1.0,2.0"], "line 3, column temp_max: the day's maximum of 1.0 °C lies below its minimum"),
            (["2013-05-02,0.0,11.0"], "line 3, column temp_min: the row has 3 values and the header 4"),
            (["2013-05-02,0.0,11.0,2.0,9"], "line 3, column temp_min: the row has 5 values and the header 4"),
            (["02.05.2013,0.0,11.0,2.0"], "line 3, column date: '02.05.2013' is not a date. Write it as 2012-01-31"),
            (["2013-05-32,0.0,11.0,2.0"], "line 3, column date: '2013-05-32' is not a date"),
            (["2013-05-03,0.0,11.0,2.0"], "line 3, column date: 2013-05-02 is missing: 2013-05-03 follows 2013-05-01"),
            (["2013-05-09,0.0,11.0,2.0"], "line 3, column date: the days from 2013-05-02 to 2013-05-08 are missing"),
            (["2013-05-01,0.0,11.0,2.0"], "line 3, column date: 2013-05-01 stands twice. Remove one"),
            (["2013-04-30,0.0,11.0,2.0"], "line 3, column date: 2013-04-30 comes after 2013-05-01. Sort the rows"),
            (["", "2013-05-03,0.0,11.0,2.0"], "line 4, column date: 2013-05-02 is missing"),
            (['2013-05-02,"0.0'], "line 3: is not CSV"),
        ],
    )
    def test_a_bad_row_is_named_with_what_to_do(self, lines, words, analyse, observations, tmp_path):
        self.refused(analyse(observations(self.GOOD, *lines)), words, tmp_path)

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            ("date,rain,temp_max,temp_min", "line 1, column precipitation: is missing from the header (date, rain,"),
            ("date,precipitation,temp_max,temp_max", "line 1, column temp_max: appears twice in the header"),
            ("", "line 1, column date: is missing from the header (nothing)"),
        ],
    )
    def test_a_bad_header_is_named_with_what_to_do(self, header, words, analyse, observations, tmp_path):
        self.refused(analyse(observations(self.GOOD, header=header)), words, tmp_path)

    def test_a_header_alone_is_not_enough(self, analyse, observations, tmp_path):
        self.refused(analyse(observations()), "line 2, column date: no day follows the header", tmp_path)

    def test_a_file_in_another_encoding_is_named_with_its_line(self, analyse, observations, tmp_path):
        source = observations(self.GOOD)
        source.write_bytes(source.read_bytes() + "2013-05-02,0.0,11°,2.0\n".encode("latin-1"))
        self.refused(analyse(source), "line 3: is not UTF-8 text", tmp_path)

    def test_a_file_that_is_not_there_is_named(self, analyse, tmp_path):
        self.refused(analyse("days.csv"), "cannot be read (No such file or directory)", tmp_path)

    def refused(self, done: subprocess.CompletedProcess, words: str, folder: Path) -> None:
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert "days.csv" in done.stderr
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (folder / "summary.json").exists()

    def test_a_negative_pause_is_refused(self, analyse):
        done = analyse(check.OBSERVATIONS, "--pause", "-1")
        assert done.returncode == 2
        assert "--pause" in done.stderr

    def test_a_result_that_cannot_be_written_is_an_error_of_its_own(self, analyse, tmp_path):
        (tmp_path / "summary.json").mkdir()
        done = analyse()
        assert done.returncode == 1
        assert "summary.json" in done.stderr
        assert "choose another folder" in done.stderr
