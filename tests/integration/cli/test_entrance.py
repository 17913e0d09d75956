"""``hazina`` as a process: what happens before the command line is imported."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]


def hazina(
    folder: Path, *args: str, flags: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-m", "hazina", *args],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        umask=0,
    )


@pytest.mark.parametrize("room", ["bot", "flows", "services", "storage"])
@pytest.mark.parametrize("form", ["{room}/__init__.py", "{room}.py"])
def test_a_foreign_package_of_our_name_is_not_run(tmp_path: Path, room: str, form: str) -> None:
    foreign = tmp_path / form.format(room=room)
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("raise SystemExit('run in our place')\n")
    for found in (hazina(Path("/"), PYTHONPATH=str(tmp_path)), hazina(tmp_path)):
        assert found.returncode == 2
        (line,) = found.stderr.splitlines()
        assert line.startswith(f"a package {room} that is not Hazina's")
        assert "PYTHONPATH" in line


def test_our_own_folder_in_the_path_is_nothing_foreign(tmp_path: Path) -> None:
    found = hazina(tmp_path, "--version", PYTHONPATH=str(PROJECT))
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(("flags", "variable"), [(("-O",), {}), ((), {"PYTHONOPTIMIZE": "2"})])
def test_without_its_checks_the_desk_does_not_start(
    tmp_path: Path, flags: tuple[str, ...], variable: dict[str, str]
) -> None:
    found = hazina(tmp_path, "--version", flags=flags, **variable)
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    assert "PYTHONOPTIMIZE" in line


def test_files_are_not_for_everybody_under_any_umask(tmp_path: Path) -> None:
    assert hazina(tmp_path, "migrate").returncode == 0
    modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()]
    assert modes
    assert all(mode & 0o007 == 0 for mode in modes)


@pytest.mark.parametrize("locale", ["C", "xx_YY.UTF-8"])
def test_a_folder_of_any_letters_serves_in_any_locale(tmp_path: Path, locale: str) -> None:
    folder = tmp_path / "kahawa é ﬆ"
    folder.mkdir()
    found = hazina(folder, "migrate", LC_ALL=locale, DATABASE=str(folder / "dawati é.db"))
    assert found.returncode == 0
    assert "Traceback" not in found.stderr
    assert (folder / "dawati é.db").exists()


def test_where_the_project_is_can_be_read_in_every_encoding() -> None:
    """If the locale cannot decode a .pth file, Python exits before any of our code runs."""
    for path in Path(sysconfig.get_path("purelib")).glob("*hazina*.pth"):
        assert path.read_text(encoding="utf-8").strip() == "../../../.."


def test_a_name_that_cannot_be_encoded_is_shown_escaped(tmp_path: Path) -> None:
    found = hazina(tmp_path, "migrate", PYTHONIOENCODING="latin-1", DATABASE="dawati \u20ac.db")
    assert found.returncode == 0
    assert "dawati \\u20ac.db has " in found.stdout


def test_what_cannot_be_written_is_no_fault_of_the_database(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        left = subprocess.run(
            [sys.executable, "-m", "hazina", "migrate"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert "the database cannot be used" not in left.stderr
    assert left.stderr.startswith("No space left on device")
