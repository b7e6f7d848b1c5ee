"""Normalizations beside torch's: values, gradients, running statistics, layers, errors."""

from __future__ import annotations

import pytest

import pytensor
from tests.nn.side_by_side import (
    compare,
    compare_failure,
    gradients,
    seeded,
    torch,
)
from tests.python.torch_pair import assert_same, to_pytensor

F, TF = pytensor.nn.functional, torch.nn.functional
ALL = (0, "weight", "bias")
BOUND = {"rtol": 1e-4, "atol": 2e-5}  # float32 sums of hundreds of elements in different orders


def parameters(channels):
    return {"weight": seeded(channels), "bias": seeded(channels, seed=1)}


# Planes of many and of few elements, rows of channels, and channels of one sample.
SHAPES = [(8, 5), (300, 70), (4, 3, 9), (4, 3, 40), (2, 70, 5, 5), (3, 2, 70, 70), (2, 3, 2, 3, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm(shape, affine):
    x = seeded(*shape) * 3 + 2
    options = parameters(shape[1]) if affine else {}
    compare(
        F.batch_norm, TF.batch_norm, x, None, None, track=ALL, training=True, **options, **BOUND
    )
    for dtype in (torch.float32, torch.float64):
        args = [t.to(dtype) for t in (x, seeded(shape[1], seed=5), seeded(shape[1]).exp())]
        kwargs = {k: v.to(dtype) for k, v in options.items()}
        compare(F.batch_norm, TF.batch_norm, *args, track=ALL, **kwargs, **BOUND)


@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_running_statistics(momentum):
    running = torch.zeros(5), torch.ones(5)
    ours = to_pytensor(running)
    for seed in range(3):
        x = seeded(6, 5, 4, seed=seed)
        want = TF.batch_norm(x, *running, training=True, momentum=momentum)
        assert_same(F.batch_norm(to_pytensor(x), *ours, training=True, momentum=momentum), want)
        assert_same(ours, running)
        want = TF.instance_norm(x, *running, momentum=momentum)
        assert_same(F.instance_norm(to_pytensor(x), *ours, momentum=momentum), want)
        assert_same(ours, running)


def test_channels_last():
    """The layout is kept, and gives the same numbers."""
    x = seeded(3, 40, 5, 6)
    ours = to_pytensor(x.permute(0, 2, 3, 1).contiguous()).permute(0, 3, 1, 2).requires_grad_()
    theirs = x.to(memory_format=torch.channels_last).requires_grad_()
    want = TF.batch_norm(theirs, None, None, training=True)
    got = F.batch_norm(ours, None, None, training=True)
    assert_same(got, want, **BOUND)
    assert got.stride() == want.stride()
    assert_same(gradients(pytensor, got, [ours]), gradients(torch, want, [theirs]), **BOUND)


def test_large_means():
    """A mean far above the deviation costs no more digits than it must."""
    x = seeded(16, 4, 300) + 1000
    exact = TF.batch_norm(x.double(), None, None, training=True)
    got = F.batch_norm(to_pytensor(x), None, None, training=True)
    assert_same(got.double(), exact, rtol=0, atol=5e-4)
    got = F.layer_norm(to_pytensor(x), (300,))
    assert_same(got.double(), TF.layer_norm(x.double(), (300,)), rtol=0, atol=5e-4)


@pytest.mark.parametrize("shape", [(4, 8), (300, 70), (3, 2, 5000), (64, 3)])
@pytest.mark.parametrize("which", [("weight", "bias"), ("weight",), ("bias",), ()])
def test_layer_norm(shape, which):
    options = {k: v for k, v in parameters(shape[-1]).items() if k in which}
    last = shape[-1:]
    compare(F.layer_norm, TF.layer_norm, seeded(*shape), last, track=ALL, **options, **BOUND)
    compare(F.layer_norm, TF.layer_norm, seeded(*shape), shape, **BOUND)
    options.pop("bias", None)
    if shape:
        compare(F.rms_norm, TF.rms_norm, seeded(*shape), last, track=ALL, **options, **BOUND)
        compare(F.rms_norm, TF.rms_norm, seeded(*shape), last, eps=0.1, **BOUND)


@pytest.mark.parametrize("shape", [(4, 6), (3, 6, 5), (2, 6, 40), (2, 12, 9, 9)])
@pytest.mark.parametrize("groups", [1, 3, 6])
def test_group_norm(shape, groups):
    x = seeded(*shape)
    if shape != (4, 6) or groups != 6:
        for options in ({}, parameters(shape[1])):
            compare(F.group_norm, TF.group_norm, x, groups, track=ALL, **options, **BOUND)
    if len(shape) > 2:
        for options in ({}, parameters(shape[1])):
            compare(F.instance_norm, TF.instance_norm, x, track=ALL, **options, **BOUND)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_local_response_norm(size):
    for shape in ((2, 7, 4), (2, 7, 4, 3), (1, 2, 3, 4, 5)):
        args = (seeded(*shape), size, 0.3, 0.6, 1.5)
        compare(F.local_response_norm, TF.local_response_norm, *args, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_with_float_parameters(dtype):
    x = seeded(4, 6, 8).to(dtype)
    bound = {"rtol": 2e-2, "atol": 2e-2}
    for options in (parameters(6), {k: v.to(dtype) for k, v in parameters(6).items()}):
        compare(F.batch_norm, TF.batch_norm, x, None, None, training=True, **options, **bound)
        compare(F.group_norm, TF.group_norm, x, 2, **options, **bound)
    options = parameters(8)
    compare(F.layer_norm, TF.layer_norm, x, (8,), **options, **bound)


FAILURES = [
    ("batch_norm", (seeded(2, 3, 4), None, None), {}),
    ("batch_norm", (seeded(1, 3), None, None), {"training": True}),
    ("batch_norm", (seeded(2, 3), torch.zeros(4), torch.ones(4)), {}),
    ("batch_norm", (seeded(2, 3), torch.zeros(3), torch.ones(3)), {"weight": seeded(4)}),
    ("batch_norm", (torch.ones(2, 3).long(), torch.zeros(3), torch.ones(3)), {}),
    ("layer_norm", (seeded(2, 3), (4,)), {}),
    ("layer_norm", (seeded(2, 3), ()), {}),
    ("layer_norm", (seeded(2, 3), (3,), seeded(4)), {}),
    ("layer_norm", (torch.ones(2, 3).long(), (3,)), {}),
    ("group_norm", (seeded(2, 6), 4), {}),
    ("group_norm", (seeded(2, 6), 3, seeded(5)), {}),
    ("group_norm", (seeded(6), 3), {}),
    ("group_norm", (seeded(1, 6), 6), {}),
    ("group_norm", (seeded(2, 6, 2), -1), {}),
    ("instance_norm", (seeded(2, 3),), {}),
    ("instance_norm", (seeded(2, 3, 4),), {"use_input_stats": False}),
    ("rms_norm", (seeded(2, 3), (3,), seeded(4)), {}),
    ("local_response_norm", (seeded(2, 3), 2), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), FAILURES)
def test_errors(name, args, options):
    compare_failure(getattr(F, name), getattr(TF, name), *args, **options)


LAYERS = [
    (lambda nn: nn.BatchNorm1d(6), (4, 6)),
    (lambda nn: nn.BatchNorm2d(6, momentum=None), (4, 6, 3, 3)),
    (lambda nn: nn.BatchNorm3d(6, affine=False), (2, 6, 3, 3, 2)),
    (lambda nn: nn.BatchNorm2d(6, track_running_stats=False, bias=False), (4, 6, 3, 3)),
    (lambda nn: nn.LazyBatchNorm1d(), (4, 6, 5)),
    (lambda nn: nn.LazyBatchNorm2d(momentum=0.5), (4, 6, 3, 3)),
    (lambda nn: nn.LazyBatchNorm3d(affine=False), (2, 6, 3, 3, 2)),
    (lambda nn: nn.SyncBatchNorm(6), (4, 6, 5)),
    (lambda nn: nn.LayerNorm(5), (4, 6, 5)),
    (lambda nn: nn.LayerNorm((6, 5), bias=False), (4, 6, 5)),
    (lambda nn: nn.LayerNorm([5], elementwise_affine=False), (4, 6, 5)),
    (lambda nn: nn.RMSNorm(5), (4, 6, 5)),
    (lambda nn: nn.RMSNorm((6, 5), eps=1e-3, elementwise_affine=False), (4, 6, 5)),
    (lambda nn: nn.GroupNorm(2, 6), (4, 6, 5)),
    (lambda nn: nn.GroupNorm(3, 6, affine=False), (4, 6, 5)),
    (lambda nn: nn.InstanceNorm1d(6), (4, 6, 5)),
    (lambda nn: nn.InstanceNorm1d(6, affine=True, track_running_stats=True), (6, 5)),
    (lambda nn: nn.InstanceNorm2d(6, affine=True), (4, 6, 3, 3)),
    (lambda nn: nn.InstanceNorm3d(6), (2, 6, 3, 3, 2)),
    (lambda nn: nn.LazyInstanceNorm1d(), (4, 6, 5)),
    (lambda nn: nn.LazyInstanceNorm2d(affine=False), (4, 6, 3, 3)),
    (lambda nn: nn.LazyInstanceNorm3d(track_running_stats=False), (2, 6, 3, 3, 2)),
    (lambda nn: nn.LocalResponseNorm(3), (2, 6, 4)),
]


@pytest.mark.parametrize(("build", "shape"), LAYERS)
def test_layers(build, shape):
    """Text, keys of the state, results in training and evaluation, and what is left behind."""
    ours, theirs = build(pytensor.nn), build(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        x = seeded(*shape, seed=int(training)).requires_grad_()
        y = to_pytensor(x)
        want, got = theirs(x), ours(y)
        assert_same(got.detach(), want, **BOUND)
        params = [list(m.parameters()) for m in (ours, theirs)]
        assert_same(
            gradients(pytensor, got, [y, *params[0]]),
            gradients(torch, want, [x, *params[1]]),
            **BOUND,
        )
    assert type(ours).__name__ == type(theirs).__name__
    for key, value in theirs.state_dict().items():
        assert_same(ours.state_dict()[key], value, **BOUND)


def test_layers_refuse_other_inputs():
    for build, shape in (
        (lambda nn: nn.BatchNorm1d(3), (2, 3, 4, 5)),
        (lambda nn: nn.BatchNorm2d(3), (2, 3, 4)),
        (lambda nn: nn.InstanceNorm1d(3, affine=True), (2, 4, 5)),
        (lambda nn: nn.InstanceNorm2d(3), (2, 3)),
    ):
        compare_failure(build(pytensor.nn), build(torch.nn), seeded(*shape))
    for nn in (pytensor.nn, torch.nn):
        with pytest.raises(ValueError, match="divisible"):
            nn.GroupNorm(4, 6)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_cross_map_lrn(size):
    """The formula holds for all channels; torch's layer leaves the first one in later windows, and
    its gradient is another function's."""
    ours, theirs = (nn.CrossMapLRN2d(size, 0.5) for nn in (pytensor.nn, torch.nn))
    assert repr(ours) == repr(theirs)
    x = seeded(2, 6, 4, 4)
    x[:, 0] = 0
    assert_same(ours(to_pytensor(x)), theirs(x))


def test_old_state_dicts():
    """A state without the count of batches is one of an earlier version."""
    layer = pytensor.nn.BatchNorm1d(2)
    state = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
    assert not layer.load_state_dict(state).missing_keys
    with pytest.raises(RuntimeError, match="running stats"):
        pytensor.nn.InstanceNorm1d(2).load_state_dict({"running_mean": pytensor.zeros(2)})


def test_convert_sync_batchnorm():
    model = pytensor.nn.Sequential(pytensor.nn.BatchNorm1d(2), pytensor.nn.ReLU())
    converted = pytensor.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert type(converted[0]) is pytensor.nn.SyncBatchNorm
    assert converted[0].weight is model[0].weight


def test_threads_do_not_change_results():
    cases = [
        (lambda x: F.batch_norm(x, None, None, training=True), (7, 33, 50, 50)),
        (lambda x: F.batch_norm(x, None, None, training=True), (4000, 65)),
        (lambda x: F.batch_norm(x, None, None, training=True), (2, 2, 300, 200)),
        (lambda x: F.layer_norm(x, (513,)), (999, 513)),
        (lambda x: F.group_norm(x, 4), (7, 32, 50, 50)),
    ]
    inputs = [pytensor.randn(shape).requires_grad_() for _, shape in cases]
    threads, found = pytensor.get_num_threads(), []
    try:
        for n in (1, 2, 3):
            pytensor.set_num_threads(n)
            found.append([])
            for (function, _), x in zip(cases, inputs):
                result = function(x)
                found[-1] += [result, *gradients(pytensor, result, [x])]
    finally:
        pytensor.set_num_threads(threads)
    for other in found[1:]:
        assert all(bool((a == b).all()) for a, b in zip(found[0], other))
