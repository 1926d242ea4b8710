"""`reconciler emulator` as a process of its own, each of whose answers takes 20 ms."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks import corpus
from tests.benchmarks.clocks import ROOT, reconciler

__all__ = ["AT_A_TIME", "DELAY_S", "Served", "served"]

DELAY_S: Final = 0.02
AT_A_TIME: Final = 8
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A running emulator."""

    connection: dict[str, Any]
    pid: int

    @property
    def secrets(self) -> dict[str, str]:
        """The environment that its clients need."""
        return {
            "THETA_API_KEY": self.connection["theta"]["apiKey"],
            "RUNAI_CLIENT_SECRET": self.connection["runai"]["clientSecret"],
            "MODELARTS_PASSWORD": self.connection["modelarts"]["password"],
        }

    def project_file(self) -> str:
        """`reconciler.yaml` that leads here."""
        theta, runai, modelarts = (self.connection[name] for name in ("theta", "runai", "modelarts"))
        windows = "commitDelay: 0s, listLag: 0s, pollInterval: 1s"
        return corpus.project_file(
            {
                "theta": f'type: theta, endpoint: "{theta["endpoint"]}", apiEndpoint: "{theta["apiEndpoint"]}", '
                f'projectId: "{theta["projectId"]}", apiKey: \'{{{{ secret("THETA_API_KEY") }}}}\', {windows}',
                "runai": f'type: runai, endpoint: "{runai["endpoint"]}", version: "2.24", '
                f'cluster: "{runai["cluster"]}", project: "{runai["project"]}", clientId: "{runai["clientId"]}", '
                f"clientSecret: '{{{{ secret(\"RUNAI_CLIENT_SECRET\") }}}}', {windows}",
                "modelarts": f'type: modelarts, endpoint: "{modelarts["endpoint"]}", '
                f'iamEndpoint: "{modelarts["iamEndpoint"]}", projectId: "{modelarts["projectId"]}", '
                f'domain: "{modelarts["domain"]}", username: "{modelarts["username"]}", '
                f"password: '{{{{ secret(\"MODELARTS_PASSWORD\") }}}}', {windows}",
            }
        )

    def requests(self) -> int:
        """How many requests there were so far."""
        return len(self._call("requests"))

    def be_slow(self) -> None:
        """From now on each answer takes `DELAY_S`."""
        self._call("faults", [{"path": ".*", "count": None, "delay_s": DELAY_S}])

    def reset(self) -> None:
        """As new."""
        self._call("reset", None)
        self.be_slow()

    def cpu_s(self) -> float:
        """Its processor time so far: it shares the machine with what is measured."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def _call(self, what: str, *body: Any) -> Any:
        data = json.dumps(body[0]).encode() if body else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.connection['url']}/_emulator/{what}", data=data, timeout=120) as reply:
            return json.load(reply)


@contextlib.contextmanager
def served(state: Path | None = None) -> Iterator[Served]:
    """Serve this state file (or a fresh state in memory), slowly; its time is the wall clock's."""
    words = ["emulator", "--port", "0", "--speed", "1", *(["--state", str(state)] if state else [])]
    process = subprocess.Popen(
        reconciler(*words), cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8"
    )
    if process.stdout is None:
        raise AssertionError
    try:
        running = Served(json.loads(process.stdout.readline()), process.pid)
        running.be_slow()
        yield running
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
