"""Losses and loss layers beside torch's: values, gradients, errors and warnings."""

from __future__ import annotations

import inspect

import pytest

import pytensor
from tests.nn.side_by_side import (
    compare,
    compare_failure,
    compare_warnings,
    gradients,
    seeded,
    torch,
)
from tests.python.torch_pair import assert_same, to_pytensor

F, TF = pytensor.nn.functional, torch.nn.functional
REDUCTIONS = ("none", "mean", "sum")


def probabilities(*shape, seed=0):
    return seeded(*shape, seed=seed).sigmoid()


def signs(*shape):
    return seeded(*shape, seed=9).sign()


# (function, arguments, further arguments): every function with its options
PAIRS = [
    ("mse_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {}),
    ("mse_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {"weight": probabilities(5, 7)}),
    ("l1_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {}),
    ("l1_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {"weight": probabilities(5, 7)}),
    ("smooth_l1_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {"beta": 0.4}),
    ("smooth_l1_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {"beta": 0.0}),
    ("huber_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {"delta": 0.6}),
    ("huber_loss", (seeded(5, 7), seeded(5, 7, seed=1)), {"weight": probabilities(5, 7)}),
    ("binary_cross_entropy", (probabilities(5, 7), probabilities(5, 7, seed=1)), {}),
    (
        "binary_cross_entropy",
        (probabilities(5, 7), probabilities(5, 7, seed=1)),
        {"weight": probabilities(7)},
    ),
    ("binary_cross_entropy_with_logits", (seeded(5, 7) * 9, probabilities(5, 7)), {}),
    (
        "binary_cross_entropy_with_logits",
        (seeded(5, 7), probabilities(5, 7)),
        {"weight": probabilities(5, 1), "pos_weight": probabilities(7) * 3},
    ),
    ("kl_div", (seeded(5, 7), probabilities(5, 7)), {}),
    ("kl_div", (seeded(5, 7), seeded(5, 7, seed=1)), {"log_target": True}),
    ("poisson_nll_loss", (seeded(5, 7), probabilities(5, 7) * 4), {"full": True}),
    (
        "poisson_nll_loss",
        (probabilities(5, 7), probabilities(5, 7, seed=1)),
        {"log_input": False, "eps": 1e-3},
    ),
    ("soft_margin_loss", (seeded(5, 7), signs(5, 7)), {}),
    ("hinge_embedding_loss", (seeded(5, 7), signs(5, 7)), {"margin": 0.5}),
    ("margin_ranking_loss", (seeded(9), seeded(9, seed=1), signs(9)), {"margin": 0.2}),
    ("cosine_embedding_loss", (seeded(5, 7), seeded(5, 7, seed=1), signs(5)), {"margin": 0.1}),
    ("cosine_embedding_loss", (seeded(7), seeded(7, seed=1), torch.tensor(1)), {}),
    ("triplet_margin_loss", tuple(seeded(5, 7, seed=i) for i in range(3)), {"swap": True}),
    ("triplet_margin_loss", tuple(seeded(5, 7, seed=i) for i in range(3)), {"p": 1.0}),
    ("gaussian_nll_loss", (seeded(5, 7), seeded(5, 7, seed=1), probabilities(5, 7)), {}),
    (
        "gaussian_nll_loss",
        (seeded(5, 7), seeded(5, 7, seed=1), probabilities(5)),
        {"full": True},
    ),
    ("gaussian_nll_loss", (seeded(5, 7), seeded(5, 7, seed=1), 0.5), {}),
    ("multi_margin_loss", (seeded(5, 7), torch.tensor([0, 3, 6, 2, 2])), {"p": 2}),
    (
        "multi_margin_loss",
        (seeded(5, 7), torch.tensor([0, 3, 6, 2, 2])),
        {"margin": 0.3, "weight": probabilities(7)},
    ),
    (
        "multilabel_margin_loss",
        (seeded(2, 4), torch.tensor([[3, 0, -1, 1], [2, -1, -1, -1]])),
        {},
    ),
    ("multilabel_soft_margin_loss", (seeded(5, 7), probabilities(5, 7)), {}),
    (
        "multilabel_soft_margin_loss",
        (seeded(5, 7), probabilities(5, 7)),
        {"weight": probabilities(7)},
    ),
]
BOTH = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "margin_ranking_loss",
        "cosine_embedding_loss", "triplet_margin_loss", "poisson_nll_loss",
        "binary_cross_entropy_with_logits")  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "args", "options"), PAIRS)
def test_functions(name, args, options, reduction):
    track = (0, 1) if name in BOTH else (0,)
    ours, theirs = getattr(F, name), getattr(TF, name)
    compare(ours, theirs, *args, track=track, reduction=reduction, **options)


# Shapes take the ways of the kernel: few and many classes, few and many samples, spatial
# dimensions, and lines longer than a block.
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "shape", [(3, 5), (70, 5), (5, 60), (2, 5, 40), (2, 3, 5, 4), (4,), (2, 3, 2, 2, 2), (2, 9000)]
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ignore_index": 1},
        {"weight": True, "label_smoothing": 0.2, "ignore_index": 2},
        {"weight": True},
    ],
)
def test_cross_entropy_of_classes(shape, options, reduction):
    options = dict(options)
    classes = shape[0] if len(shape) == 1 else shape[1]
    if options.get("weight"):
        options["weight"] = probabilities(classes, seed=3)
    spatial = () if len(shape) == 1 else (shape[0], *shape[2:])
    target = torch.randint(classes, spatial, generator=torch.Generator().manual_seed(1))
    scores = seeded(*shape) * 3
    compare(F.cross_entropy, TF.cross_entropy, scores, target, reduction=reduction, **options)
    if "label_smoothing" not in options:
        logs = scores.log_softmax(0 if len(shape) == 1 else 1)
        compare(F.nll_loss, TF.nll_loss, logs, target, reduction=reduction, **options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 5), (70, 5), (5, 60), (2, 5, 40), (5,), (2, 9000)])
