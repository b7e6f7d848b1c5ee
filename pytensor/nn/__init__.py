"""Layers of neural networks: ``import pytensor.nn as nn``."""

from __future__ import annotations

from pytensor.nn.parameter import (  # isort: skip
    Buffer,
    Parameter,
    UninitializedBuffer,
    UninitializedParameter,
)

from pytensor.nn import functional as functional
from pytensor.nn import grad as grad
from pytensor.nn import init as init
from pytensor.nn.modules import *

from pytensor.nn import utils as utils  # isort: skip
from pytensor.nn import parallel as parallel  # isort: skip
from pytensor.nn.parallel import DataParallel as DataParallel  # isort: skip
