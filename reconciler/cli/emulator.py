"""`reconciler emulator`."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.output import Printer
from reconciler.problems import ReconcilerError

__all__ = ["command"]


class _WithSwitches(click.Command):
    """Its help lists all switches, from the tables of the emulator's modules."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from reconciler.emulator.registry import switch_tables  # noqa: PLC0415 - loads all modules

        for module, table in switch_tables().items():
            with formatter.section(f"Switches of {module} (values, the default first)"):
                formatter.write_dl([(row.name, f"{row.told}: {row.does}") for row in table.rows], col_max=28)
        super().format_epilog(ctx, formatter)


@click.command(
    "emulator",
    cls=_WithSwitches,
    epilog="""\b
Examples:
  reconciler emulator --port 8080
  curl http://127.0.0.1:8080/_emulator/switches -d '{"theta": {"routes": "plural"}}'""",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free port.")
@click.option("--state", type=click.Path(dir_okay=False), default=None, metavar="FILE", help="Keep the state in FILE.")
@click.option("--speed", type=click.FloatRange(0), default=60.0, show_default=True, help="Emulated seconds per second.")
@click.pass_obj
def command(printer: Printer, *, port: int, state: str | None, speed: float) -> int:
    """Serve Theta EdgeCloud, NVIDIA Run:ai and ModelArts as their fact sheets describe them, on 127.0.0.1.

    The first line on stdout is JSON with all addresses and credentials. Control routes for tests are below /_emulator/:
    requests, state, faults, clock, switches, reset.
    """
    from reconciler.emulator.server import Emulator, Server  # noqa: PLC0415 - needs Starlette and uvicorn

    try:
        server = Server(Emulator(Path(state) if state else None, speed=speed), port).start()
    except OSError as error:
        raise ReconcilerError(f"the emulator can't start: {error.strerror or error} [emulator-failed]") from None
    printer.result(json.dumps(server.emulator.connection(server.url)), utf8=True)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    done.wait()
    server.stop()
    return Exit.DONE
