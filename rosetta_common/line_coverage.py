"""Records which lines of an example ran: the site states for each function whether it was executed."""

import inspect
import os
import sys
import threading

# The folders of Python and of installed packages, including those of PYTHONPATH: none holds a translation of an
# example. The first entry of sys.path is the folder in which Python was started, and holds nothing installed.
INSTALLED = tuple({os.path.realpath(folder) + os.sep for folder in [sys.prefix, sys.base_prefix, *sys.path[1:]]})
SHARED = os.path.dirname(os.path.realpath(__file__)) + os.sep


class LineRecorder:
    """A context that notes which lines of one file run in it, in every thread that starts in it.

    lines: their numbers. Of a function that a framework translates they never run. Then there is either of these:
    elsewhere: the names of functions that ran from files that are neither this one nor installed, as "tf__train_step"
    for `train_step`; sources: the numbers of the lines where functions begin whose source was read.
    """

    def __init__(self, path):
        self.path, self.lines, self.elsewhere, self.sources, self._generated = path, set(), set(), set(), {}

    def __enter__(self):
        self.before = sys.gettrace()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)
        threading.settrace(self.before)

    def _enter(self, frame, event, argument):
        """Called by Python for each function call; returns the function that Python calls for each line of it."""
        code = frame.f_code
        if code.co_filename == self.path:
            return self._line
        if code is inspect.findsource.__code__:  # every function of `inspect` that returns a source calls it
            self._source(frame.f_locals["object"])
        generated = self._generated.get(code.co_filename)
        if generated is None:
            generated = self._generated[code.co_filename] = self._is_generated(code.co_filename)
        if generated:
            self.elsewhere.add(code.co_name)
        return None

    def _source(self, wanted):
        code = getattr(getattr(wanted, "__func__", wanted), "__code__", None)
        if code is not None and code.co_filename == self.path:
            self.sources.add(code.co_firstlineno)

    @staticmethod
    def _is_generated(name):
        """Whether this is a file that a framework wrote: not installed, and no pseudo-file such as "<frozen …>"."""
        real = os.path.realpath(name)
        return os.path.isfile(real) and not real.startswith((*INSTALLED, SHARED))

    def _line(self, frame, event, argument):
        if event == "line":
            self.lines.add(frame.f_lineno)
        return self._line
