"""Make the points: python make_sample.py DEST. A point is of the class of which it has more features."""

import sys
from pathlib import Path

import numpy as np

random, sizes = np.random.RandomState(0), {"train": 1280, "test": 320}
arrays = {}
for name, size in sizes.items():
    points = (random.rand(size, 300) < 0.1).astype(np.uint8)
    arrays[f"x_{name}"] = points
    arrays[f"y_{name}"] = (points[:, ::2].sum(axis=1) > points[:, 1::2].sum(axis=1)).astype(np.int64)
Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
np.savez_compressed(Path(sys.argv[1]) / "points.npz", **arrays)
