"""Makes CNTK importable without MPI: compiles mpi_stub.c into the installed package.

Run with the environment's own Python after the install; running it again does no harm.
"""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mpi_stub.c")


def compiler():
    """The command of the C compiler: what CC says, else cc or gcc."""
    for command in (os.environ.get("CC"),) if os.environ.get("CC") else ("cc", "gcc"):
        if shutil.which(shlex.split(command)[0]):
            return shlex.split(command)
    sys.exit("CNTK needs a C compiler for its stand-in for MPI: install gcc (apt-get install gcc), or set CC to one.")


def run(command, problem):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().split("\n")
        sys.exit("{}: {}".format(problem, lines[-1] or "no message"))


def main():
    package = importlib.util.find_spec("cntk")
    if package is None:
        sys.exit("CNTK is not installed for this Python: install requirements.txt first.")
    libraries = os.path.join(os.path.dirname(package.origin), "libs")
    with tempfile.TemporaryDirectory(dir=libraries) as folder:
        library, link = os.path.join(folder, "libmpi.so.12"), os.path.join(folder, "libmpi_cxx.so.1")
        options = ["-shared", "-fPIC", "-Wl,-soname,libmpi.so.12", "-o", library, SOURCE]
        run(compiler() + options, "CNTK's stand-in for MPI could not be compiled")
        os.symlink("libmpi.so.12", link)  # CNTK asks for MPI's C++ binding by a name of its own
        for path in (library, link):
            os.replace(path, os.path.join(libraries, os.path.basename(path)))
    run([sys.executable, "-W", "ignore", "-c", "import cntk"], "CNTK is installed but cannot be imported")


if __name__ == "__main__":
    main()
