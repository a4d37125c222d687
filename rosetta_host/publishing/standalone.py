"""An example as one script that runs alone: the few helpers of this project that it calls are written into it.

Only what the example needs comes along, found in the syntax trees: the hyperparameters of its workload under the
example's own name for them, the data loader, the mini-batches. What the runner alone uses stays out.
`standalone_data.py` takes the place of `data.located` and `data.DataError`. The example's own lines are
verbatim.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import sys
import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import rosetta_common
from rosetta_host.catalog import syntax, workloads
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.publishing import instructions
from rosetta_host.publishing.source import Module, NotFound, bound

PROJECT = "the Rosetta Stone of deep-learning frameworks"
SHARED = Path(rosetta_common.__file__ or "").parent
PACKAGES = (SHARED.name, workloads.WORKLOADS.name)  # of this project, which a script does not import
STAND_INS = ["located", "DataError"]  # what standalone_data.py provides in place of data.py
PARAMS = "params"  # what a workload calls its hyperparameters
SOURCE = "source"  # the name in standalone_data.py that holds where the data come from
WIDTH = 100
DEFINES = re.compile("def |class |@")  # a definition stands two lines below what is above it

Import = ast.Import | ast.ImportFrom
Imported = tuple[str | None, str, str | None]  # module of `from … import`, name, name after `as`
Kept = dict[ast.stmt, set[str]]


@dataclass(frozen=True)
class Script:
    """The parts of a script: the text of its docstring, its imports, the code under each heading.

    params: its name for the hyperparameters.
    """

    docstring: str
    imports: str
    sections: dict[str, str]
    params: str

    @property
    def text(self) -> str:
        """The whole file."""
        raw = "r" if "\\" in self.docstring else ""
        gaps = {heading: "\n" if DEFINES.match(code) else "" for heading, code in self.sections.items()}
        parts = [f"# ---- {heading} ----\n\n{gaps[heading]}{code}" for heading, code in self.sections.items()]
        return f'{raw}"""{self.docstring}\n"""\n\n{self.imports}\n\n' + "\n\n\n".join(parts) + "\n"


def script(implementations: list[Implementation], workload: str) -> Script:
    """The script of a folder's example, for all its implementations. Raises UserError where it cannot run alone."""
    path = implementations[0].example(workload)
    where = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    try:
        example = Module(path.read_text("utf-8"), where)
    except NotFound as error:
        raise UserError(f"{where}: {error}.") from None
    names, own_names, params = _wanted(example, workload)
    helpers = _helpers(workload, names, own_names)
    _refuse_clashes(example, helpers, {params, SOURCE})
    sections = {
        f"The hyperparameters of {where}": _hyper_parameters(workload, params),
        "The data, the same for every framework": _data(workload, params, helpers),
        f"The example, {where}": _body(example),
    }
    text = _docstring(example, implementations, workload)
    return Script(text, _imports(example, helpers), sections, params)


def read_by_snippets(workload: str) -> str:
    """What every snippet of a workload takes from the project beside the data: hyperparameters and mini-batches."""
    data = _Shared(SHARED / "data.py")
    data.keep(["minibatches"], STAND_INS)
    imports = "\n".join(map(ast.unparse, data.imports))
    hyper_parameters = _hyper_parameters(workload, PARAMS)
    return f"from types import SimpleNamespace\n\n{imports}\n\n{hyper_parameters}\n\n\n{data.code}"


