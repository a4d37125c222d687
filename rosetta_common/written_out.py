"""Makes one call in a defaults.py the way a line of explicit.toml writes it.

`nn.Conv2d(..., padding=1)` adds arguments to a call; `...` stands for those that the function passes itself.
`layer = nn.Conv2d(...); nn.init.zeros_(layer.bias)` changes what a call returns: the statements run after it. Names are
those of the defaults.py.
"""

import ast
import contextlib
from unittest import mock


class NotWritten(Exception):
    """A line that fits no call."""


@contextlib.contextmanager
def written_out(module, line):
    """A block in which each call of the functions of `module` is made as `line` writes it; no line changes nothing.

    Raises NotWritten at the end of a block that makes no such call.
    """
    if line is None:
        yield
        return
    tree = ast.parse(line)
    call = tree.body[0].value
    name = tree.body[0].targets[0].id if isinstance(tree.body[0], ast.Assign) else "_"
    tree.body = tree.body[1:]
    statements, calls = compile(tree, line, "exec"), []
    owner, original = module, _value(module, call.func)
    if isinstance(call.func, ast.Attribute):
        owner, attribute = _value(module, call.func.value), call.func.attr
    else:
        attribute = call.func.id

    def replacement(*args, **kwargs):
        calls.append(line)
        kwargs.update((keyword.arg, _value(module, keyword.value)) for keyword in call.keywords)
        with mock.patch.object(owner, attribute, original):  # which a class may name itself, as in super(Adam, self)
            names = dict(vars(module), **{name: original(*args, **kwargs)})
        exec(statements, names)
        return names[name]

    with mock.patch.object(owner, attribute, replacement):
        yield
    if not calls:
        raise NotWritten("the function makes no such call")


def _value(module, expression):
    """The value of an expression of names of the module."""
    return eval(compile(ast.Expression(expression), "explicit.toml", "eval"), vars(module))
