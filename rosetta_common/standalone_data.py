"""Where a script that runs alone finds its data: in a folder, or in its publisher's archive.

`rosetta_host.publishing.standalone` copies this into each script that the site offers, where it stands in for
`data.located` and `data.DataError`; it runs on Python 3.6 and later. Nothing in this project calls it.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import sys
import tarfile
import tempfile
import urllib.request

# The published archive: `name`, `url`, `sha256`, and the `layout` that is looked for. Each script has that of its data.
source = None


class DataError(SystemExit):
    """The data cannot be fetched or read. It ends the script with one sentence instead of a traceback."""


def located(layout):
    """The path of the data: in the folder ROSETTA_DATA, else in `data` here. Fetched if missing. Raises DataError."""
    folder = os.environ.get("ROSETTA_DATA") or "data"
    path = os.path.join(folder, layout)
    if not os.path.exists(path):
        fetch(folder)
    return path


def fetch(folder):
    """Fetch the published archive into `folder`, all or nothing. Raises DataError.

    Its SHA-256 is checked before anything is unpacked or read.
    """
    print(f"fetching {source.url} into {os.path.abspath(folder)}", file=sys.stderr)
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
            os.replace(checked(temporary), os.path.join(folder, source.layout))
    except (OSError, http.client.HTTPException) as error:
        hint = f"check the network and the disk, or let ROSETTA_DATA name a folder that holds {source.layout}"
        raise DataError(f"{source.name} could not be fetched from {source.url} ({error}): {hint}.") from None
    finally:
        with contextlib.suppress(OSError):  # a folder that is not empty stays
            os.rmdir(folder)


def checked(temporary):
    """Fetch the archive, check and unpack it in the folder `temporary`; returns the path of what was looked for."""
    archive = os.path.join(temporary, os.path.basename(source.url))
    digest = download(archive)
    if digest != source.sha256:
        raise DataError(f"What {source.url} sent is not the official {source.name} (SHA-256 {digest}): try again.")
    if archive.endswith(".tar.gz"):
        unpack(archive, temporary)
    return os.path.join(temporary, source.layout)


def download(path):
    """Write what the publisher sends to `path`; returns its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(source.url, timeout=60) as reply, open(path, "wb") as file:
        for chunk in iter(lambda: reply.read(2**20), b""):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def unpack(archive, folder):
    """Extract the files that lie right in the archive's folder `layout`, and nothing else, into `folder`."""
    os.mkdir(os.path.join(folder, source.layout))
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and os.path.dirname(member.name) == source.layout:
                target = os.path.join(folder, source.layout, os.path.basename(member.name))
                with tar.extractfile(member) as inside, open(target, "wb") as file:
                    shutil.copyfileobj(inside, file)
