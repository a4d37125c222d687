"""The workloads: one package each, which holds everything about it.

`workloads/<name>/` has a network, its hyperparameters, its data set with an embedded sample, its reference in float64
and its checks in a certificate. An example of the workload is `examples/<framework>/<name>.py`. The package itself,
`hyperparameters`, `data` and `weights` run inside the frameworks' environments: Python 3.6 to 3.13, with NumPy alone.
The other modules run on the host.
"""
