"""The screenshots of the page can be taken, and none is empty."""

import struct
from pathlib import Path

from tests.support.screenshots import NARROW, WIDE, take_all

SIZES = {
    "light": WIDE,
    "dark": WIDE,
    "dialog": WIDE,
    "connection-lost": WIDE,
    "empty": WIDE,
    "narrow-list": NARROW,
    "narrow-details": NARROW,
}


def test_every_screenshot_is_taken(tmp_path: Path, chromium: str) -> None:
    take_all(tmp_path, chromium)
    taken = {path.stem: path.read_bytes() for path in tmp_path.iterdir()}
    assert taken.keys() == SIZES.keys()
    for name, size in SIZES.items():
        assert struct.unpack(">II", taken[name][16:24]) == (size["width"], size["height"]), name
        assert len(taken[name]) > 10_000, f"{name} is all but empty"
