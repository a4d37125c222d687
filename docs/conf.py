"""The site. It reads the examples' sources and the records; it runs no framework and needs no network."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # for _ext and rosetta_common

project = "Rosetta Stone of deep-learning frameworks"
html_title = "Rosetta Stone"
language = "en"
extensions = ["myst_nb", "sphinx_tabs.tabs", "sphinx_copybutton", "_ext"]
exclude_patterns = ["_build", "_local", "_ext", "_templates", "records", "notebooks"]
nitpicky = True

nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

sphinx_tabs_disable_css_loading = True
copybutton_exclude = ".linenos, .gp"

# The address that the site is published at, such as https://example.org/rosetta/. Without one no link is absolute.
html_baseurl = os.environ.get("ROSETTA_SITE_URL", "")
if html_baseurl:
    html_baseurl = html_baseurl.rstrip("/") + "/"

rosetta_operations = "operations"  # the folder in which the build writes a page for each question about the defaults

html_theme = "furo"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
templates_path = ["_templates"]
html_use_index = False  # no page makes an entry for it
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-dark"
# System fonts only, and colors with a contrast of at least 4.5 on both backgrounds.
html_theme_options = {
    "light_css_variables": {
        "color-code-background": "#f6f7f9",
        "color-brand-primary": "#14507a",
        "color-brand-content": "#14507a",
        "color-brand-visited": "#5b3a86",
        "color-foreground-muted": "#4d5358",
        "color-foreground-secondary": "#4d5358",
        "rosetta-bar": "#14507a",
        "rosetta-bar-empty": "transparent",
        "rosetta-good": "#1a6b34",
        "rosetta-open": "#8a4200",
    },
    "dark_css_variables": {
        "color-code-background": "#1b1e22",
        "color-brand-primary": "#8cc4ee",
        "color-brand-content": "#8cc4ee",
        "color-brand-visited": "#c9a9ef",
        "color-foreground-muted": "#b3bac1",
        "color-foreground-secondary": "#b3bac1",
        "rosetta-bar": "#8cc4ee",
        "rosetta-bar-empty": "transparent",
        "rosetta-good": "#7fd39a",
        "rosetta-open": "#f0b27a",
    },
}