@pytest.mark.parametrize("options", [{}, {"weight": True, "label_smoothing": 0.2}])
def test_cross_entropy_of_probabilities(shape, options, reduction):
    options = dict(options)
    classes = shape[0] if len(shape) == 1 else shape[1]
    if options.get("weight"):
        options["weight"] = probabilities(classes, seed=3)
    target = seeded(*shape, seed=4).softmax(0 if len(shape) == 1 else 1)
    compare(
        F.cross_entropy, TF.cross_entropy, seeded(*shape) * 3, target, track=(0, 1),
        reduction=reduction, rtol=1e-5, atol=2e-5, **options,
    )  # fmt: skip


def test_cross_entropy_of_large_scores():
    """Scores far from zero lose nothing: the maximum is kept apart from the logarithm."""
    scores = seeded(4, 50) + 3e4
    target = torch.tensor([3, 49, 0, 7])
    compare(F.cross_entropy, TF.cross_entropy, scores, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("targets", "target_lengths"),
    [
        (torch.tensor([[1, 2, 2, 4], [3, 3, 0, 0], [1, 0, 0, 0]]), (4, 2, 1)),
        (torch.tensor([1, 2, 2, 4, 3, 3]), (4, 2, 0)),
        (torch.tensor([[1, 1, 1, 1], [1, 1, 1, 1], [1, 2, 3, 4]]), (4, 4, 4)),
    ],
)
def test_ctc_loss(targets, target_lengths, reduction):
    logs = seeded(8, 3, 5).log_softmax(2)
    lengths = torch.tensor([8, 7, 5])
    options = {"reduction": reduction, "zero_infinity": True}
    compare(
        F.ctc_loss, TF.ctc_loss, logs, targets, lengths, torch.tensor(target_lengths), **options
    )
    compare(
        F.ctc_loss, TF.ctc_loss, logs.double(), targets, (8, 7, 5), target_lengths, blank=0,
        **options,
    )  # fmt: skip
    compare(
        F.ctc_loss, TF.ctc_loss, logs[:, 0], torch.tensor([1, 2]), torch.tensor(8),
        torch.tensor(2), blank=3, reduction=reduction,
    )  # fmt: skip


