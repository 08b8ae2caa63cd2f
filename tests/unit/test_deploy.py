"""What is in `deploy/`, looked at by whoever knows best."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.third_party import NOTICES, packages

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
BIN = Path(sys.executable).parent
EXPOSURE = 2.0


def test_there_is_a_unit_for_each_role() -> None:
    assert [unit.name for unit in UNITS] == ["picturelock-api.service", "picturelock-worker.service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_sound_and_exposes_little(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/picturelock/bin/python", sys.executable))
    verified = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False)
    assert unit.name not in verified.stderr
    looked = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(here)], capture_output=True, text=True, check=False
    )
    match = re.search(r"exposure level for \S+: ([\d.]+)", looked.stdout)
    assert match is not None, looked.stderr
    assert float(match.group(1)) <= EXPOSURE


def test_the_container_file_is_sound() -> None:
    looked = subprocess.run([BIN / "hadolint", DEPLOY / "Containerfile"], capture_output=True, text=True, check=False)
    assert (looked.returncode, looked.stdout) == (0, "")


def test_the_proxy_understands_its_file(tmp_path: Path) -> None:
    looked = subprocess.run(
        [BIN / "caddy", "validate", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile"],
        capture_output=True, text=True, check=False, env={"PICTURELOCK_HOST": "films.example", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert looked.returncode == 0, looked.stderr


def test_the_services_are_confined_and_only_the_proxy_is_reachable() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = composed["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    for name in ("api", "worker"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
    assert composed["networks"]["inside"] == {"internal": True}


def test_the_notices_are_those_of_what_is_locked() -> None:
    written = NOTICES.read_text()
    rows = packages((ROOT / "requirements" / "local.lock").read_text())
    assert len(rows) > 60
    assert [row for row in rows if row not in written] == [], "run: python -m scripts.third_party"
    for program in ("ffmpeg", "ffprobe"):
        assert f"| {program}" in written
