"""The pages of results: tables, plots, certificates and limits."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.results import certificates, compiled, limits_tables, loaders, results, summary_table, table_picker, tuned


def setup(app: Sphinx) -> None:
    for module in (table_picker, results, summary_table, certificates, limits_tables, loaders, compiled, tuned):
        module.setup(app)