def test_other_layouts():
    """Operands of one dense layout are read as they lie; others are brought to one."""
    x, y = seeded(3, 4, 5, 6), seeded(3, 4, 5, 6, seed=1)
    last = torch.channels_last
    layouts = [lambda t: t.to(memory_format=last), lambda t: t.mT, lambda t: t[..., ::2]]
    for a, b in ((layout(x), layout(y)) for layout in layouts):
        ours_a, ours_b = (to_pytensor(t.contiguous()) for t in (a, b))
        ours_a = ours_a.transpose(0, 1).contiguous().transpose(0, 1)
        assert_same(
            F.mse_loss(ours_a, ours_b, reduction="none"), TF.mse_loss(a, b, reduction="none")
        )
        assert_same(F.l1_loss(ours_a, ours_b), TF.l1_loss(a, b))
    scores, target = seeded(3, 20, 5), torch.randint(20, (3, 5))
    ours = to_pytensor(scores.transpose(1, 2).contiguous()).transpose(1, 2)
    assert_same(F.cross_entropy(ours, to_pytensor(target)), TF.cross_entropy(scores, target))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_dtypes(dtype):
    x, target = seeded(6, 40).to(dtype), torch.randint(40, (6,))
    half = dtype != torch.float64
    bound = {"rtol": 2e-2, "atol": 2e-2} if half else {}  # torch rounds between its ops
    compare(F.cross_entropy, TF.cross_entropy, x, target, **bound)
    compare(F.mse_loss, TF.mse_loss, x, x * 0.5, **bound)
    compare(F.smooth_l1_loss, TF.smooth_l1_loss, x, x * 0.5, **bound)


FAILURES = [
    ("mse_loss", (seeded(3), seeded(3)), {"reduction": "foo"}),
    ("mse_loss", (seeded(3, 4), seeded(3, 4)), {"weight": seeded(3, 1)}),
    ("mse_loss", (torch.ones(3).long(), torch.ones(3).long()), {}),
    ("smooth_l1_loss", (seeded(3), seeded(3)), {"beta": -1.0}),
    ("huber_loss", (seeded(3), seeded(3)), {"delta": 0.0}),
    ("binary_cross_entropy", (probabilities(3), probabilities(4)), {}),
    ("binary_cross_entropy", (seeded(9), probabilities(9)), {}),
    ("binary_cross_entropy", (seeded(9), probabilities(9)), {"reduction": "none"}),
    ("binary_cross_entropy", (probabilities(9), seeded(9)), {}),
    ("binary_cross_entropy", (probabilities(3), torch.ones(3).long()), {}),
    ("binary_cross_entropy_with_logits", (seeded(3), seeded(4)), {}),
    ("cross_entropy", (seeded(3, 4), torch.tensor([1, 2, 4])), {}),
    ("cross_entropy", (seeded(3, 4), torch.tensor([1, 2, -1])), {}),
    ("cross_entropy", (seeded(3, 4), torch.tensor([1, 2])), {}),
    ("cross_entropy", (seeded(3, 4), torch.tensor([1, 2, 3]).int()), {}),
    ("cross_entropy", (seeded(3, 4), seeded(3)), {}),
    ("cross_entropy", (seeded(3, 4), seeded(3, 5)), {}),
    ("cross_entropy", (seeded(3, 4, 5), torch.ones(3, 4).long()), {}),
    ("cross_entropy", (seeded(3, 4, 5, 6), torch.ones(3, 5, 7).long()), {}),
    ("cross_entropy", (seeded(3, 4), torch.tensor([1, 2, 3])), {"label_smoothing": 2.0}),
    ("cross_entropy", (seeded(3, 4), torch.tensor([1, 2, 3])), {"weight": torch.ones(3)}),
    ("cross_entropy", (seeded(3, 4), probabilities(3, 4)), {"weight": torch.ones(3)}),
    ("cross_entropy", (seeded(3, 4), probabilities(3, 4)), {"ignore_index": 2}),
    ("cross_entropy", (torch.ones(3, 4).long(), torch.ones(3).long()), {}),
    ("nll_loss", (seeded(3, 4), torch.tensor([1, 2, 4])), {}),
    ("nll_loss", (seeded(3, 4), torch.tensor([1, 2])), {}),
    ("nll_loss", (torch.tensor(1.0), torch.tensor(1)), {}),
    ("nll_loss", (seeded(3, 4, 2, 2), torch.ones(3, 2).long()), {}),
    ("gaussian_nll_loss", (seeded(3), seeded(3), -torch.ones(3)), {}),
    ("gaussian_nll_loss", (seeded(3, 4), seeded(3, 4), torch.ones(2)), {}),
    ("gaussian_nll_loss", (seeded(3), seeded(3), 1.0), {"reduction": "foo"}),
    ("margin_ranking_loss", (seeded(3), seeded(3), seeded(3, 1)), {}),
    ("multi_margin_loss", (seeded(3, 4), torch.tensor([1, 2, 4])), {}),
    ("multi_margin_loss", (seeded(3, 4), torch.tensor([1, 2])), {}),
    ("multi_margin_loss", (seeded(3, 4), torch.tensor([1, 2, 3])), {"p": 3}),
    ("multilabel_margin_loss", (seeded(3, 4), torch.full((3, 4), 4)), {}),
    ("multilabel_margin_loss", (seeded(3, 4), torch.full((3, 3), 1)), {}),
    ("cosine_embedding_loss", (seeded(3, 4), seeded(3, 4), torch.ones(3, 4)), {}),
    ("cosine_embedding_loss", (seeded(4, 3, 2), seeded(4, 3, 2), torch.ones(4)), {}),
    ("triplet_margin_loss", (seeded(3, 4),) * 3, {"margin": 0}),
    ("triplet_margin_loss", (seeded(3, 4), seeded(3, 4), seeded(3)), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), FAILURES)
