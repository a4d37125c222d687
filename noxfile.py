"""The commands of the project: `nox -l` lists them, `nox -s NAME -- --help` explains one.

Frameworks, locks and interpreters are listed nowhere here: they come from examples/*/framework.toml.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).parent
REQUIREMENTS = ROOT / "requirements"
SHARED_PYTHONS = ["3.6", "3.13"]  # the ends of what rosetta_common must run on
DOCS_PYTHON = "3.13"
# The host's exit code where all ran and an implementation failed: its record is there to be shown.
IMPLEMENTATION_FAILED = 1

nox.needs_version = ">=2026.10.20"  # whose CommandFailed knows the exit code
nox.options.default_venv_backend = "uv|venv"  # never virtualenv: its newer releases refuse Python 3.6
nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"  # what is installed is locked, and installed again in a second
# Outside CI a missing interpreter is a skip that the reader sees; in CI it is an error.
nox.options.error_on_missing_interpreters = bool(os.environ.get("CI"))


def implementations() -> list[str]:
    """The ids of all implementations: folder, or folder-backend. The catalog reads the rest; nox has no msgspec."""
    ids = []
    for path in sorted(ROOT.glob("examples/*/framework.toml")):
        # The catalog says what is wrong, and where.
        with contextlib.suppress(tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError):
            backends = tomllib.loads(path.read_text("utf-8")).get("backend", {})
            ids += [f"{path.parent.name}-{name}" for name in backends] or [path.parent.name]
    return ids


# uv and nox look on PATH only, where pyenv's shims fail for versions that are not switched on.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
os.environ["PATH"] += "".join(os.pathsep + str(folder) for folder in sorted(PYENV.glob("*/bin")))

# uv compiles nothing of what it installs: where Python may not keep what it compiled either, as in many containers,
# it compiles NumPy or Sphinx anew at every start, and each command takes twice as long to begin.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def install(session: nox.Session, lock: str) -> None:
    """Install exactly what requirements/<lock>.txt says."""
    session.install("--quiet", "-r", str(REQUIREMENTS / f"{lock}.txt"))


def host(session: nox.Session, command: str, *arguments: str, lock: str = "host") -> None:
    """Run a command of the host's in its own locked environment, on the real standard output for live progress."""
    install(session, lock)
    session.run("python", "-m", "rosetta_host", command, *arguments, *session.posargs)


def pytest(session: nox.Session, *tests: str, timed: bool = False, env: dict[str, str] | None = None) -> None:
    """Run tests on all cores, then those that measure seconds one by one; with options for pytest, as they say."""
    run = functools.partial(session.run, "python", "-m", "pytest", *tests, env=env)
    if session.posargs:
        run(*session.posargs)
        return
    run("-n", "auto", "--dist", "worksteal", "-m", "not timed")
    if timed:
        run("-m", "timed")


def asks_help(session: nox.Session) -> bool:
    return bool({"-h", "--help"} & set(session.posargs))


def measure(session: nox.Session, *arguments: str) -> bool:
    """Benchmark, and say whether all went well; an implementation that fails has a record for the site to show."""
    scheduled = any(option.partition("=")[0] == "--scheduler" for option in session.posargs)
    try:
        host(session, "benchmark", *arguments, lock="schedulers" if scheduled else "host")
    except CommandFailed as failure:
        if failure.return_code != IMPLEMENTATION_FAILED:
            raise
        return False
    return True


@nox.session
def benchmark(session: nox.Session) -> None:
    """Certify and time frameworks, then rebuild the site: -- [--preset quick|epoch|full | --ranked] [ID …]

    Of all frameworks the host does a few first, so that a site is there within minutes, and names the others in a file.
    A ranked sweep does all of them at once.
    """
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        left = Path(folder) / "left"
        ok = measure(session, "--left", str(left))
        if left.exists():
            session.run(sys.executable, "-m", "nox", "-s", "docs", external=True, success_codes=[0, 1])
            ok &= measure(session, *left.read_text("utf-8").split())
    if not asks_help(session):
        session.notify("docs", posargs=[])
    if not ok:
        session.error("A run failed; its record has the reason.")


