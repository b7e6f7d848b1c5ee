"""Refuses to run on top of PyMC's compiler, whose import name is ``pytensor`` as well.

PyPI's distribution ``pytensor`` installs into the same folder and overwrites files there without
a word. The check runs at every import, so it only asks for three of that package's files.
"""

from __future__ import annotations

import os

_FOREIGN_FILES = ("configdefaults.py", "graph/fg.py", "link/basic.py")

_MESSAGE = """\
PyMC's package 'pytensor' is installed in the same folder as this one ({folder}; found {found}).
Both are imported as 'pytensor' and each overwrites files of the other, so neither can work there.
Keep them in separate virtual environments, or remove both and install the one you want:
    pip uninstall pytensor pytensor-dl
    pip install pytensor-dl"""


def check(folder: str = os.path.dirname(__file__)) -> None:
    """Raise ImportError if PyMC's files lie in ``folder``.

    Args:
        folder: the package folder to look at; this package's own by default.

    Raises:
        ImportError: a file of PyMC's package is there; the message says what to do.
    """
    for name in _FOREIGN_FILES:
        if os.path.exists(f"{folder}/{name}"):
            raise ImportError(_MESSAGE.format(folder=folder, found=name), name="pytensor")
