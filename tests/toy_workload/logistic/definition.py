"""The logistic regression as the project presents it."""

from rosetta_host.catalog.workloads import Source, Workload
from workloads.logistic.hyperparameters import params

workload = Workload(
    title="Logistic regression on points",
    network="the logistic regression",
    samples="points",
    source=Source(
        name="Points",
        file="points.npz",
        url="https://example.org/points.npz",
        sha256="0" * 64,
        layout="points.npz",
        citation="Made up.",
        license="It is in the public domain.",
        train=1280,
        test=320,
    ),
    flop=lambda: 3 * 2 * params.features * params.classes,
    mutants={},
    layers={"points": "a point"},
)