class _Shared(Module):
    """A shared module without the runner's hooks, and the statements of it that a script needs."""

    def __init__(self, path: Path) -> None:
        super().__init__(without_hooks(path.read_text("utf-8")), str(path))
        self.kept: Kept = {}

    def keep(self, names: Iterable[str], apart: Collection[str]) -> None:
        """Keep these functions and classes and all that they need, but for the names `apart`, which others provide.

        Raises UserError for a name that is not there.
        """
        try:
            self.kept = self.needed([self.find(name) for name in names], apart)
        except NotFound as error:
            raise UserError(f"{self.path} has {error}.") from None

    @property
    def imports(self) -> list[Import]:
        """The imports that are kept, with only the names in use."""
        lines = [
            self.import_line(statement, names)
            for statement, names in self.kept.items()
            if isinstance(statement, Import)
        ]
        return [statement for statement in syntax.parse("\n".join(lines)).body if isinstance(statement, Import)]

    @property
    def code(self) -> str:
        """The lines of all else that is kept: constants close together, the rest two lines apart."""
        text, constant = "", False
        for statement in self.statements:
            if statement not in self.kept or isinstance(statement, Import):
                continue
            before, constant = constant, isinstance(statement, ast.Assign)
            text += ("\n" if before and constant else "\n\n\n") + self.verbatim(statement)
        return text.strip("\n")


