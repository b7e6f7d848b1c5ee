"""Layers of neural networks: ``import pytensor.nn as nn``."""

from __future__ import annotations

from pytensor.nn import functional as functional
from pytensor.nn.modules import *
