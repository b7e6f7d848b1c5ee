"""The layers of ``pytensor.nn``, in files named as PyTorch's.

Gathers the families of this folder.
"""

from __future__ import annotations

from pytensor.nn.modules.activation import *
from pytensor.nn.modules.adaptive import *
from pytensor.nn.modules.attention import *
from pytensor.nn.modules.batchnorm import *
from pytensor.nn.modules.channelshuffle import *
from pytensor.nn.modules.container import *
from pytensor.nn.modules.conv import *
from pytensor.nn.modules.distance import *
from pytensor.nn.modules.dropout import *
from pytensor.nn.modules.flatten import *
from pytensor.nn.modules.fold import *
from pytensor.nn.modules.instancenorm import *
from pytensor.nn.modules.lazy import *
from pytensor.nn.modules.linear import *
from pytensor.nn.modules.linear_cross_entropy import *
from pytensor.nn.modules.loss import *
from pytensor.nn.modules.module import *
from pytensor.nn.modules.normalization import *
from pytensor.nn.modules.padding import *
from pytensor.nn.modules.pixelshuffle import *
from pytensor.nn.modules.pooling import *
from pytensor.nn.modules.rnn import *
from pytensor.nn.modules.rnn_cell import *
from pytensor.nn.modules.sparse import *
from pytensor.nn.modules.transformer import *
from pytensor.nn.modules.upsampling import *
