"""Which lines of an example ran, for the site says of each function that it shows whether it was executed."""

import os
import sys
import threading

# Python's own files and those of what is installed, which are nobody's translation of an example.
INSTALLED = tuple({os.path.realpath(prefix) + os.sep for prefix in (sys.prefix, sys.base_prefix)})
SHARED = os.path.dirname(os.path.realpath(__file__)) + os.sep


class Executed:
    """A context that notes which lines of one file run in it, in every thread that starts in it.

    lines: their numbers. elsewhere: the names of functions that ran from files that are neither this one nor
    installed. A framework that translates a function writes such a file, as "tf__train_step" for `train_step`, and the
    lines of the original never run.
    """

    def __init__(self, path):
        self.path, self.lines, self.elsewhere, self._generated = path, set(), set(), {}

    def __enter__(self):
        self.before = sys.gettrace()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)
        threading.settrace(self.before)

    def _enter(self, frame, event, argument):
        """Called by Python for each function that is called anywhere: what it returns is called for each line there."""
        code = frame.f_code
        if code.co_filename == self.path:
            return self._line
        generated = self._generated.get(code.co_filename)
        if generated is None:
            generated = self._generated[code.co_filename] = self._is_generated(code.co_filename)
        if generated:
            self.elsewhere.add(code.co_name)
        return None

    @staticmethod
    def _is_generated(name):
        """Whether this is a file ("<frozen …>" and the like are none) that was written by nobody who installed it."""
        real = os.path.realpath(name)
        return os.path.isfile(real) and not real.startswith((*INSTALLED, SHARED))

    def _line(self, frame, event, argument):
        if event == "line":
            self.lines.add(frame.f_lineno)
        return self._line
