"""The pages of results: tables, plots, certificates and limits."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.results import certificates, compiled, faults, limits_tables, loaders, results, summary_table, table_picker


def setup(app: Sphinx) -> None:
    for module in (table_picker, results, summary_table, certificates, limits_tables, loaders, compiled, faults):
        module.setup(app)
