"""The wheel built by ``make dist``, in a virtual environment without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.wheel

PROJECT = Path(__file__).parents[2]
ROOMS = ("bot", "flows", "services", "storage")
SCRIPT = PROJECT / "tests/conversations/topup/happy/from_my_own_number.chat"
TOPUP = "/topup\n1500\n1\n1\n:handset pays\n:wait 10s\n"
TIMEOUT_S = 60


class Installed:
    """A virtual environment with the wheel and its dependencies."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.python = home / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = home / "lib" / version / "site-packages"

    def hazina(
        self, folder: Path, *args: str, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return _run(self.home / "bin" / "hazina", *args, cwd=folder, typed=typed, **environment)


def _run(
    *command: str | Path, cwd: Path, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        input=typed,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel() -> Path:
    built = list((PROJECT / "dist").glob("hazina-*.whl"))
    assert len(built) == 1, "`make dist` builds it"
    return built[0]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """pip must find every dependency of the wheel already there: it may fetch nothing."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, symlinks=True)
    installed = Installed(home)
    (of_the_wheel,) = distributions(path=[str(wheel)])
    for package in _asked_for(of_the_wheel):
        _link(package, installed.packages)
    pip = (sys.executable, "-Im", "pip", "--python", installed.python)
    done = _run(*pip, "install", "--no-index", wheel, cwd=home, PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 0, done.stderr
    return installed


def _asked_for(package: Distribution) -> list[Distribution]:
    """Its dependencies without extras, and theirs, from the .venv of the checkout."""
    found: dict[str, Distribution] = {}
    seen: set[str] = set()
    waiting = list(_requirements(package, set()))
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        found[requirement.name] = distribution(requirement.name)
        waiting += _requirements(found[requirement.name], requirement.extras)
    return list(found.values())


def _requirements(package: Distribution, extras: set[str]) -> Iterator[Requirement]:
    for line in package.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield requirement


def _link(package: Distribution, packages: Path) -> None:
    """Link only the package's own files and folders, so that no .pth leads to the checkout."""
    for name in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
        place = packages / name
        if not place.exists():
            place.symlink_to(Path(str(package.locate_file(name))))


def test_nothing_of_the_checkout_can_be_imported(installed: Installed, tmp_path: Path) -> None:
    asks = (
        "import sys; from importlib.util import find_spec\n"
        "for name in sys.argv[1:]: print(getattr(find_spec(name), 'origin', None))\n"
        "print(*sys.path, sep='\\n')"
    )
    names = ("hazina", *ROOMS, "tests")
    told = _run(installed.python, "-Ic", asks, *names, cwd=tmp_path).stdout.splitlines()
    *ours, tests = told[: len(names)]
    assert [Path(origin).resolve() for origin in ours] == [
        installed.packages.resolve() / "hazina.py",
        *(installed.packages.resolve() / room / "__init__.py" for room in ROOMS),
    ]
    assert tests == "None"
    path = [Path(entry).resolve() for entry in told[len(names) :]]
    assert not [entry for entry in path if entry.is_relative_to(PROJECT)]


def test_the_wheel_holds_all_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [path for room in ROOMS for path in (PROJECT / room).rglob("[!.]*") if path.is_file()]
    here = {str(path.relative_to(PROJECT)) for path in files if "__pycache__" not in path.parts}
    assert held == here | {"hazina.py"}


def test_it_says_what_it_can_do(installed: Installed, tmp_path: Path) -> None:
    said = installed.hazina(tmp_path, "--help")
    assert (said.returncode, said.stderr) == (0, "")
    assert "Usage: hazina" in said.stdout


def test_a_top_up_is_played_to_its_receipt_in_an_empty_folder(
    installed: Installed, tmp_path: Path
) -> None:
    played = installed.hazina(tmp_path, "sim", typed=TOPUP)
    assert (played.returncode, played.stderr) == (0, "")
    assert "Received KES 1,500. New balance KES 6,500." in played.stdout
    assert list(tmp_path.iterdir()) == []


def test_conversations_are_drawn(installed: Installed, tmp_path: Path) -> None:
    drawn = installed.hazina(tmp_path, "flows")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert "%% topup\nstateDiagram-v2\n" in drawn.stdout


def test_a_script_from_elsewhere_is_played(installed: Installed, tmp_path: Path) -> None:
    script = shutil.copy(SCRIPT, tmp_path)
    played = installed.hazina(tmp_path, "talk", script)
    assert (played.returncode, played.stderr) == (0, "")
    assert f"{script}: holds on terminal" in played.stdout


def test_a_database_is_made(installed: Installed, tmp_path: Path) -> None:
    made = installed.hazina(tmp_path, "migrate")
    assert (made.returncode, made.stderr) == (0, "")
    migrations = (PROJECT / "storage/migrations/sqlite").glob("*.sql")
    assert [line.split()[-1] for line in made.stdout.splitlines()] == sorted(
        path.stem for path in migrations
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_foreign_package_of_our_name_is_not_run(
    installed: Installed, tmp_path: Path, room: str
) -> None:
    (tmp_path / f"{room}.py").write_text("raise SystemExit('run in our place')\n")
    ended = installed.hazina(Path("/"), "--version", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"a package {room} that is not Hazina's")
