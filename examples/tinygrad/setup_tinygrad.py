"""Puts the clang of Zig's wheel where tinygrad is told to look.

The wheel's program wants the argument `clang`, and tinygrad calls its compiler by a name alone.
"""

import os
import sys

import ziglang

compiler = os.path.join(os.path.dirname(sys.executable), "clang")
with open(compiler, "w") as script:
    script.write(f'#!/bin/sh\nexec "{os.path.dirname(ziglang.__file__)}/zig" clang "$@"\n')
os.chmod(compiler, 0o755)
