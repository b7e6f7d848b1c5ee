"""The registry's ops under their names, for the Python layers above the extension.

nn, optim and data take compiled ops from here and never import ``pytensor._C`` itself. `internal`
maps the names of ops that are not public to functions.
"""

from __future__ import annotations

from pytensor._C import *
from pytensor._C import internal as internal
