"""The pages of lessons: the mistake as a diff, what the certificate reports, and what it costs."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.lessons import forms, lessons, mutant_diff, retired_setup


def setup(app: Sphinx) -> None:
    for module in (lessons, mutant_diff, forms, retired_setup):
        module.setup(app)
