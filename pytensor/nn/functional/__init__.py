"""Functions of layers: ``import pytensor.nn.functional as F``.

Gathers the families of this folder.
"""

from __future__ import annotations

from pytensor.nn.functional.activation import *
from pytensor.nn.functional.adaptive_pooling import *
from pytensor.nn.functional.attention import *
from pytensor.nn.functional.conv import *
from pytensor.nn.functional.distance import *
from pytensor.nn.functional.dropout import *
from pytensor.nn.functional.embedding import *
from pytensor.nn.functional.image import *
from pytensor.nn.functional.interpolate import *
from pytensor.nn.functional.linear import *
from pytensor.nn.functional.linear_cross_entropy import *
from pytensor.nn.functional.loss import *
from pytensor.nn.functional.normalization import *
from pytensor.nn.functional.padding import *
from pytensor.nn.functional.pooling import *