def test_errors(name, args, options):
    compare_failure(getattr(F, name), getattr(TF, name), *args, **options)


CTC_FAILURES = [
    ((5, 6), (2, 2), 0),
    ((5, 5), (2, 3), 0),
    ((5, 5), (2,), 0),
    ((5, -1), (2, 2), 0),
    ((5, 5), (2, 2), 7),
]


@pytest.mark.parametrize(("input_lengths", "target_lengths", "blank"), CTC_FAILURES)
def test_ctc_errors(input_lengths, target_lengths, blank):
    args = (seeded(5, 2, 4).log_softmax(2), torch.tensor([[1, 2], [1, 3]]))
    lengths = (torch.tensor(input_lengths), torch.tensor(target_lengths))
    compare_failure(F.ctc_loss, TF.ctc_loss, *args, *lengths, blank, text=blank == 0)


def test_ctc_label_out_of_bounds():
    """torch reads past the probabilities here."""
    with pytest.raises(IndexError, match="label 5 is out of bounds"):
        F.ctc_loss(pytensor.zeros(5, 1, 4), pytensor.tensor([[1, 5]]), (5,), (2,))


def test_warnings():
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        compare_warnings(getattr(F, name), getattr(TF, name), seeded(3, 4), seeded(3, 1))
    for legacy in ((False, None), (None, False), (True, True), (False, False)):
        options = dict(zip(("size_average", "reduce"), legacy))
        compare_warnings(F.mse_loss, TF.mse_loss, seeded(3), seeded(3), **options)
        compare_warnings(pytensor.nn.MSELoss, torch.nn.MSELoss, **options)
    compare_warnings(F.kl_div, TF.kl_div, seeded(3), probabilities(3))
    compare_warnings(pytensor.nn.NLLLoss2d, torch.nn.NLLLoss2d)


def test_kl_div_batchmean():
    args = (seeded(5, 7), probabilities(5, 7))
    compare(F.kl_div, TF.kl_div, *args, reduction="batchmean")


def names_of_layers():
    return [n for n in dir(torch.nn) if n.endswith("Loss") or n == "NLLLoss2d"]