@functools.cache  # the same few modules for every script
def without_hooks(text: str) -> str:
    """A module's text without what hangs on a hook: a variable that is None until a runner sets it."""
    tree = syntax.parse(text)
    constants = [statement for statement in tree.body if isinstance(statement, ast.Assign)]
    hooks = [ast.unparse(statement.targets[0]) for statement in constants if ast.unparse(statement.value) == "None"]
    tests = {f"{hook} is not None" for hook in hooks}
    unused: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) in tests:
            unused |= {*range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return "\n".join(line for number, line in enumerate(text.splitlines(), 1) if number not in unused)


def _wanted(example: Module, workload: str) -> tuple[list[str], list[str], str]:
    """What an example takes from the project: functions of `data`, those of its workload, its name for `params`.

    Raises UserError for anything else, which cannot be written into a script.
    """
    names: dict[str, list[str]] = {f"{SHARED.name}.data": [], f"{workloads.WORKLOADS.name}.{workload}": []}
    params, head = PARAMS, _head(example)
    for node in (node for statement in example.statements for node in ast.walk(statement)):
        if not isinstance(node, Import) or not _ours(node):
            continue
        module = node.module if isinstance(node, ast.ImportFrom) else None
        renamed = [alias.name for alias in node.names if alias.asname and alias.name != PARAMS]
        if node not in head or module not in names or renamed:
            allowed = " and ".join(names)
            raise UserError(
                f"{example.path}, line {node.lineno}, cannot run alone: `{ast.unparse(node)}`. Only names from "
                f"{allowed}, imported at the head of the file, can come along."
            )
        names[module] += [alias.name for alias in node.names if alias.name != PARAMS]
        params = next((alias.asname for alias in node.names if alias.name == PARAMS and alias.asname), params)
    common, own = names.values()
    return common, own, params


def _ours(statement: Import) -> bool:
    names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [statement.module or ""]
    return any(name.partition(".")[0] in PACKAGES for name in names)


def _helpers(workload: str, names: list[str], own_names: list[str]) -> list[_Shared]:
    """What these functions need of standalone_data.py (nothing if they read no data), data.py and the workload's."""
    alone, data = _Shared(SHARED / "standalone_data.py"), _Shared(SHARED / "data.py")
    own = _Shared(workloads.WORKLOADS / workload / "data.py")
    own.keep(own_names, ())
    taken = {name for module, name, _ in _aliases(own.imports) if module == f"{SHARED.name}.data"}
    data.keep([*names, *sorted(taken.difference(STAND_INS))], STAND_INS)
    if taken.intersection(STAND_INS):
        alone.keep(STAND_INS, {SOURCE})
    return [alone, data, own]


def _hyper_parameters(workload: str, params: str) -> str:
    """The workload's hyperparameters, under the example's own name."""
    module = _Shared(workloads.WORKLOADS / workload / "hyperparameters.py")
    (statement,) = (statement for statement in module.statements if bound(statement) == {PARAMS})
    return module.verbatim(statement).replace(f"{PARAMS} = ", f"{params} = ", 1)


def _data(workload: str, params: str, helpers: list[_Shared]) -> str:
    """Where the data lies, and how it is read; the hyperparameters go by the example's own name."""
    codes = [re.sub(rf"\b{PARAMS}\b", params, helper.code) for helper in helpers if helper.kept]
    if helpers[0].kept:
        source = workloads.get(workload).source
        facts = {name: getattr(source, name) for name in ("name", "url", "sha256", "layout")}
        fields = "".join(f"    {name}={json.dumps(value)},\n" for name, value in facts.items())
        codes = [f"{SOURCE} = SimpleNamespace(\n{fields})", *codes]
    return "\n\n\n".join(code for code in codes if code)


def _refuse_clashes(example: Module, helpers: list[_Shared], others: set[str]) -> None:
    """Raise UserError where example and helpers define the same name; an import of the same thing is no clash."""
    foreign = [statement for statement in _head(example) if not _ours(statement)]
    shared = _aliases(foreign) & _aliases(statement for helper in helpers for statement in helper.imports)
    rest = [statement for statement in example.statements if not isinstance(statement, Import)]
    own = set().union(*map(bound, [*foreign, *rest])) - {alias or name for _, name, alias in shared}
    theirs = others.union(*(bound(statement) for helper in helpers for statement in helper.kept))
    if clash := sorted(own & theirs):
        raise UserError(f"{example.path} cannot run alone: in such a script {clash[0]!r} is the name of a helper.")


def _head(example: Module) -> list[Import]:
    """The imports with which a file begins, after its docstring."""
    imports: list[Import] = []
    for statement in example.statements:
        if isinstance(statement, Import):
            imports.append(statement)
        elif imports or not isinstance(statement, ast.Expr):
            break
    return imports


def _body(example: Module) -> str:
    """The example's own lines, from the end of its head on."""
    return "\n".join(
        example.lines[max((statement.end_lineno or 0 for statement in _head(example)), default=0) :]
    ).strip("\n")


def _aliases(statements: Iterable[Import]) -> set[Imported]:
    """Each name that these statements import, one by one."""
    aliases: set[Imported] = set()
    for statement in statements:
        module = statement.module if isinstance(statement, ast.ImportFrom) else None
        aliases |= {(module, alias.name, alias.asname) for alias in statement.names}
    return aliases


def _imports(example: Module, helpers: list[_Shared]) -> str:
    """All imports in the usual order: the example's own lines, and what only the helpers need."""
    own = [statement for statement in _head(example) if not _ours(statement)]
    lines = [(_order(statement), example.verbatim(statement)) for statement in own]
    added = _aliases(statement for helper in helpers for statement in helper.imports if not _ours(statement))
    for module, name, as_name in (added | {("types", "SimpleNamespace", None)}) - _aliases(own):
        alias = [ast.alias(name, as_name)]
        statement: Import = ast.ImportFrom(module, alias, 0) if module else ast.Import(alias)
        lines.append((_order(statement), ast.unparse(statement)))
    groups = [[line for order, line in sorted(lines) if order[0] == wanted] for wanted in (False, True)]
    return "\n\n".join("\n".join(group) for group in groups if group)


def _order(statement: Import) -> tuple[bool, bool, str]:
    """The standard library first; in each group `import x` before `from x import`; by name."""
    module = statement.module or "" if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    third_party = module.partition(".")[0] not in sys.stdlib_module_names
    return third_party, isinstance(statement, ast.ImportFrom), module.lower()


def _docstring(example: Module, implementations: list[Implementation], workload: str) -> str:
    """What the script is, how to come by what it needs, where its data and the script itself come from."""
    source, description = (
        workloads.get(workload).source,
        ast.get_docstring(ast.Module(example.statements, [])) or example.path,
    )
    data = (
        f"It trains on {source.name}, from the folder that the environment variable ROSETTA_DATA names, or from `data` "
        "in the working directory. What is not there is fetched from its publisher, and its SHA-256 checked."
    )
    origin = f"From {PROJECT}, where it is {example.path}."
    recipes = [
        f"{implementation.name}, Python {implementation.environment.python}:\n\n"
        + textwrap.indent(instructions.commands(implementation, implementations, workload), "    ")
        for implementation in implementations
    ]
    return "\n\n".join([description, textwrap.fill(data, WIDTH), *recipes, textwrap.fill(origin, WIDTH)]).replace(
        '"""', "'''"
    )
