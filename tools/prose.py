"""Hold the pages against the project's rules of style: python -m tools.prose [FILE …]

All rules hold for Markdown, outside code, links and markup; of a Python file, the comments and docstrings are held
against those of spelling. Without FILE, every such file of the checkout is read. Exit code 1 where there is a finding.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Rule(NamedTuple):
    """A regular expression in which a space is any white space, what to write instead, and why."""

    pattern: str
    instead: str
    reason: str


class Finding(NamedTuple):
    """A place that breaks a rule: a line counted from 1, and the words that stand there."""

    line: int
    text: str
    rule: Rule


AMERICAN = "American spelling, as in every framework's own documentation"
TERM = "the term that a reader of the frameworks' documentation knows"
PRIVATE = "a word of this project's own, which a reader cannot look up"
DOCUMENT = "a number or a statement is somewhere; it does not stand there, and nobody is told it"
IDIOM = "not how a native speaker puts it in technical prose"

_ISE = "author|categor|character|custom|final|general|initial|linear|maxim|minim|modern|normal|optim|organ|parallel"
_ISE += "|quant|random|real|recogn|regular|serial|special|standard|summar|synchron|token|util|vector|visual"

SPELLING = [
    Rule(rf"\b(?:re|un|de)?(?:{_ISE})is(?:e[drs]?|ers|ing|ations?)\b", "-ize, -ization, -izer", AMERICAN),
    Rule(r"\banalys(?:e[drs]?|ing)\b", "analyze", AMERICAN),
    Rule(r"\b(?:behaviou|colou|favou|flavou|honou|labou|neighbou)r\w*", "-or: behavior, color, neighbor", AMERICAN),
    Rule(r"\b(?:cancel|label|model|travel|channel|signal)l(?:ed|ing|ers?)\b", "one l: labeled, modeling", AMERICAN),
    Rule(r"\b(?:centre|fibre|metre)[ds]?\b", "-er: center", AMERICAN),
    Rule(r"\b(?:licence|defence|offence)[ds]?\b", "-se: license", AMERICAN),
    Rule(r"\bjudgements?\b", "judgment", AMERICAN),
    Rule(r"\bartefacts?\b", "artifact", AMERICAN),
    Rule(r"\bgrey\b", "gray", AMERICAN),
    Rule(r"\bdrop-outs?\b", "dropout", TERM),
    Rule(r"\bsoft-max\b", "softmax", TERM),
    Rule(r"\bmax-pool(?:s|ed|ing)?\b", "max pooling", TERM),
    Rule(r"\bback ends?\b", "backend", TERM),
]

STYLE = [
    Rule(
        r"(?<!thing )(?<!body )(?<!one )(?<!where )(?<!what )(?<!whatever )(?<!who )(?<!all )\b(?<!or )else\b",
        "otherwise",
        IDIOM,
    ),
    Rule(r"(?:(?<=[.;:] )|(?<=\n\n))(?-i:Who)\b(?![^.]*\?)", "anyone who, or you", IDIOM),
    Rule(
        r"\b(?:as|by|do|does|for|from|if|of|than|that|to|when|where|with) who\b", "anyone who, or a reader who", IDIOM
    ),
    Rule(
        r", for (?:(?:here|it|nobody|none|nothing|otherwise|then|there|they|we|you)\b"
        r"|(?!example|instance)(?:(?!that\b|which\b|where\b|who\b|whose\b)[\w'’-]+ ){1,4}"
        r"(?:are|can|cannot|do|does|has|have|is|may|must|needs?|was|were|will|would)\b)",
        "because",
        IDIOM,
    ),
    Rule(r"\bunasked\b", "by itself, automatically", IDIOM),
    Rule(r"\bof today\b", "current, today's", IDIOM),
    Rule(r"\bfor(?:etells?|etelling|etold)\b", "predict, estimate", IDIOM),
    Rule(r"\bto be had\b", "available", IDIOM),
    Rule(r"\btold\b", "shown, given, stated", DOCUMENT),
    Rule(r"\b(?:stands?|stood)\b(?! (?:for|out)\b)", "is, appears", DOCUMENT),
    Rule(r"\bby turns\b", "interleaved, paired timing", PRIVATE),
    Rule(r"\blanes?\b", "preset, or the float64 pass", PRIVATE),
    Rule(r"\b(?:teeth|bites?)\b", "mutation testing; catches", PRIVATE),
    Rule(r"\bverbs?\b", "function", PRIVATE),
    Rule(r"\bPythons? as found\b", "an interpreter of your own, external interpreter", PRIVATE),
    Rule(r"\blaws?\b", "distribution", PRIVATE),
    Rule(r"\bmovements?\b", "update", PRIVATE),
    Rule(r"\b(?:doors?|rooms?|houses?)\b(?! for\b)", "command, component", PRIVATE),
    Rule(r"\bparity\b", "certificate", PRIVATE),
]

# What is not prose in a Markdown page, first to last. It makes room for as many spaces, so that lines keep their count.
NO_PROSE = [
    re.compile(r"\A---\n.*?\n---\n", re.DOTALL),  # front matter
    re.compile(r"^(`{3,}|~{3,}).*?^\1", re.DOTALL | re.MULTILINE),  # code, and directives fenced as code
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL),  # code in a line, and a role's text
    re.compile(r"(?<=\])\([^)\s]*\)|^\[[^\]]+\]: .*$|<https?:[^>]*>", re.MULTILINE),  # where a link leads
    re.compile(r"^ *:{3,}.*$|^ *:[\w-]+:.*$|^\([\w-]+\)=$", re.MULTILINE),  # markup of MyST
]


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def markdown(text: str) -> str:
    """The prose of a page, each word in its place."""
    for pattern in NO_PROSE:
        text = pattern.sub(_blank, text)
    return text


def python(text: str) -> str:
    """The comments and docstrings of a module, each in its lines; what they mark as code is left out."""
    lines = [""] * (text.count("\n") + 2)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0]] += token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            docstring = node.body[0]
            for number, line in enumerate(
                text.split("\n")[docstring.lineno - 1 : docstring.end_lineno], docstring.lineno
            ):
                lines[number] += line
    return markdown("\n".join(lines[1:]))


def findings(prose: str, rules: list[Rule]) -> list[Finding]:
    """Where a text breaks these rules, from top to bottom."""
    violations = []
    for rule in rules:
        # A space of a rule is one white space where its width must be known, and any white space elsewhere.
        pattern = re.sub(r"\(\?<[=!][^)]*\)| ", _any_space, rule.pattern)
        for match in re.finditer(pattern, prose, re.IGNORECASE):
            text = " ".join(match.group().split())
            violations.append(Finding(prose.count("\n", 0, match.start()) + 1, text, rule))
    return sorted(violations, key=lambda finding: finding.line)


def _any_space(match: re.Match[str]) -> str:
    part = match.group()
    return r"\s+" if part == " " else part.replace(" ", r"\s")


def check(path: Path) -> list[Finding]:
    """The findings in a file: all rules for a page, those of spelling for Python."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        return findings(markdown(text), SPELLING + STYLE)
    return findings(python(text), SPELLING)


def files() -> Iterator[Path]:
    """Every page and every Python file of the checkout; nothing that git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md", "*.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    yield from (ROOT / name for name in sorted(set(filter(None, done.stdout.split("\0")))) if (ROOT / name).is_file())


def main(arguments: list[str]) -> int:
    count = 0
    for path in map(Path, arguments) if arguments else files():
        shown = path.relative_to(ROOT) if path.is_absolute() and path.is_relative_to(ROOT) else path
        for line, text, rule in check(path):
            count += 1
            print(f"{shown}:{line}: {text!r}; write: {rule.instead} ({rule.reason})")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
