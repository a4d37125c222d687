"""Refuses a machine without a compiler, where PyTensor would compute in Python, and say nothing."""

import shutil
import sys

if not shutil.which("g++"):
    sys.exit("PyTensor compiles what it computes and needs a C++ compiler: install g++ (apt-get install g++).")
