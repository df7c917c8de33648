"""The weather example: the script as a job would run it, its check, and its results function."""

import json
import os
import random
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from examples.weather import check
from examples.weather.results import headline

WEATHER = Path(check.__file__).parent
OBSERVATIONS = WEATHER / "seattle-weather.csv"
HEADER = "date,precipitation,temp_max,temp_min"
SVG = "{http://www.w3.org/2000/svg}"


def analyse(folder: Path, source: Path | str = OBSERVATIONS, *options: str, **environment: str):
    """Run analyse.py in `folder` as a bare command: no site packages, and only these variables in its environment."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN_SCRIPT, str(WEATHER / "analyse.py"), str(source), *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
