"""The pages of results: tables, plots, certificates and limits."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.results import certificates, compiled, limits_tables, loaders, ranked, results, summary_table, table_picker


def setup(app: Sphinx) -> None:
    for module in (ranked, table_picker, results, summary_table, certificates, limits_tables, loaders, compiled):
        module.setup(app)
