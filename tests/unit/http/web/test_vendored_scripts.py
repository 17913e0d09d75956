"""The scripts that we did not write are those of the packages that the manifest names."""

import tomllib
from hashlib import sha256

from bot.http.web.assets import VENDOR

MANIFEST = tomllib.loads((VENDOR / "manifest.toml").read_text(encoding="utf-8"))


def test_every_script_is_in_the_manifest_with_its_digest() -> None:
    scripts = {file.name: sha256(file.read_bytes()).hexdigest() for file in VENDOR.glob("*.js")}
    assert scripts == {name: entry["sha256"] for name, entry in MANIFEST.items()}
    assert scripts


def test_every_script_comes_with_its_licence() -> None:
    for entry in MANIFEST.values():
        licence = (VENDOR / entry["licence_file"]).read_text(encoding="utf-8")
        assert entry["licence"] == "0BSD"
        assert "Permission to use, copy, modify" in licence