WITH_WEIGHTS = ("AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss")  # no plain losses
LAYERS = [n for n in names_of_layers() if hasattr(pytensor.nn, n) and n not in WITH_WEIGHTS]
INPUTS = {
    "BCELoss": (probabilities(4, 3), probabilities(4, 3, seed=1)),
    "BCEWithLogitsLoss": (seeded(4, 3), probabilities(4, 3)),
    "CTCLoss": (seeded(6, 2, 4).log_softmax(2), torch.tensor([[1, 2], [3, 1]]), (6, 6), (2, 2)),
    "CosineEmbeddingLoss": (seeded(4, 3), seeded(4, 3, seed=1), signs(4)),
    "CrossEntropyLoss": (seeded(4, 3), torch.tensor([0, 2, 1, 1])),
    "GaussianNLLLoss": (seeded(4, 3), seeded(4, 3, seed=1), probabilities(4, 3)),
    "HingeEmbeddingLoss": (seeded(4, 3), signs(4, 3)),
    "MarginRankingLoss": (seeded(4), seeded(4, seed=1), signs(4)),
    "MultiLabelMarginLoss": (seeded(1, 3), torch.tensor([[0, -1, 1]])),
    "MultiMarginLoss": (seeded(4, 3), torch.tensor([0, 2, 1, 1])),
    "NLLLoss": (seeded(4, 3), torch.tensor([0, 2, 1, 1])),
    "NLLLoss2d": (seeded(2, 3, 2, 2), torch.ones(2, 2, 2).long()),
    "TripletMarginLoss": tuple(seeded(4, 3, seed=i) for i in range(3)),
    "TripletMarginWithDistanceLoss": tuple(seeded(4, 3, seed=i) for i in range(3)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    """A layer has torch's arguments, text and result."""
    ours, theirs = getattr(pytensor.nn, name), getattr(torch.nn, name)
    parameters = [list(inspect.signature(c.__init__).parameters) for c in (ours, theirs)]
    assert parameters[0] == parameters[1]
    args = INPUTS.get(name, (seeded(4, 3), probabilities(4, 3)))
    for reduction in REDUCTIONS:
        mine, other = ours(reduction=reduction), theirs(reduction=reduction)
        assert repr(mine) == repr(other)
        assert list(mine.state_dict()) == list(other.state_dict())
        compare(mine, other, *args)


def test_all_layers_exist():
    ours = {n for n in dir(pytensor.nn) if n.endswith("Loss")}
    assert set(names_of_layers()) - ours <= {
        "LinearCrossEntropyLoss",
        "AdaptiveLogSoftmaxWithLoss",
        "NLLLoss2d",
    }


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss", "BCELoss", "MultiMarginLoss"])
def test_weight_is_a_buffer(name):
    ours = getattr(pytensor.nn, name)(weight=pytensor.ones(3))
    theirs = getattr(torch.nn, name)(weight=torch.ones(3))
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight"]
    assert ours.double().weight.dtype == pytensor.float64


def test_layer_errors():
    for build in (
        lambda T: T.nn.MultiMarginLoss(p=3),
        lambda T: T.nn.MultiMarginLoss(weight=T.ones(2, 2)),
        lambda T: T.nn.TripletMarginLoss(margin=-1),
    ):
        with pytest.raises(ValueError):
            build(torch)
        with pytest.raises(ValueError):
            build(pytensor)


def test_threads_do_not_change_results():
    x, y = pytensor.randn(7, 40, 50, 30), pytensor.randint(40, (7, 50, 30))
    flat, other = pytensor.randn(123457), pytensor.randn(123457)
    rows, classes = pytensor.randn(900, 1001), pytensor.randint(1001, (900,))

    def results():
        found = [F.mse_loss(flat, other), F.binary_cross_entropy_with_logits(flat, other.sigmoid())]
        for scores, target in ((x, y), (rows, classes)):
            scores = scores.detach().requires_grad_()
            loss = F.cross_entropy(scores, target, label_smoothing=0.1)
            found += [loss, *gradients(pytensor, loss, [scores])]
        return found

    threads = pytensor.get_num_threads()
    try:
        found = []
        for n in (1, 2, 3):
            pytensor.set_num_threads(n)
            found.append(results())
    finally:
        pytensor.set_num_threads(threads)
    for other in found[1:]:
        assert all(bool((a == b).all()) for a, b in zip(found[0], other))
