"""Pictures of the built site: every kind of page, light and dark, wide and narrow, and with two side by side.

`nox -s screenshots -- FOLDER` after `nox -s docs`. The picture in the README is one of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlencode

from tools.built_site import Page, chromium, one_of_each, read_pages, served

SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 375, "height": 812}}


def views(page: Page) -> dict[str, str]:
    """What to add to a page's address, by what to call the picture."""
    pair = urlencode(dict(zip(("from", "to"), page.frameworks, strict=False)))
    return {"": "", "-pair": f"?{pair}"} if page.sets else {"": ""}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--whole", action="store_true", help="all of a page, and not its top alone")
    given = parser.parse_args()
    with served() as root, chromium() as browser:
        for page in one_of_each(read_pages()):
            for theme in ("light", "dark"):
                for size, viewport in SIZES.items():
                    context = browser.new_context(viewport=viewport)
                    context.add_init_script(f"if (location.protocol === 'http:') localStorage.theme = '{theme}'")
                    tab = context.new_page()
                    for view, query in views(page).items():
                        tab.goto(root + page.address + query)
                        name = page.address.removesuffix(".html").replace("/", "-")
                        path = given.folder / f"{name}{view}-{theme}-{size}.png"
                        tab.screenshot(path=path, full_page=given.whole)
                        print(path)
                    context.close()


if __name__ == "__main__":
    main()
