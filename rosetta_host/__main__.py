"""python -m rosetta_host COMMAND [options] [ID …]"""

from __future__ import annotations

import logging
import signal
import sys

from rosetta_host.catalog.frameworks import UserError
from rosetta_host.command_line.commands import COMMANDS
from rosetta_host.command_line.parser import parse
from rosetta_host.command_line.progress import LogLines, console
from rosetta_host.environments import external_python

log = logging.getLogger("rosetta_host")


def main(arguments: list[str] | None = None) -> int:
    log.setLevel(logging.INFO)
    log.handlers = [LogLines()]
    # A terminated benchmark ends its children and writes its record, as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options = parse(arguments)
        external_python.use(getattr(options, "python", None))
        return COMMANDS[options.command](options)
    except UserError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print("interrupted", style="red")
        return 130


if __name__ == "__main__":
    sys.exit(main())
