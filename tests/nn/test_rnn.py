"""Recurrent layers and cells beside torch's: weights from the same seed, outputs, gradients."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pytensor
from pytensor import _ops
from tests.nn.twins import assert_close, assert_same_program, load_weights, torch

LIBRARIES = (torch, pytensor)
RTOL, ATOL = 2e-5, 2e-6  # float32 sums in another order


def arrays(seed, *shapes):
    random = np.random.default_rng(seed)
    return [random.standard_normal(s).astype(np.float32) for s in shapes]


def tensor(library, array, grad=False):
    return library.from_numpy(array.copy()).requires_grad_(grad)


def make(library, name, *args, **kwargs):
    library.manual_seed(11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(library.nn, name)(*args, **kwargs)


def assert_same_weights(ours, theirs):
    """The very same bits, under the same names in the same order."""
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters()):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy()), name


def flat(value):
    if isinstance(value, (tuple, list)):
        return [x for v in value for x in flat(v)]
    return [value]


def step(library, module, inputs, given):
    """Outputs of one call, and the gradients of a fixed projection of them."""
    outputs = flat(module(*given))
    loss = 0
    for t in outputs:
        if not t.requires_grad:
            continue
        weight = (library.arange(t.numel(), dtype=t.dtype) + 1).cos().reshape(t.shape)
        loss = loss + (t * weight).sum()
    loss.backward()
    return outputs, [t.grad for t in [*inputs, *module.parameters()]]


def compare(name, args, kwargs, shapes, train=True, hidden=0):
    """`shapes` of the input and, with `hidden`, of one or two states."""
    results, modules = [], []
    for library in LIBRARIES:
        module = make(library, name, *args, **kwargs).train(train)
        modules.append(module)
        inputs = [tensor(library, a, True) for a in arrays(3, *shapes)]
        given = inputs[:1]
        if hidden:
            given.append(inputs[1] if hidden == 1 else tuple(inputs[1:]))
        library.manual_seed(5)
        results.append(step(library, module, inputs, given))
    assert_same_weights(modules[1], modules[0])
    assert_close(results[1], results[0], name, RTOL, ATOL)


LAYERS = [
    {},
    {"num_layers": 3},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "bias": False},
    {"num_layers": 2, "dropout": 0.4, "batch_first": True},
]


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("kwargs", LAYERS, ids=str)
@pytest.mark.parametrize("hidden", [False, True])
def test_layer(name, kwargs, hidden):
    layers = kwargs.get("num_layers", 1) * (2 if kwargs.get("bidirectional") else 1)
    shape = (3, 7, 5) if kwargs.get("batch_first") else (7, 3, 5)
    states = 0 if not hidden else 2 if name == "LSTM" else 1
    shapes = [shape] + [(layers, 3, 6)] * states
    compare(name, (5, 6), kwargs, shapes, hidden=states)


@pytest.mark.parametrize("sizes", [(33, 70, 21, 4), (3, 32, 40, 2), (128, 96, 3, 9)], ids=str)
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_sizes(name, sizes):
    """Whole panels and rests, many sequences and few."""
    features, hidden, batch, steps = sizes
    compare(name, (features, hidden), {}, [(steps, batch, features)])


def test_relu():
    compare("RNN", (5, 6, 2, "relu"), {}, [(4, 3, 5)])


@pytest.mark.parametrize("kwargs", [{}, {"bidirectional": True, "num_layers": 2}], ids=str)
def test_projection(kwargs):
    layers = kwargs.get("num_layers", 1) * (2 if kwargs.get("bidirectional") else 1)
    shapes = [(4, 3, 5), (layers, 3, 2), (layers, 3, 6)]
    compare("LSTM", (5, 6), {"proj_size": 2, **kwargs}, shapes, hidden=2)
    compare("LSTM", (40, 70), {"proj_size": 33, **kwargs}, [(3, 20, 40)])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_unbatched(name):
    states = 2 if name == "LSTM" else 1
    compare(name, (5, 6), {}, [(4, 5)])
    compare(name, (5, 6), {"batch_first": True}, [(4, 5)] + [(1, 6)] * states, hidden=states)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_evaluation_drops_nothing(name):
    compare(name, (5, 6), {"num_layers": 2, "dropout": 0.5}, [(4, 3, 5)], train=False)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("kwargs", LAYERS, ids=str)
@pytest.mark.parametrize("sort", [True, False])
def test_packed(name, kwargs, sort):
    kwargs = {**kwargs, "batch_first": True}
    lengths = [5, 3, 3, 1] if sort else [2, 5, 1, 3]
    layers = kwargs.get("num_layers", 1) * (2 if kwargs.get("bidirectional") else 1)
    results = []
    for library in LIBRARIES:
        module = make(library, name, 3, 6, **kwargs)
        shapes = [(4, 5, 3)] + [(layers, 4, 6)] * 2
        x, h, c = (tensor(library, a, True) for a in arrays(3, *shapes))
        utils = library.nn.utils.rnn

        def call(x, *hx, module=module, utils=utils):
            packed = utils.pack_padded_sequence(x, lengths, True, enforce_sorted=sort)
            output, last = module(packed, *hx)
            padded, back = utils.pad_packed_sequence(output, True, padding_value=-2.0)
            return padded, last, back, output.batch_sizes

        call.parameters = module.parameters
        used = [x, h, c] if name == "LSTM" else [x, h]
        library.manual_seed(5)
        results.append(step(library, call, used, [x, (h, c) if name == "LSTM" else h]))
        library.manual_seed(5)
        results[-1] += (list(flat(call(x))),)
    assert_close(results[1], results[0], name, RTOL, ATOL)


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("kwargs", [{}, {"bias": False}], ids=str)
def test_cell(name, kwargs):
    states = 2 if name == "LSTMCell" else 1
    compare(name, (5, 40), kwargs, [(3, 5)])
    compare(name, (5, 40), kwargs, [(3, 5)] + [(3, 40)] * states, hidden=states)
    compare(name, (5, 6), kwargs, [(5,)] + [(6,)] * states, hidden=states)
    if name == "RNNCell":
        compare(name, (5, 6, True, "relu"), {}, [(3, 5), (3, 6)], hidden=1)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_dtypes(name, dtype):
    theirs = make(torch, name, 5, 6, bidirectional=True)
    ours = make(pytensor, name, 5, 6, bidirectional=True)
    (array,) = arrays(0, (4, 3, 5))
    want = theirs.to(getattr(torch, dtype))(tensor(torch, array).to(getattr(torch, dtype)))[0]
    got = ours.to(getattr(pytensor, dtype))(tensor(pytensor, array).to(getattr(pytensor, dtype)))[0]
    assert got.dtype == getattr(pytensor, dtype)
    tolerance = {"float64": 1e-12, "bfloat16": 3e-2, "float16": 3e-3}[dtype]
    difference = got.double().detach().numpy() - want.double().detach().numpy()
    assert abs(difference).max() < tolerance


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_gradient_of_gradient(name):
    results = []
    for library in LIBRARIES:
        module = make(library, name, 3, 4, num_layers=2).double()
        x = tensor(library, arrays(0, (3, 2, 3))[0]).double().requires_grad_()
        output = module(x)[0]
        (g,) = library.autograd.grad(output.sin().sum(), x, create_graph=True)
        g.pow(2).sum().backward()
        results.append([x.grad, *(p.grad for p in module.parameters())])
    assert_close(results[1], results[0], name, 1e-9, 1e-12)


def test_threads_do_not_change_results():
    before = pytensor.get_num_threads()
    seen = []
    try:
        for threads in (1, 2, 3):
            pytensor.set_num_threads(threads)
            all_bits = []
            for batch, hidden in ((40, 64), (4, 512)):
                module = make(pytensor, "LSTM", 16, hidden, bidirectional=True)
                x = tensor(pytensor, arrays(0, (6, batch, 16))[0], True)
                module(x)[0].sin().sum().backward()
                all_bits += [t.grad.numpy() for t in (x, *module.parameters())]
            seen.append(all_bits)
    finally:
        pytensor.set_num_threads(before)
    for other in seen[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(seen[0], other))


def test_state_dict_travels():
    theirs, ours = torch.nn.LSTM(3, 4, 2), pytensor.nn.LSTM(3, 4, 2)
    load_weights(ours, theirs)
    (array,) = arrays(1, (5, 2, 3))
    assert_close(ours(tensor(pytensor, array)), theirs(tensor(torch, array)), "LSTM", RTOL, ATOL)
    ours.flatten_parameters()
    assert [len(w) for w in ours.all_weights] == [4, 4]


def test_weight_norm_of_a_recurrent_weight():
    """A parametrized weight is found where the layer looks for it."""
    results = []
    for library in LIBRARIES:
        module = make(library, "GRU", 3, 4)
        library.nn.utils.parametrizations.weight_norm(module, "weight_hh_l0")
        x = tensor(library, arrays(1, (5, 2, 3))[0])
        module(x)[0].sum().backward()
        results.append([p.grad for _, p in sorted(module.named_parameters())])
    assert_close(results[1], results[0], "GRU", RTOL, ATOL)


def test_text():
    assert_same_program("""
        print(nn.LSTM(3, 4, 2, False, True, 0.5, True, 2), nn.RNN(3, 4, 1, "relu"))
        print(nn.GRU(3, 4, bidirectional=True), nn.RNNCell(3, 4, False, "relu"), nn.GRUCell(3, 4))
        print(list(nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2).state_dict()))
        print(nn.LSTM(2, 3)(torch.zeros(4, 1, 2))[0].shape)
    """)


FAILURES = [
    "nn.RNN(3, 4, nonlinearity='x')",
    "nn.RNN(3, 4, proj_size=2)",
    "nn.GRU(3, 4, proj_size=2)",
    "nn.LSTM(3, 4, proj_size=4)",
    "nn.LSTM(3, 4, proj_size=-1)",
    "nn.LSTM(3, 0)",
    "nn.LSTM(3, 4, 0)",
    "nn.LSTM(3, 4.0)",
    "nn.LSTM(3, 4, dropout=2)",
    "nn.LSTM(3, 4, dropout=True)",
    "nn.RNNBase('FOO', 3, 4)",
    "nn.LSTM(3, 4)(torch.zeros(2, 3, 5))",
    "nn.LSTM(3, 4)(torch.zeros(3))",
    "nn.RNN(3, 4)(torch.zeros(3))",
    "nn.LSTM(3, 4)(torch.zeros(0, 3, 3))",
    "nn.LSTM(3, 4)(torch.zeros(2, 3, 3), (torch.zeros(1, 3, 4), torch.zeros(1, 3, 5)))",
    "nn.LSTM(3, 4)(torch.zeros(2, 3, 3), (torch.zeros(3, 4), torch.zeros(3, 4)))",
    "nn.LSTM(3, 4)(torch.zeros(2, 3), (torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)))",
    "nn.GRU(3, 4)(torch.zeros(2, 3, 3), torch.zeros(1, 2, 4))",
    "nn.GRU(3, 4)(torch.zeros(2, 3, 3), torch.zeros(3, 4))",
    "nn.GRU(3, 4)(torch.zeros(2, 3), torch.zeros(1, 3, 4))",
    "nn.GRU(3, 4)(torch.zeros(2, 3, 3, dtype=torch.float64))",
    "nn.RNNCell(3, 4)(torch.zeros(2, 3, 3))",
    "nn.RNNCell(3, 4)(torch.zeros(2, 5))",
    "nn.GRUCell(3, 4)(torch.zeros(2, 3), torch.zeros(3, 4))",
    "nn.LSTMCell(3, 4)(torch.zeros(2, 3), (torch.zeros(1, 2, 4), torch.zeros(2, 4)))",
    "nn.LSTMCell(3, 4)(torch.zeros(2, 3), (torch.zeros(2, 5), torch.zeros(2, 4)))",
    "nn.RNNCell(3, 4, nonlinearity='x')(torch.zeros(2, 3))",
]


@pytest.mark.parametrize("program", FAILURES)
def test_failures(program):
    assert_same_program(program, fails=True)


@pytest.mark.parametrize(
    "arguments",
    [
        (-1, [2, 2]),
        (0, [2, 3]),
        (0, [2, -1]),
        (0, []),
        (7, [2, 2]),
        (0, [2**62, 2**62]),
    ],
)
def test_hostile_calls_of_the_layer_are_refused(arguments):
    mode, sizes = arguments
    zeros = pytensor.zeros
    layer = _ops.internal["_rnn_layer"]
    with pytest.raises(RuntimeError):
        layer(zeros(4, 2), zeros(2, 3), None, zeros(3, 2), zeros(3, 3), None, None, None, mode,
              sizes, False)  # fmt: skip


def test_hostile_calls_of_the_ops_are_refused():
    zeros = pytensor.zeros
    weights = [zeros(3, 2), zeros(3, 3), zeros(3), zeros(3)]
    x, h = zeros(4, 2, 2), zeros(1, 2, 3)
    good = (True, 1, 0.0, True, False, False)
    assert pytensor.rnn_tanh(x, h, weights, *good)[0].shape == (4, 2, 3)
    for args in (
        (x, h, weights[:3], *good),
        (x, h, [w.double() for w in weights], *good),
        (x, zeros(2, 3), weights, *good),
        (x, h, weights, True, 0, 0.0, True, False, False),
        (x, h, weights, True, 2**62, 0.0, True, False, False),
        (x, h, weights, True, 1, 0.0, True, True, False),
        (zeros(0, 2, 2), h, weights, *good),
        (zeros(4, 2), h, weights, *good),
        (x, h, [zeros(3, 2), zeros(0, 3), zeros(3), zeros(3)], *good),
        (zeros(4, 2), pytensor.tensor([3, 2]), h, weights, True, 1, 0.0, True, False),
        (zeros(4, 2), pytensor.tensor([2.0, 2.0]), h, weights, True, 1, 0.0, True, False),
    ):
        with pytest.raises(RuntimeError):
            pytensor.rnn_tanh(*args)
    with pytest.raises(RuntimeError, match="two hidden states"):
        pytensor.lstm(x, [h], weights, *good)
