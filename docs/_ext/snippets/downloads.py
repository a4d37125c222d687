"""What a reader takes along: each example as a script that runs alone, its notebooks, and one archive a folder.

`{downloads}` lists them, with the commands that make the environment. `links` gives those of one implementation.
The files are written into the built site's folder downloads/ after every build, the same bytes for the same sources.
"""

from __future__ import annotations

import io
import textwrap
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from _ext.core import store as stores
from _ext.core.folders import by_folder, by_life, marker, promotable
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.publishing import instructions, notebooks, standalone
from rosetta_host.publishing.notebooks import Notebook

logger = logging.getLogger(__name__)

FOLDER = "downloads"
WIDTH = 100  # of the text in an archive
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that an archive can hold, for every file in it


@dataclass
class Offer:
    """The downloads of one folder of examples/: scripts or why not, and the notebooks of its implementations."""

    implementations: list[Implementation]
    scripts: dict[str, str] = field(default_factory=dict)  # workload -> text
    lacking: dict[str, str] = field(default_factory=dict)  # workload -> why there is no script
    notebooks: dict[tuple[str, str], Notebook] = field(default_factory=dict)  # implementation and workload

    @property
    def name(self) -> str:
        return self.implementations[0].folder.name

    @property
    def archive(self) -> str:
        return f"{self.name}.zip"

    def current(self) -> Iterator[tuple[Implementation, str, Path]]:
        """The notebooks that are a run of the present code and lock."""
        for implementation in self.implementations:
            for workload in self.scripts:
                book = self.notebooks[implementation.id, workload]
                if book.state == "current":
                    yield implementation, workload, book.path

    def files(self) -> dict[str, bytes]:
        """What is served beside the archive: file name -> content."""
        files = {f"{workload}.py": text.encode() for workload, text in self.scripts.items()}
        return files | {path.name: path.read_bytes() for _, _, path in self.current()}


def offer(implementations: list[Implementation], folder: Path) -> Offer:
    """The downloads of these implementations, which share a folder of examples/; `folder` holds executed notebooks."""
    downloads = Offer(implementations)
    for workload in implementations[0].workloads:
        try:
            downloads.scripts[workload] = standalone.script(implementations, workload).text
        except UserError as error:
            downloads.lacking[workload] = str(error)
            continue
        for implementation in implementations:
            downloads.notebooks[implementation.id, workload] = _notebook(
                implementation, implementations, workload, folder
            )
    return downloads


def _notebook(
    implementation: Implementation, implementations: list[Implementation], workload: str, folder: Path
) -> Notebook:
    try:
        return notebooks.state(implementation, implementations, workload, folder)
    except UserError as error:
        logger.warning("%s", error, type="rosetta", subtype="notebook")
        return Notebook(notebooks.path(implementation, workload, folder), "stale", str(error))


_offers: WeakKeyDictionary[Config, dict[str, Offer]] = WeakKeyDictionary()


def offers(config: Config) -> dict[str, Offer]:
    """What the build with this configuration offers, by folder that has an example; made once a build."""
    return _offers[config]


def _start(app: Sphinx) -> None:
    implementations = stores.store(app.config).implementations.values()
    # A folder that has no example yet offers nothing.
    folders = by_folder(implementation for implementation in implementations if implementation.workloads)
    where = Path(app.confdir, app.config.rosetta_notebooks).resolve()
    _offers[app.config] = {name: offer(folders[name], where) for name in by_life(folders)}


