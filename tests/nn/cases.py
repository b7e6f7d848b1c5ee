"""Every class of torch.nn with constructor arguments and inputs, for test_modules.py.

A case is a class, the text of its constructor's arguments, and texts of the inputs, in which
R(*shape) is standard normal and requires a gradient, N the same without a gradient, P positive
with a gradient, U in (0, 1), I(n, *shape) integers below n, S(*shape) signs, B(*shape) bools.
`torch` and `nn` are the library under test.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    name: str
    arguments: str
    inputs: str


def _cases(table: dict[str, list[tuple[str, str]]]) -> list[Case]:
    return [Case(name, *case) for name, cases in table.items() for case in cases]


_IMAGE = "R(2, 4, 6, 5)"
_LINE = "R(2, 4, 9)"
_VOLUME = "R(2, 4, 4, 5, 3)"
_BY_DIM = {"1d": _LINE, "2d": _IMAGE, "3d": _VOLUME}


def _each_dim(name: str, *arguments: str) -> dict[str, list[tuple[str, str]]]:
    return {name + d: [(a, x) for a in arguments] for d, x in _BY_DIM.items()}


CONVOLUTION = _cases(
    {
        **_each_dim(
            "Conv",
            "4, 6, 3",
            "4, 6, 3, stride=2, padding=1, bias=False",
            "4, 4, 2, dilation=2, groups=2, padding='same'",
            "4, 8, 3, groups=4, padding=1",
            "4, 2, 3, padding=1, padding_mode='circular'",
            "4, 2, 3, padding=1, padding_mode='reflect'",
        ),
        **_each_dim(
            "ConvTranspose",
            "4, 6, 3",
            "4, 6, 3, stride=2, padding=1, output_padding=1, bias=False",
            "4, 4, 2, dilation=2, groups=2",
        ),
        **_each_dim("LazyConv", "6, 3, padding=1"),
        **_each_dim("LazyConvTranspose", "6, 3, stride=2"),
        "Fold": [("(4, 5), 2", "R(2, 12, 12)"), ("(5, 5), 3, padding=1, stride=2", "R(18, 9)")],
        "Unfold": [("2, padding=1", _IMAGE), ("(2, 3), dilation=2, stride=2", "R(2, 3, 7, 8)")],
    }
)

POOLING = _cases(
    {
        **_each_dim("MaxPool", "2", "3, stride=2, padding=1", "2, 1, dilation=2, ceil_mode=True"),
        **_each_dim("AvgPool", "2", "3, 2, 1, ceil_mode=True, count_include_pad=False"),
        **_each_dim("AdaptiveAvgPool", "1", "3"),
        **_each_dim("AdaptiveMaxPool", "1", "2", "2, return_indices=True"),
        "LPPool1d": [("2, 3", _LINE), ("3, 2, stride=1, ceil_mode=True", "P(2, 4, 9)")],
        "LPPool2d": [("2, 2", _IMAGE), ("1.5, (3, 2), stride=(2, 1)", "P(2, 4, 6, 5)")],
        "LPPool3d": [("2, 2", _VOLUME)],
        "MaxUnpool1d": [("2, stride=2", "R(1, 2, 3), torch.tensor([[[0, 3, 4], [1, 2, 5]]])")],
        "MaxUnpool2d": [("2", "R(1, 1, 2, 2), torch.tensor([[[[0, 3], [9, 15]]]])")],
        "MaxUnpool3d": [("2", "R(1, 1, 1, 2, 1), torch.tensor([[[[[1], [4]]]]])")],
        "FractionalMaxPool2d": [("2, output_size=(3, 2)", _IMAGE), ("2, output_ratio=0.5", _IMAGE)],
        "FractionalMaxPool3d": [("2, output_size=2", "R(2, 4, 5, 4, 6)")],
    }
)

IMAGE = _cases(
    {
        **_each_dim("ZeroPad", "1"),
        **_each_dim("ConstantPad", "2, 0.5"),
        **_each_dim("ReflectionPad", "1"),
        **_each_dim("ReplicationPad", "2"),
        **_each_dim("CircularPad", "1"),
        "PixelShuffle": [("2", _IMAGE)],
        "PixelUnshuffle": [("2", "R(2, 3, 4, 6)")],
        "ChannelShuffle": [("2", _IMAGE)],
        "Upsample": [
            ("scale_factor=2", _IMAGE),
            ("size=(9, 4), mode='bilinear'", _IMAGE),
            ("scale_factor=1.5, mode='bicubic', align_corners=True", _IMAGE),
            ("scale_factor=2, mode='linear'", _LINE),
            ("scale_factor=(2, 1, 2), mode='trilinear'", _VOLUME),
        ],
        "UpsamplingBilinear2d": [("scale_factor=2", _IMAGE)],
        "UpsamplingNearest2d": [("size=7", _IMAGE)],
    }
)

NORMALIZATION = _cases(
    {
        **_each_dim(
            "BatchNorm",
            "4",
            "4, momentum=None, affine=False",
            "4, eps=1e-3, track_running_stats=False",
        ),
        **_each_dim("LazyBatchNorm", ""),
        **_each_dim("InstanceNorm", "4", "4, affine=True, track_running_stats=True"),
        **_each_dim("LazyInstanceNorm", "affine=True"),
        "GroupNorm": [("2, 4", _IMAGE), ("4, 4, affine=False, eps=1e-2", _LINE)],
        "LayerNorm": [
            ("5", _IMAGE),
            ("(6, 5), bias=False", _IMAGE),
            ("5, elementwise_affine=False", _IMAGE),
        ],
        "RMSNorm": [("5", _IMAGE), ("(6, 5), eps=1e-3, elementwise_affine=False", _IMAGE)],
        "LocalResponseNorm": [("3", _IMAGE), ("2, alpha=0.1, beta=0.5, k=2.0", _LINE)],
    }
)

_ROW = "R(3, 5)"
_HALF_OPEN = "R(2, 4, 5)"

_PLAIN = (
    *("Hardsigmoid", "Hardswish", "Identity", "LogSigmoid", "Mish", "ReLU", "ReLU6"),
    *("SELU", "Sigmoid", "SiLU", "Softsign", "Tanh", "Tanhshrink"),
)

ACTIVATION = _cases(
    {
        **{name: [("", _ROW)] for name in _PLAIN},
        "ELU": [("", _ROW), ("0.5", _ROW)],
        "CELU": [("2.0", _ROW)],
        "GELU": [("", _ROW), ("approximate='tanh'", _ROW)],
        "GLU": [("", "R(3, 6)"), ("dim=1", _HALF_OPEN)],
        "Hardshrink": [("0.3", _ROW)],
        "Hardtanh": [("-0.5, 2.0", _ROW)],
        "LeakyReLU": [("", _ROW), ("0.3", _ROW)],
        "PReLU": [("", _ROW), ("4, init=0.1", _IMAGE)],
        "RReLU": [("", _ROW), ("0.1, 0.3", "R(2, 20)")],
        "Softmax": [("dim=1", _HALF_OPEN)],
        "LogSoftmax": [("dim=-1", _HALF_OPEN)],
        "Softmin": [("dim=0", _HALF_OPEN)],
        "Softmax2d": [("", _IMAGE)],
        "Softplus": [("2.0, 3.0", _ROW)],
        "Softshrink": [("0.3", _ROW)],
        "Threshold": [("0.1, 20.0", _ROW)],
        "Dropout": [("", "R(4, 32)"), ("0.2", "R(4, 32)")],
        "Dropout1d": [("0.4", "R(3, 8, 5)")],
        "Dropout2d": [("0.4", "R(3, 8, 5, 2)")],
        "Dropout3d": [("0.4", "R(3, 8, 2, 2, 2)")],
        "AlphaDropout": [("0.3", "R(4, 32)")],
        "FeatureAlphaDropout": [("0.3", "R(4, 8, 3)")],
        "Linear": [("5, 3", _HALF_OPEN), ("5, 3, bias=False", _ROW)],
        "Bilinear": [("5, 4, 3", "R(2, 5), R(2, 4)")],
        "LazyLinear": [("3", _ROW)],
        "Flatten": [("", _IMAGE), ("0, 2", _IMAGE)],
        "Unflatten": [("1, (2, 2)", _IMAGE)],
        "CosineSimilarity": [("", "R(3, 5), R(3, 5)")],
        "PairwiseDistance": [("", "R(3, 5), R(3, 5)"), ("p=1, keepdim=True", "R(3, 5), R(3, 5)")],
        "AdaptiveLogSoftmaxWithLoss": [("8, 12, [4, 8]", "R(5, 8), I(12, 5)")],
        "Embedding": [
            ("7, 3", "I(7, 2, 4)"),
            ("7, 3, padding_idx=2, scale_grad_by_freq=True", "I(7, 2, 4)"),
            ("7, 3, max_norm=1.0", "I(7, 5)"),
        ],
        "EmbeddingBag": [
            ("7, 3", "I(7, 2, 4)"),
            ("7, 3, mode='sum'", "I(7, 6), torch.tensor([0, 2, 2])"),
            ("7, 3, mode='max', padding_idx=1", "I(7, 2, 4)"),
        ],
    }
)

_TRIPLE = "R(4, 5), R(4, 5), R(4, 5)"

LOSS = _cases(
    {
        "L1Loss": [("", "R(3, 4), N(3, 4)"), ("reduction='sum'", "R(3, 4), N(3, 4)")],
        "MSELoss": [("", "R(3, 4), N(3, 4)"), ("reduction='none'", "R(3, 4), N(3, 4)")],
        "SmoothL1Loss": [("", "R(3, 4), N(3, 4)"), ("beta=0.3", "R(3, 4), N(3, 4)")],
        "HuberLoss": [("delta=0.5", "R(3, 4), N(3, 4)")],
        "CrossEntropyLoss": [
            ("", "R(5, 4), I(4, 5)"),
            ("ignore_index=1, label_smoothing=0.1", "R(5, 4), I(4, 5)"),
            ("weight=torch.tensor([1.0, 2.0, 0.5, 3.0])", "R(2, 4, 3), I(4, 2, 3)"),
            ("reduction='none'", "R(2, 4, 3, 2), I(4, 2, 3, 2)"),
            ("label_smoothing=0.2", "R(5, 4), N(5, 4).softmax(1)"),
        ],
        "NLLLoss": [
            ("", "R(5, 4), I(4, 5)"),
            ("weight=torch.tensor([1.0, 2.0, 0.5, 3.0]), ignore_index=2", "R(5, 4), I(4, 5)"),
            ("reduction='sum'", "R(2, 4, 3), I(4, 2, 3)"),
        ],
        "NLLLoss2d": [("", "R(2, 4, 3, 2), I(4, 2, 3, 2)")],
        "BCELoss": [("", "U(3, 4), U(3, 4)"), ("reduction='none'", "U(3, 4), U(3, 4)")],
        "BCEWithLogitsLoss": [
            ("", "R(3, 4), U(3, 4)"),
            ("pos_weight=torch.tensor([1.0, 2.0, 0.5, 3.0])", "R(3, 4), U(3, 4)"),
        ],
        "KLDivLoss": [
            ("reduction='batchmean'", "R(3, 4), U(3, 4)"),
            ("log_target=True, reduction='sum'", "R(3, 4), N(3, 4)"),
        ],
        "PoissonNLLLoss": [("", "R(3, 4), U(3, 4)"), ("False, full=True", "P(3, 4), U(3, 4)")],
        "GaussianNLLLoss": [("full=True", "R(3, 4), N(3, 4), P(3, 4)")],
        "HingeEmbeddingLoss": [("margin=0.7", "R(3, 4), S(3, 4)")],
        "SoftMarginLoss": [("", "R(3, 4), S(3, 4)")],
        "MarginRankingLoss": [("margin=0.2", "R(5), R(5), S(5)")],
        "MultiMarginLoss": [("", "R(5, 4), I(4, 5)"), ("p=2, margin=0.5", "R(5, 4), I(4, 5)")],
        "MultiLabelMarginLoss": [("", "R(1, 4), torch.tensor([[3, 0, -1, 1]])")],
        "MultiLabelSoftMarginLoss": [("", "R(3, 4), B(3, 4).float()")],
        "CosineEmbeddingLoss": [("margin=0.1", "R(4, 5), R(4, 5), S(4)")],
        "TripletMarginLoss": [("", _TRIPLE), ("margin=0.5, p=1.5, swap=True", _TRIPLE)],
        "TripletMarginWithDistanceLoss": [
            ("", _TRIPLE),
            ("distance_function=lambda a, b: (a - b).abs().sum(1), swap=True", _TRIPLE),
        ],
        "CTCLoss": [
            ("", "R(9, 2, 5).log_softmax(2), I(4, 2, 3) + 1, (9, 8), (3, 2)"),
            (
                "blank=4, reduction='sum', zero_infinity=True",
                "R(9, 2, 5).log_softmax(2), I(4, 5), torch.tensor([9, 8]), torch.tensor([3, 2])",
            ),
        ],
        "LinearCrossEntropyLoss": [
            ("5, 4", "R(3, 5), I(4, 3)"),
            ("5, 4, bias=True, out_features=(2,), label_smoothing=0.1", "R(3, 5), I(4, 3, 2)"),
        ],
    }
)

_STEPS = "R(5, 2, 4)"

SEQUENCE = _cases(
    {
        "RNN": [
            ("4, 3", _STEPS),
            ("4, 3, 2, nonlinearity='relu', bidirectional=True, batch_first=True", "R(2, 5, 4)"),
            ("4, 3, bias=False", "R(5, 4)"),
        ],
        "GRU": [
            ("4, 3", _STEPS),
            ("4, 3, 2, dropout=0.5, bidirectional=True", "R(5, 2, 4), R(4, 2, 3)"),
        ],
        "LSTM": [
            ("4, 3", _STEPS),
            ("4, 3, 2, dropout=0.5, bidirectional=True, batch_first=True", "R(2, 5, 4)"),
            ("4, 6, proj_size=3", "R(5, 2, 4), (R(1, 2, 3), R(1, 2, 6))"),
        ],
        "RNNCell": [("4, 3", "R(2, 4)"), ("4, 3, nonlinearity='relu'", "R(2, 4), R(2, 3)")],
        "GRUCell": [("4, 3", "R(2, 4)"), ("4, 3, bias=False", "R(2, 4), R(2, 3)")],
        "LSTMCell": [("4, 3", "R(2, 4)"), ("4, 3", "R(2, 4), (R(2, 3), R(2, 3))")],
        "MultiheadAttention": [
            ("8, 2", "R(5, 2, 8), R(6, 2, 8), R(6, 2, 8)"),
            (
                "8, 2, dropout=0.2, bias=False, kdim=4, vdim=3, batch_first=True",
                "R(2, 5, 8), R(2, 6, 4), R(2, 6, 3)",
            ),
            ("8, 4, add_bias_kv=True, add_zero_attn=True", "R(5, 2, 8), R(6, 2, 8), R(6, 2, 8)"),
        ],
        "TransformerEncoderLayer": [
            ("8, 2, 16", "R(5, 2, 8)"),
            ("8, 2, 16, 0.0, 'gelu', batch_first=True, norm_first=True", "R(2, 5, 8)"),
        ],
        "TransformerDecoderLayer": [("8, 2, 16, 0.0", "R(5, 2, 8), R(6, 2, 8)")],
        "TransformerEncoder": [("nn.TransformerEncoderLayer(8, 2, 16), 2", "R(5, 2, 8)")],
        "TransformerDecoder": [
            ("nn.TransformerDecoderLayer(8, 2, 16), 2", "R(5, 2, 8), R(6, 2, 8)")
        ],
        "Transformer": [("8, 2, 1, 1, 16", "R(5, 2, 8), R(6, 2, 8)")],
    }
)

CASES = CONVOLUTION + POOLING + IMAGE + NORMALIZATION + ACTIVATION + LOSS + SEQUENCE

# Classes that are no layers with one input, and where they are tested.
ELSEWHERE = {
    "CrossMapLRN2d": "torch's sums keep the first channel: tests/nn/test_normalization.py",
    "Container": "the old name of Module",
    "DataParallel": "tests/nn/test_parallel.py",
    "Module": "tests/nn/test_module.py",
    "ModuleDict": "tests/nn/test_module.py",
    "ModuleList": "tests/nn/test_module.py",
    "ParameterDict": "tests/nn/test_module.py",
    "ParameterList": "tests/nn/test_module.py",
    "RNNBase": "the base of RNN, GRU and LSTM",
    "RNNCellBase": "the base of the cells",
    "Sequential": "tests/nn/test_module.py",
    "SyncBatchNorm": "needs processes on several devices; construction in test_normalization.py",
}