@nox.session(default=False)
def dask(session: nox.Session) -> None:
    """Hand runs to several machines: -- scheduler on one of them, -- worker tcp://HOST:PORT [--name NAME] on each

    A worker offers its machine to one run at a time. `nox -s benchmark -- --scheduler dask://HOST:PORT` hands out runs.
    """
    install(session, "schedulers")
    one_run = ["--nworkers", "1", "--nthreads", "1", "--resources", "machine=1"]
    options = one_run if session.posargs[:1] == ["worker"] else []
    session.run("dask", *session.posargs, *options, env={"PYTHONPATH": str(ROOT)})


@nox.session
def certificate(session: nox.Session) -> None:
    """Certify frameworks; exit with 1 if one fails: -- [--short] [--stale] [--variant NAME] [ID …]"""
    host(session, "certificate")


@nox.session
def mutation(session: nox.Session) -> None:
    """Mutation testing: the certificate must catch every deliberate error: -- [--minutes N] [--mutant NAME] [ID …]"""
    host(session, "mutation")


@nox.session
def lessons(session: nox.Session) -> None:
    """Measure the effect and the cost of each lesson's error: -- [--kind size|time|accuracy] [LESSON …] [ID …]"""
    host(session, "lessons")


@nox.session
def transfer(session: nox.Session) -> None:
    """Move trained weights between all frameworks and compare predictions: -- [--workload NAME] [ID …]"""
    host(session, "transfer")


@nox.session
def defaults(session: nox.Session) -> None:
    """Measure the defaults of each framework: -- [--records DIR] [ID …]"""
    host(session, "defaults")


@nox.session
def speed(session: nox.Session) -> None:
    """Compare each example with its bare loop and with its variants, interleaved: -- [--workload NAME] [ID …]"""
    host(session, "speed")


@nox.session
def standalone(session: nox.Session) -> None:
    """Run each standalone script that the site offers, in an empty folder: -- [--workload NAME] [ID …]"""
    host(session, "standalone")


@nox.session
def notebooks(session: nox.Session) -> None:
    """Execute the notebooks that are out of date, each in its own environment: -- [--again] [ID …]"""
    host(session, "notebooks", lock="notebooks")


@nox.session
def gpu_parcel(session: nox.Session) -> None:
    """Collect what a GPU machine without network lacks, in pieces: -- --out DIR [--has PACKAGE,…] [ID …]"""
    install(session, "host")
    session.run("python", "-m", "tools.gpu_session", "prepare", *session.posargs)


@nox.session
def validate(session: nox.Session) -> None:
    """Refuse records that cannot be true, with the reason; exit with 1 if there are some: -- [FILE …]"""
    host(session, "validate")


@nox.session
def new(session: nox.Session) -> None:
    """Write the folder of a new framework, with what is left to fill in: -- NAME"""
    host(session, "new")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test: host, site, a new folder, the shared modules on Python 3.6 and 3.13, and short certificates."""
    install(session, "tests")
    others = ["--ignore=tests/docs", "--ignore=tests/site", "--ignore=tests/test_new_framework.py"]
    env = {"ROSETTA_NOX_PYTHON": sys.executable}
    pytest(session, *others, env=env)
    if not session.posargs:
        for name in ("shared", "site_tests", "new_framework"):
            session.notify(name)
        session.notify("certificate", posargs=["--short"])


@nox.session(python=SHARED_PYTHONS)
def shared(session: nox.Session) -> None:
    """Test the modules that run inside the frameworks' environments."""
    install(session, f"shared-{session.python}")
    tests = sorted([*ROOT.glob("tests/rosetta_common/test_*.py"), *ROOT.glob("tests/workloads/*/test_data.py")])
    paths = [str(path.relative_to(ROOT)) for path in tests]
    session.run("python", "-m", "pytest", "-p", "no:cacheprovider", *paths)


@nox.session(python=DOCS_PYTHON)
def site_tests(session: nox.Session) -> None:
    """Test the site's own directives."""
    install(session, "docs")
    pytest(session, "tests/docs")


@nox.session
def new_framework(session: nox.Session) -> None:
    """Test that a new framework is one new folder: add one to a copy of the project and run the sessions there."""
    install(session, "tests")
    env = {"ROSETTA_NOX_PYTHON": sys.executable}
    session.run("python", "-m", "pytest", "tests/test_new_framework.py", *session.posargs, env=env)