def archive(offer: Offer) -> bytes:
    """The folder's archive: scripts, current notebooks, locks and what a set-up step needs, with a README."""
    files = {"README.txt": readme(offer).encode(), **offer.files()}
    for implementation in offer.implementations:
        inside = instructions.archive_folder(implementation, offer.implementations)
        files |= {inside + path.name: path.read_bytes() for path in instructions.files(implementation)}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{offer.name}/{name}", EPOCH)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def readme(offer: Offer) -> str:
    """What the archive holds, the commands for each implementation, and where the data comes from."""
    title = offer.implementations[0].title
    held = {f"{workload}.py": f"{workloads.get(workload).network}: a standalone script" for workload in offer.scripts}
    held |= {
        path.name: f"{workloads.get(workload).network} as a notebook, with its output from {implementation.name}"
        for implementation, workload, path in offer.current()
    }
    width = max(map(len, held), default=0) + 3
    listed = "\n".join(f"    {name:{width}}{text}" for name, text in held.items())
    parts = [_headline(title, "="), f"From {standalone.PROJECT}.", listed]
    parts.append("Run the commands in a shell in this folder. They need uv (pip install uv).")
    for implementation in offer.implementations:
        parts += [_headline(f"{implementation.name}, Python {implementation.environment.python}", "-")]
        parts += [_filled(implementation.framework.needs)] if implementation.framework.needs else []
        parts.append(textwrap.indent(instructions.unpacked_commands(implementation, offer.implementations), "    "))
    sources = [workloads.get(workload).source for workload in offer.scripts]
    cited = [f"{source.name}: {source.citation} {source.license}" for source in sources]
    about_data = (
        "A script reads the data from the folder in ROSETTA_DATA, or from `data` in this folder. If the data is "
        "missing, it is downloaded from the publisher, and its SHA-256 is verified."
    )
    return "\n\n".join([*parts, _headline("The data", "-"), *map(_filled, [about_data, *cited])]) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _headline(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _reference(env: BuildEnvironment, text: str, *path: str) -> nodes.reference:
    """A relative link from the page being read into downloads/."""
    up = "../" * env.docname.count("/")
    return nodes.reference("", text, refuri="/".join([up + FOLDER, *path]), internal=True)


def links(env: BuildEnvironment, implementation: Implementation, workload: str) -> list[nodes.Node]:
    """The downloads of an implementation's example, for a caption: script, notebook, archive, between them a dot.

    What is not there is said in words, never linked.
    """
    offer = offers(env.config)[implementation.folder.name]
    return _separated([*_links(env, offer, implementation, workload), _reference(env, offer.archive, offer.archive)])


def _links(env: BuildEnvironment, offer: Offer, implementation: Implementation, workload: str) -> Iterator[nodes.Node]:
    if workload in offer.lacking:
        yield nodes.Text(f"no script: {offer.lacking[workload]}")
        return
    name = f"{workload}.py"
    yield _reference(env, name, offer.name, name)
    book = offer.notebooks[implementation.id, workload]
    if book.state == "current":
        yield _reference(env, "notebook", offer.name, book.path.name)
    else:
        yield nodes.Text(f"no notebook: {book.why}")


def _separated(links: Iterable[nodes.Node]) -> list[nodes.Node]:
    parts: list[nodes.Node] = []
    for node in links:
        parts += [nodes.Text(" · "), node] if parts else [node]
    return parts


def anchor(offer: Offer) -> str:
    """The id of a folder's section."""
    name: str = nodes.make_id(f"download-{offer.name}")
    return name


def jump_list(listed: list[Offer]) -> list[nodes.Node]:
    """A link to each folder's section."""
    if not listed:
        return []
    links: list[nodes.Node] = [
        nodes.reference("", offer.implementations[0].title, refid=anchor(offer), internal=True) for offer in listed
    ]
    return [nodes.paragraph("", "", nodes.Text("Jump to: "), *_separated(links), classes=["rosetta-jump"])]


class Downloads(SphinxDirective):
    """`{downloads}`: every folder of examples/, what there is to take along, and how to make its environments."""

    def run(self) -> list[nodes.Node]:
        listed = list(offers(self.config).values())
        return [*jump_list(listed), *promotable(*map(self.section, listed))]

    def section(self, offer: Offer) -> nodes.section:
        title = offer.implementations[0].title
        name = anchor(offer)
        classes = ["rosetta-download", marker(offer.name)]
        section = nodes.section("", nodes.title("", title), ids=[name], names=[name], classes=classes)
        for implementation in offer.implementations:
            section += self.implementation(offer, implementation)
        return section

    def implementation(self, offer: Offer, implementation: Implementation) -> list[nodes.Node]:
        """What there is for one implementation, what it needs, and its commands on a CPU and on a GPU."""
        python = f"Python {implementation.environment.python}"
        head = nodes.strong("", f"{implementation.name}, {python}." if len(offer.implementations) > 1 else f"{python}.")
        needs = [nodes.Text(f" Needs: {implementation.framework.needs}")] if implementation.framework.needs else []
        parts: list[nodes.Node] = [nodes.paragraph("", "", head, *needs)]
        links_by_name = {
            workloads.get(workload).short: list(_links(self.env, offer, implementation, workload))
            for workload in implementation.workloads
        }
        links_by_name |= {"Archive": [_reference(self.env, offer.archive, offer.archive)]}
        for name, links in links_by_name.items():
            line = nodes.paragraph("", f"{name}: ", *_separated(links), classes=["rosetta-file"])
            parts.append(line)
        parts.append(_shell(instructions.unpacked_commands(implementation, offer.implementations, gpu=False)))
        on_gpu = instructions.install(implementation, offer.implementations, "gpu", unpacked=True)
        if on_gpu:
            note = nodes.paragraph(
                "", f"{instructions.gpu_note(implementation)} Install this instead:", classes=["rosetta-file"]
            )
            parts += [note, _shell(on_gpu)]
        return parts


def _shell(text: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language="sh")


def _write(app: Sphinx, exception: Exception | None) -> None:
    """Write what is offered into the built site."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    wanted: dict[Path, bytes] = {}
    for offer in offers(app.config).values():
        wanted[folder / offer.archive] = archive(offer)
        wanted |= {folder / offer.name / name: content for name, content in offer.files().items()}
    for path, content in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_notebooks", "notebooks", "env")
    app.add_directive("downloads", Downloads)
    app.connect("builder-inited", _start, priority=600)  # after the store
    app.connect("build-finished", _write)
