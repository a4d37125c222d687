"""Brings Lasagne 0.1 to Theano 1.0, and Keras 2.3 to Python 3.10: edits the few lines of theirs that have aged.

Run with the environment's own Python after the install; running it again does no harm.
"""

import importlib.util
import os
import shutil
import sys

ABC = ("from collections import Iterable\n", "from collections.abc import Iterable\n")

EDITS = {
    # Theano 1.0 dropped `downsample`, and with it the names of its arguments.
    "lasagne/layers/pool.py": [
        ("from theano.tensor.signal import downsample\n", "from theano.tensor.signal.pool import pool_2d\n"),
        ("downsample.max_pool_2d(", "pool_2d("),
        (" ds=", " ws="),
        (" st=", " stride="),
        (" padding=", " pad="),
    ],
    # pad="same" convolved in full and then cropped; since Theano 0.8 "half" computes no more than is kept.
    "lasagne/layers/conv.py": [
        (
            "        if self.stride == (1, 1) and self.pad == 'same':\n",
            """\
        if self.stride == (1, 1) and self.pad == 'same' and all(width % 2 for width in self.filter_size):
            conved = self.convolution(input, self.W, image_shape=input_shape,
                                      filter_shape=self.get_W_shape(), border_mode='half')
        elif self.stride == (1, 1) and self.pad == 'same':
""",
        ),
    ],
    # Python 3.10 took the abstract classes out of `collections`.
    "keras/callbacks.py": [ABC],
    "keras/callbacks/callbacks.py": [ABC],
    "keras/engine/training_utils.py": [("import collections\n", "import collections.abc as collections\n")],
}


def edited(path, edits):
    """The file's text after the edits, each of which may have been made before."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for old, new in edits:
        if old not in text and new not in text:
            sys.exit(f"{path} is not the file that was locked: remove this environment and install it again.")
        text = text.replace(old, new)
    return text


def main():
    if not shutil.which("g++"):
        sys.exit("Theano compiles what it computes and needs a C++ compiler: install g++ (apt-get install g++).")
    package = importlib.util.find_spec("lasagne")
    if package is None:
        sys.exit("Lasagne is not installed for this Python: install requirements.txt first.")
    packages = os.path.dirname(os.path.dirname(package.origin))
    for name, edits in EDITS.items():
        path = os.path.join(packages, name)
        text = edited(path, edits)
        # A new file in the old one's place, for that may be a hard link into the installer's cache.
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
