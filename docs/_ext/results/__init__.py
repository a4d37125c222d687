"""The pages of results: rankings, tables, plots, certificates, limits and faults."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.results import certificates, compiled, faults, limits_tables, loaders, ranked, results, tuned
from _ext.results import summary_table as summary
from _ext.results import table_picker as picker


def setup(app: Sphinx) -> None:
    for module in (ranked, picker, results, summary, certificates, limits_tables, loaders, compiled, tuned, faults):
        module.setup(app)
