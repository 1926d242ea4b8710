"""A process that has imported everything and forks one child for each command: the start is paid once.

Each line on stdin is a job (`args`, `env`, `out`, `err`); each line on stdout is the exit code of that job's process.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pkgutil
import sys
from typing import Any, NoReturn

import reconciler
from reconciler.cli.main import COMMANDS, main, module_of
from reconciler.providers.registry import provider_types


def _become(job: dict[str, Any]) -> NoReturn:
    """Be the command of a job, as if it had just been started."""
    os.environ.clear()
    os.environ.update(job["env"])
    places = {0: (os.devnull, os.O_RDONLY), 1: (job["out"], os.O_WRONLY), 2: (job["err"], os.O_WRONLY)}
    for number, (path, mode) in places.items():
        opened = os.open(path, mode | (os.O_CREAT | os.O_TRUNC if number else 0))
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.BufferedWriter(io.FileIO(number, "w")), encoding="utf-8", errors=errors)
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )
    sys.argv = ["reconciler", *job["args"]]
    code = 1
    try:
        main()
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    for name in COMMANDS:
        module_of(name)
    provider_types()
    # Also what a command imports only when it needs it: else each child would pay for it.
    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