@nox.session(python=DOCS_PYTHON)
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build/html, from scratch, with warnings as errors: -- [options of Sphinx]"""
    install(session, "docs")
    built = ROOT / "docs" / "_build"
    shutil.rmtree(built / "html", ignore_errors=True)  # Sphinx leaves the files of pages that are gone
    options = ["-E", "-W", "--keep-going", "-j", "auto", "-b", "html", "-d", str(built / "trees"), *session.posargs]
    start = time.perf_counter()
    session.run("python", "-m", "sphinx", *options, "docs", str(built / "html"))
    (built / "seconds").write_text(f"{time.perf_counter() - start}\n", "utf-8")  # tests/site holds them to a goal
    session.log(f"Open {(built / 'html' / 'index.html').as_uri()}")


# What the site is checked with and this project does not install: Debian's package -> the program, by any of its names.
PROGRAMS = {"chromium": ["chromium", "chromium-browser", "google-chrome"], "default-jre-headless": ["java"]}


def programs(session: nox.Session, *packages: str) -> list[str]:
    """The paths of these packages' programs. One that is missing ends the session, outside CI as a skip."""
    paths = {package: next(filter(None, map(shutil.which, PROGRAMS[package])), None) for package in packages}
    missing = [package for package, path in paths.items() if path is None]
    if missing:
        end = session.error if os.environ.get("CI") else session.skip
        end(f"this session needs a program that is not installed; on Debian: apt-get install {' '.join(missing)}")
    return [path for path in paths.values() if path]


@nox.session(python=DOCS_PYTHON)
def site(session: nox.Session) -> None:
    """Build the site and check it in a real browser: links, validity, accessibility, speed: -- [options of pytest]"""
    chromium, java = programs(session, "chromium", "default-jre-headless")
    install(session, "site")
    session.run(sys.executable, "-m", "nox", "-s", "docs", external=True)  # in its own environment
    env = {"ROSETTA_CHROMIUM": chromium, "ROSETTA_JAVA": java}
    pytest(session, "tests/site", timed=True, env=env)


@nox.session(python=DOCS_PYTHON)
def screenshots(session: nox.Session) -> None:
    """Take pictures of every kind of page of the built site, light and dark, wide and narrow: -- FOLDER"""
    [chromium] = programs(session, "chromium")
    install(session, "site")
    session.run("python", "-m", "tools.screenshots", *session.posargs, env={"ROSETTA_CHROMIUM": chromium})


# What only a host of repositories reads, and what follows a schema that check-jsonschema brings along.
SCHEMAS = {
    "vendor.citation-file-format": "CITATION.cff",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-actions": ".github/actions/*/action.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/*.yml",
    "vendor.github-workflows": ".github/workflows/*.yml",
    "custom.github-workflows-require-timeout": ".github/workflows/*.yml",
}


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, types, imports, the pages' words, and the schemas of the files for GitHub."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-logo", "--no-cache", env={"PYTHONPATH": os.pathsep.join([".", "docs"])})
    session.run("python", "-m", "tools.prose")
    for schema, pattern in SCHEMAS.items():
        paths = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
        session.run("check-jsonschema", "--builtin-schema", schema, *paths)


@nox.session(default=False)
def locks(session: nox.Session) -> None:
    """Refresh the host's locks in requirements/, or bump a framework or package: -- [NAME[==VERSION] …]"""
    if session.posargs:
        host(session, "locks")
        return
    session.install("uv")
    options = [
        "--no-header",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--generate-hashes",
        "--upgrade",
        "--quiet",
    ]
    for source in sorted(REQUIREMENTS.glob("*.in")):
        _, _, python = source.stem.partition("-")
        where = ["--python-version", python] if python else ["--python-version", "3.11", "--universal"]
        target = str(source.with_suffix(".txt"))
        session.run("uv", "pip", "compile", *options, *where, str(source), "-o", target, env={"UV_FIND_LINKS": ""})


def register_implementation(name: str) -> None:
    """Register `benchmark(ID)` and `certificate(ID)`, for a scheduler that runs one implementation at a time.

    `nox -t benchmark -l --json` lists them.
    """

    def run(session: nox.Session) -> None:
        command = session.name.partition("(")[0]
        host(session, command, name)

    for command in ("benchmark", "certificate"):
        run.__doc__ = f"{command} for {name} alone."
        nox.session(name=f"{command}({name})", tags=[command], default=False)(run)


for implementation in implementations():
    register_implementation(implementation)
