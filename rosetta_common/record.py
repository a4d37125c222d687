"""The facts of a run that only its own process can know: versions, peak memory."""

import os
import platform
import resource
import sys


def packages():
    """Installed distributions, name -> version, as the environment's dist-info folders state them.

    Python 3.6 has no importlib.metadata, and environments made by uv hold no pkg_resources.
    """
    found = {}
    for folder in sys.path:
        names = os.listdir(folder) if os.path.isdir(folder) else []
        for name in names:
            if name.endswith(".dist-info"):
                distribution, _, version = name[: -len(".dist-info")].partition("-")
                found.setdefault(distribution.lower().replace("_", "-"), version)  # the first is the one imported
    return found


def facts():
    """Python's version and every installed package, for the record."""
    return {"python": platform.python_version(), "packages": packages()}


def peak_memory():
    """The largest resident set that this process ever had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
