"""The weather example's results: the check that they are right, and the headline figures on the job."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from examples.weather import check
from examples.weather.results import headline


class TestCheck:
    def run(self, *arguments: Path) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "examples.weather.check", *map(str, arguments)]
        root = check.OBSERVATIONS.parents[2]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)

    def test_every_changed_figure_of_the_summary_is_found(self, analyse, tmp_path):
        analyse()
        good = (tmp_path / "summary.json").read_text(encoding="utf-8")

        def leaves(node: dict, path: tuple = ()):
            for key, value in node.items():
                yield from leaves(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]

        paths = list(leaves(json.loads(good)))
        assert len(paths) > 25
        for path in paths:
            changed = json.loads(good)
            *way, last = path
            place = changed
            for key in way:
                place = place[key]
            place[last] = place[last] * (1 + 1e-7) if isinstance(place[last], int | float) else "2012-02-03"
            (tmp_path / "summary.json").write_text(json.dumps(changed), encoding="utf-8")
            (difference,) = check.differences(tmp_path)
            assert difference.startswith("summary.json: " + ": ".join(path))

    def test_every_changed_column_of_the_months_is_found(self, analyse, tmp_path):
        analyse()
        good = (tmp_path / "monthly.csv").read_text(encoding="utf-8").splitlines()
        for column, name in enumerate(good[0].split(",")):
            cells = good[7].split(",")
            cells[column] = f"{float(cells[column]) * (1 + 1e-7)!r}"
            changed = [*good[:7], ",".join(cells), *good[8:]]
            (tmp_path / "monthly.csv").write_text("\n".join(changed) + "\n", encoding="utf-8")
            (difference,) = check.differences(tmp_path)
            assert difference.startswith(f"monthly.csv: row 7: {name}: ")

    def test_months_that_are_missing_or_too_many_are_found(self, analyse, tmp_path):
        analyse()
        path = tmp_path / "monthly.csv"
        good = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(good[:-1]), encoding="utf-8")
        assert check.differences(tmp_path) == ["monthly.csv: 47 rows instead of 48"]
        path.write_text("".join([*good, good[-1]]), encoding="utf-8")
        assert check.differences(tmp_path) == ["monthly.csv: 49 rows instead of 48"]

    @pytest.mark.parametrize("content", ["", "year,month\n1\n", "\x00"])
    def test_results_that_are_no_results_are_differences(self, content, analyse, tmp_path):
        analyse()
        (tmp_path / "monthly.csv").write_text(content, encoding="utf-8")
        (tmp_path / "summary.json").write_text(content, encoding="utf-8")
        found = check.differences(tmp_path)
        assert any(line.startswith("monthly.csv: ") for line in found)
        assert any(line.startswith("summary.json: cannot be read") for line in found)

    def test_as_a_command_it_exits_0_only_if_all_is_well(self, analyse, tmp_path):
        missing = self.run(tmp_path)
        assert missing.returncode == 1
        assert missing.stdout == "monthly.csv: is missing\nsummary.json: is missing\n"
        analyse()
        good = self.run(tmp_path)
        assert (good.returncode, good.stderr) == (0, "")
        assert "48 months" in good.stdout
        other = self.run(tmp_path, tmp_path / "nowhere.csv")
        assert other.returncode == 2
        assert "nowhere.csv is not a file" in other.stderr


class Job(SimpleNamespace):
    """What headline() knows of a job, and how often it was saved."""

    def save(self) -> None:
        self.saved += 1


class TestHeadline:
    @pytest.fixture
    def job(self, tmp_path) -> Job:
        return Job(name="weather 1", workspace=str(tmp_path), extended_properties={"mine": 1}, saved=0)

    def test_it_puts_the_headline_figures_on_the_job(self, analyse, job, tmp_path):
        analyse()
        headline(job)
        assert job.saved == 1
        assert job.extended_properties["mine"] == 1
        weather = job.extended_properties["weather"]
        summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
        assert weather["period"] == "2012-01-01 to 2015-12-31"
        assert (weather["days"], weather["months"]) == (1461, 48)
        assert weather["wet_days"] == sum(summary["wet_days_per_year"].values())
        assert weather["wettest_month"] == {"year": 2015, "month": 12, "precipitation_mm": 284.5}
        assert weather["longest_dry_spell_per_year"] == summary["longest_dry_spell_per_year"]

    def test_twice_is_as_once(self, analyse, job):
        analyse()
        headline(job)
        once = json.dumps(job.extended_properties)
        headline(job)
        assert json.dumps(job.extended_properties) == once

    @pytest.mark.parametrize("name", ["summary.json", "monthly.csv"])
    def test_a_missing_result_is_named_with_the_job(self, name, analyse, job, tmp_path):
        analyse()
        (tmp_path / name).unlink()
        with pytest.raises(FileNotFoundError, match=rf"job 'weather 1' .* has no {name}.*look at the job's log"):
            headline(job)
        assert job.saved == 0

    @pytest.mark.parametrize(
        ("name", "content"),
        [("summary.json", "{"), ("summary.json", "{}"), ("summary.json", "[]"), ("monthly.csv", "year\n2012\n")],
    )
    def test_a_spoiled_result_is_named(self, name, content, analyse, job, tmp_path):
        analyse()
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match="job 'weather 1'"):
            headline(job)
        assert job.saved == 0

    def test_results_of_two_runs_are_not_mixed(self, analyse, observations, job, tmp_path):
        analyse()
        kept = (tmp_path / "summary.json").read_text(encoding="utf-8")
        analyse(observations("2013-05-01,0.0,11,2"))
        (tmp_path / "summary.json").write_text(kept, encoding="utf-8")
        with pytest.raises(ValueError, match=r"monthly\.csv counts 1 days and summary.json 1461"):
            headline(job)
