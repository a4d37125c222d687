"""The facts of a run that only its own process can know: versions, peak resident memory."""

import os
import platform
import resource
import sys


def packages():
    """Installed distributions, name -> version, as the names of their folders and files state them.

    Python 3.6 has no importlib.metadata, and environments made by uv hold no pkg_resources. A Linux distribution's own
    packages are "name-version-py3.11.egg-info".
    """
    versions = {}
    for folder in sys.path:
        names = os.listdir(folder) if os.path.isdir(folder) else []
        for name in names:
            stem, kind = os.path.splitext(name)
            if kind in (".dist-info", ".egg-info") and "-" in stem:
                distribution, version = stem.split("-")[:2]
                versions.setdefault(distribution.lower().replace("_", "-"), version)  # the first is the one imported
    return versions


def facts():
    """Python's version and every installed package, for the record."""
    return {"python": platform.python_version(), "packages": packages()}


def peak_resident():
    """The largest resident set that this process itself had, in bytes; None where the system does not state it.

    Linux carries ru_maxrss over from the parent through fork and exec, so a small child of a large parent reports the
    parent's peak; VmHWM starts anew with exec.
    """
    if sys.platform.startswith("linux"):
        with open("/proc/self/status") as status:
            stated = [line.split() for line in status if line.startswith("VmHWM:")]
        return int(stated[0][1]) * 1024 if stated else None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
