"""Which lines of an example ran, for the site says of each function that it shows whether it was executed."""

import sys
import threading


class Executed:
    """A context that notes the numbers of the lines of one file that run in it, in every thread that starts in it.

    Python calls `_enter` for each function that is called anywhere, and `_line` for each line of those for which
    `_enter` gave it; the framework's own code runs as ever.
    """

    def __init__(self, path):
        self.path, self.lines = path, set()

    def __enter__(self):
        self.before = sys.gettrace()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)
        threading.settrace(self.before)

    def _enter(self, frame, event, argument):
        return self._line if frame.f_code.co_filename == self.path else None

    def _line(self, frame, event, argument):
        if event == "line":
            self.lines.add(frame.f_lineno)
        return self._line
