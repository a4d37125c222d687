"""Hold the oracle against PyTorch in float64: scores, losses, gradients, and five steps of each optimizer.

Runs in PyTorch's environment, on the embedded sample. The figure of each line is the largest difference
anywhere in the tensor over the largest magnitude in PyTorch's tensor (maximum norm); of the steps it is
that of how far the weights moved, which is far less than the weights. Exit 1 if one exceeds the limit.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # so that it runs from anywhere

from rosetta_common import weights
from rosetta_host.catalog import workloads
from rosetta_host.certificate import oracle

LIMIT, STEPS, BATCH = 1e-12, 5, 64


class Report:
    """Prints one line a quantity, and remembers whether all kept to the limit."""

    def __init__(self, limit):
        self.limit, self.ok = limit, True

    def compare(self, what, ours, theirs):
        theirs = np.asarray(theirs)
        figure = np.abs(ours - theirs).max() / np.abs(theirs).max()
        ok = bool(figure <= self.limit)  # not a number is not ok
        self.ok &= ok
        print(f"{what:30} {figure:.1e} {'ok' if ok else 'FAILED'}", flush=True)


def in_pytorch(workload):
    """The module of the tests that has the workload in PyTorch."""
    path = Path(__file__).resolve().parents[2] / "workloads" / workload / "in_pytorch.py"
    spec = importlib.util.spec_from_file_location(f"{workload}_in_pytorch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(workload, report):
    """Both start at the canonical weights and then go their own way: nothing is synchronized in between."""
    theirs = in_pytorch(workload)
    network, parameters = theirs.build()
    x, y = theirs.samples(STEPS * BATCH)
    start = {name: array.astype(np.float64) for name, array in weights.canonical(workload).items()}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(start[name]))
    own, ours, optimizer = start, oracle.optimizer(workload), theirs.optimizer(network.parameters())
    for step in range(STEPS):
        part = slice(step * BATCH, (step + 1) * BATCH)
        optimizer.zero_grad()
        scores = network(torch.from_numpy(x[part]))
        loss = nn.functional.cross_entropy(scores, torch.from_numpy(y[part]))
        loss.backward()
        own_loss, gradients = oracle.gradients(workload, own, x[part], y[part])
        if step == 0:
            report.compare(f"{workload} scores", oracle.scores(workload, own, x[part]), scores.detach())
            for name, parameter in parameters.items():
                report.compare(f"{workload} gradient of {name}", gradients[name], parameter.grad)
        report.compare(f"{workload} loss of step {step + 1}", own_loss, loss.detach())
        optimizer.step()
        movement = ours.movement(gradients)
        own = {name: weight + movement[name] for name, weight in own.items()}
    for name, parameter in parameters.items():
        moved = parameter.detach().numpy() - start[name]
        report.compare(f"{workload} movement of {name}", own[name] - start[name], moved)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=LIMIT, help="largest figure that passes (default: %(default)s)")
    report = Report(parser.parse_args().limit)
    os.environ.pop("ROSETTA_DATA", None)
    for workload in workloads.names():
        compare(workload, report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
