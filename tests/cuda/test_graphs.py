"""CUDA graphs: captured training does what eager training does, and what a capture forbids."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

import pytensor as pt
from pytensor import nn
from tests.cuda.settings import CACHED, CHECKED_LIBRARY, EMULATED, IS_CHECKED

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")


class LeNet(nn.Module):
    """For images of 12x12."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 2), nn.ReLU()
        )
        self.classes = nn.Sequential(
            nn.Flatten(), nn.Linear(6 * 16, 20), nn.ReLU(), nn.Dropout(dropout), nn.Linear(20, 5)
        )

    def forward(self, x):
        return self.classes(self.features(x))


OPTIMIZERS = {
    "SGD": lambda p: pt.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "Adam": lambda p: pt.optim.Adam(p, lr=0.01, capturable=True, fused=True),
    "AdamW": lambda p: pt.optim.AdamW(p, lr=0.01, capturable=True),
}


def losses_of(step, graphed: bool, x, inputs, t, targets):
    """The losses of a step with each batch in turn in x and t: replays of its graph, or calls."""
    if graphed:
        g = pt.cuda.CUDAGraph()
        with pt.cuda.graph(g):
            loss = step()
    losses = []
    for i in range(len(inputs)):
        x.copy_(inputs[i])
        t.copy_(targets[i])
        if graphed:
            g.replay()
        else:
            loss = step()
        losses.append(loss.item())
    return losses


def trained(graphed: bool, optimizer: str, dropout: float, steps: int = 20):
    """The losses and the parameters after warming up and some steps."""
    pt.manual_seed(3)
    net = LeNet(dropout).cuda()
    step_of = OPTIMIZERS[optimizer](net.parameters())
    images, targets = pt.randn(steps + 2, 4, 1, 12, 12), pt.randint(0, 5, (steps + 2, 4))
    x, t = images[0].cuda(), targets[0].cuda()

    def step():
        step_of.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(x), t)
        loss.backward()
        step_of.step()
        return loss.detach()

    side = pt.cuda.Stream()
    side.wait_stream(pt.cuda.current_stream())
    with pt.cuda.stream(side):
        for i in range(2):
            x.copy_(images[i])
            t.copy_(targets[i])
            step()
    pt.cuda.current_stream().wait_stream(side)
    losses = losses_of(step, graphed, x, images[2:], t, targets[2:])
    return losses, [p.detach().cpu() for p in net.parameters()]


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twenty_replays_train_as_twenty_steps(optimizer, dropout):
    steps = 20 if optimizer == "Adam" else 5
    losses, params = trained(True, optimizer, dropout, steps)
    wanted_losses, wanted = trained(False, optimizer, dropout, steps)
    assert losses == wanted_losses
    assert all(pt.equal(a, b) for a, b in zip(params, wanted))
    assert len(set(losses)) > 3


def cross_entropy_of_all_kinds(scores, classes):
    weight = (pt.arange(5, device="cuda") + 1).to(scores.dtype)
    return nn.functional.cross_entropy(scores, classes, weight, label_smoothing=0.1)


def multi_margin(scores, classes):
    weight = (pt.arange(5, device="cuda") + 1).to(scores.dtype)
    return nn.functional.multi_margin_loss(scores, classes, p=2, weight=weight)


def drawn_rates(scores, classes):
    return (scores - pt.poisson(scores.detach().exp())).square().mean()


def drawn_classes(scores, classes):
    drawn = pt.multinomial(scores.detach().softmax(1), 1)
    return scores.gather(1, drawn).square().mean()


CHECKED_NUMBERS = [cross_entropy_of_all_kinds, multi_margin, drawn_rates, drawn_classes]


@pytest.mark.parametrize("dtype", [pt.float32, pt.float64])
@pytest.mark.parametrize("loss_of", CHECKED_NUMBERS)
def test_losses_and_samplers_that_check_numbers_are_captured(loss_of, dtype):
    def after(graphed: bool):
        pt.manual_seed(4)
        net = nn.Linear(6, 5, dtype=dtype).cuda()
        optimizer = pt.optim.SGD(net.parameters(), lr=0.1)
        inputs, targets = pt.randn(6, 7, 6, dtype=dtype), pt.randint(0, 5, (6, 7))
        x, t = inputs[0].cuda(), targets[0].cuda()

        def step():
            optimizer.zero_grad()
            loss = loss_of(net(x), t)
            loss.backward()
            optimizer.step()
            return loss.detach()

        step()
        losses = losses_of(step, graphed, x, inputs[1:], t, targets[1:])
        return losses, net.weight.detach().cpu()

    losses, weight = after(True)
    wanted_losses, wanted = after(False)
    assert losses == wanted_losses
    assert len(set(losses)) == 5
    assert pt.equal(weight, wanted)


def replay_and_wait(g: pt.cuda.CUDAGraph) -> None:
    """What kernels report is raised by the first of the two calls that comes after them."""
    g.replay()
    pt.cuda.synchronize()


def test_what_a_replay_finds_out_of_bounds_is_raised():
    rate, classes = pt.ones(3, device="cuda"), pt.tensor([1, 0], device="cuda")
    scores = pt.randn(2, 4, device="cuda")
    g = pt.cuda.CUDAGraph()
    with pt.cuda.graph(g):
        pt.poisson(rate)
        nn.functional.multi_margin_loss(scores, classes)
    replay_and_wait(g)
    rate[1] = -1
    with pytest.raises(RuntimeError, match="invalid Poisson rate, expected rate to be non-neg"):
        replay_and_wait(g)
    rate[1] = 2
    classes[1] = 4
    with pytest.raises(RuntimeError, match="target out of range"):
        replay_and_wait(g)
    classes[1] = 3
    replay_and_wait(g)


def clone(fresh: bool):
    """A copy, which reads what it copies."""
    x = pt.empty(70, device="cuda") if fresh else pt.zeros(70, device="cuda")
    return lambda: x.clone()


def step_with_momentum(fresh: bool):
    """A step that is not the first, so that it reads the buffer."""
    p = pt.ones(70, device="cuda", requires_grad=True)
    p.grad = pt.ones(70, device="cuda")
    optimizer = pt.optim.SGD([p], lr=0.1, momentum=0.9)
    optimizer.step()
    if fresh:
        optimizer.state[p]["momentum_buffer"] = pt.empty(70, device="cuda")
    return optimizer.step


@pytest.mark.skipif(not IS_CHECKED, reason="only the checked library sees it")
@pytest.mark.parametrize("made", [clone, step_with_momentum])
def test_what_a_replay_reads_of_fresh_memory_is_reported(made):
    sound, faulty = made(fresh=False), made(fresh=True)  # what they read lives as long as they do
    replay_and_wait(capture(sound))
    g = capture(faulty)
    with pytest.raises(RuntimeError, match="initcheck: read of device memory that nothing has"):
        replay_and_wait(g)


@pytest.mark.skipif(
    not EMULATED or IS_CHECKED or not CHECKED_LIBRARY.exists(),
    reason="no build with PYTENSOR_CUDA=CHECKED",
)
def test_replays_touch_what_they_may_and_in_order():
    """The same through the library that sees every access."""
    setting = {
        "PYTENSOR_CUDA_LIBRARY": str(CHECKED_LIBRARY),
        "PYTENSOR_EMU_PROTECT": "0",
        "PYTENSOR_EMU_ORDER": "random",
        "PYTENSOR_EMU_LAZY": "1",
    }
    names = "SGD or AdamW or branches or callables or advance or check_numbers or _a_replay_"
    command = [sys.executable, "-m", "pytest", __file__, "-q", "-k", names]
    done = subprocess.run(
        command, env=os.environ | setting, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "19 passed" in done.stdout


@pytest.mark.parametrize("name", ["NAdam", "RAdam", "Adamax", "RMSprop", "Adadelta", "ASGD"])
def test_capturable_optimizers_count_in_a_graph(name):
    pt.manual_seed(1)
    start, slopes = pt.randn(7), pt.randn(9, 7)

    def after(capturable: bool, graphed: bool):
        p = start.cuda().requires_grad_()
        p.grad = slopes[0].cuda()
        optimizer = getattr(pt.optim, name)([p], capturable=capturable)
        optimizer.step()
        g = pt.cuda.CUDAGraph()
        if graphed:
            with pt.cuda.graph(g):
                optimizer.step()
        for slope in slopes[1:]:
            p.grad.copy_(slope)
            g.replay() if graphed else optimizer.step()
        return p.detach().cpu()

    replayed = after(True, True)
    assert pt.equal(replayed, after(True, False))
    assert pt.allclose(replayed, after(False, False), rtol=1e-4, atol=1e-6)


def test_the_rate_of_adam_can_be_a_tensor_that_changes_between_replays():
    lr = pt.tensor(0.1, device="cuda")
    p = pt.ones(3, device="cuda", requires_grad=True)
    p.grad = pt.ones(3, device="cuda")
    optimizer = pt.optim.Adam([p], lr=lr, capturable=True)
    optimizer.step()
    g = pt.cuda.CUDAGraph()
    with pt.cuda.graph(g):
        optimizer.step()
    g.replay()
    assert pt.allclose(p.detach().cpu(), pt.full((3,), 0.8))
    lr.fill_(0.5)
    g.replay()
    assert pt.allclose(p.detach().cpu(), pt.full((3,), 0.3))
    assert optimizer.state[p]["step"].item() == 3


def test_random_numbers_advance_with_each_replay():
    pt.cuda.manual_seed(5)
    g = pt.cuda.CUDAGraph()
    with pt.cuda.graph(g):
        drawn = pt.rand(6, device="cuda")
        pair = pt.randint(0, 100, (3,), device="cuda")
    pt.cuda.manual_seed(5)
    seen = []
    for _ in range(3):
        g.replay()
        seen.append((drawn.tolist(), pair.tolist()))
    pt.cuda.manual_seed(5)
    eager = [
        (pt.rand(6, device="cuda").tolist(), pt.randint(0, 100, (3,), device="cuda").tolist())
        for _ in range(3)
    ]
    assert seen == eager
    after = pt.rand(2, device="cuda")
    pt.cuda.manual_seed(5)
    for _ in range(3):
        g.replay()
    assert pt.equal(pt.rand(2, device="cuda"), after)


def test_generators_must_be_known_to_the_graph():
    own = pt.Generator("cuda").manual_seed(9)
    g = pt.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="register_generator_state"), pt.cuda.graph(g):
        pt.rand(2, device="cuda", generator=own)
    g = pt.cuda.CUDAGraph()
    g.register_generator_state(own)
    with pt.cuda.graph(g):
        drawn = pt.rand(2, device="cuda", generator=own)
    g.replay()
    assert pt.equal(drawn, pt.rand(2, device="cuda", generator=own.manual_seed(9)))
    with pytest.raises(RuntimeError, match="expected a generator of a cuda device"):
        pt.cuda.CUDAGraph().register_generator_state(pt.Generator())


def capture(body, **options):
    g = pt.cuda.CUDAGraph()
    with pt.cuda.graph(g, **options):
        body()
    return g


FORBIDDEN = {
    "item": (lambda x: x.sum().item(), "operation not permitted when stream is capturing"),
    "cpu": (lambda x: x.cpu(), "operation not permitted when stream is capturing"),
    "bool": (lambda x: bool(x[0] > 0), "operation not permitted when stream is capturing"),
    "nonzero": (lambda x: x.nonzero(), "operation not permitted when stream is capturing"),
    "pageable": (lambda x: x.copy_(pt.ones(4)), "unless the CPU tensor is pinned"),
    "tensor": (lambda x: pt.tensor([1.0, 2.0], device="cuda"), "unless the CPU tensor is pinned"),
    "synchronize": (lambda x: pt.cuda.synchronize(), "operation not permitted when stream is"),
    "stream": (
        lambda x: pt.cuda.current_stream().synchronize(),
        "operation not permitted when stream is capturing",
    ),
    "query": (lambda x: pt.cuda.current_stream().query(), "operation not permitted when stream is"),
    "event": (
        lambda x: pt.cuda.current_stream().record_event().synchronize(),
        "event last recorded in a capturing stream",
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_a_capture_forbids_is_said_and_leaves_the_device_usable(what):
    body, text = FORBIDDEN[what]
    x = pt.ones(4, device="cuda")
    with pytest.raises(RuntimeError, match=text):
        capture(lambda: body(x))
    assert not pt.cuda.is_current_stream_capturing()
    assert pt.cuda.current_stream() == pt.cuda.default_stream()
    assert (x + 1).tolist() == [2.0] * 4
    assert pt.rand(1, device="cuda").item() < 1
    y = x.clone()
    g = capture(lambda: y.add_(1))
    g.replay()
    assert y.tolist() == [2.0] * 4


def test_a_broken_capture_makes_no_graph():
    g = pt.cuda.CUDAGraph()
    side = pt.cuda.Stream()
    with pt.cuda.stream(side):
        g.capture_begin()
        with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
            side.synchronize()
        with pytest.raises(RuntimeError, match="due to a previous error during capture"):
            g.capture_end()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        g.replay()


def test_a_failure_is_raised_once():
    start, end = (pt.cuda.Event(enable_timing=True) for _ in range(2))
    x = pt.ones(2, device="cuda")

    def body():
        start.record()
        x.add_(1)
        end.record()

    g = capture(body)
    with pytest.raises(RuntimeError, match="event last recorded in a capturing stream"):
        start.elapsed_time(end)
    assert (x + 1).tolist() == [2, 2]  # it is not this call's
    g.replay()
    assert x.tolist() == [2, 2]


def test_where_and_how_often_a_capture_may_begin():
    g = pt.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="must be captured on a non-default stream"):
        g.capture_begin()
    with pytest.raises(RuntimeError, match="no capture has begun"):
        g.capture_end()
    with pytest.raises(RuntimeError, match="Unknown capture error mode"):
        capture(lambda: None, capture_error_mode="some")
    x = pt.zeros(2, device="cuda")
    with pt.cuda.graph(g):
        assert pt.cuda.is_current_stream_capturing()
        x.add_(1)
        with pytest.raises(RuntimeError, match="being captured already"):
            pt.cuda.CUDAGraph().capture_begin()
    assert x.tolist() == [0, 0]  # nothing has run
    with pytest.raises(RuntimeError, match="already owns a captured graph"), pt.cuda.graph(g):
        pass
    g.reset()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        g.replay()
    with pt.cuda.graph(g):
        x.add_(2)
    g.replay()
    assert x.tolist() == [2, 2]


def test_branches_of_streams_are_captured():
    x = pt.arange(4.0, device="cuda")
    side = pt.cuda.Stream()

    def body():
        main = pt.cuda.current_stream()
        side.wait_stream(main)
        a = x * 2
        with pt.cuda.stream(side):
            b = x + 10
        main.wait_stream(side)
        results.append(a + b)

    results: list[pt.Tensor] = []
    g = capture(body)
    g.replay()
    assert results[0].tolist() == [10, 13, 16, 19]
    x.add_(1)
    g.replay()
    assert results[0].tolist() == [13, 16, 19, 22]

    def unjoined():
        side.wait_stream(pt.cuda.current_stream())
        with pt.cuda.stream(side):
            x.add_(1)

    with pytest.raises(RuntimeError, match="unjoined work"):
        capture(unjoined)


def test_memory_of_a_graph_is_its_own_until_reset():
    x = pt.ones(1000, device="cuda")
    g = pt.cuda.CUDAGraph()
    with pt.cuda.graph(g):
        y = (x * 2 + 1) * 3
    for _ in range(10):  # what eager code gets now must not be the graph's
        others = [pt.zeros(1000, device="cuda") for _ in range(8)]
    g.replay()
    assert y.sum().item() == 9000
    assert all(o.sum().item() == 0 for o in others)
    reserved = pt.cuda.memory_reserved()
    pt.cuda.empty_cache()
    g.replay()
    assert y.sum().item() == 9000
    del y
    g.reset()
    pt.cuda.empty_cache()
    assert pt.cuda.memory_reserved() < reserved


def test_graphs_share_a_pool():
    x = pt.ones(50_000, device="cuda")
    first, second, apart = (pt.cuda.CUDAGraph() for _ in range(3))

    def reserved_by(g, pool=None):
        gc.collect()
        pt.cuda.empty_cache()
        before = pt.cuda.memory_reserved()
        with pt.cuda.graph(g, pool=pool):
            result = (x + 1).mul(2).sum()
        return result, pt.cuda.memory_reserved() - before

    a, _ = reserved_by(first)
    b, more = reserved_by(second, first.pool())
    c, separate = reserved_by(apart)
    assert first.pool() == second.pool() != apart.pool()
    if CACHED:
        assert more < separate
    first.replay()
    second.replay()
    apart.replay()
    assert a.item() == b.item() == c.item() == 200_000
    first.reset()
    second.replay()
    assert b.item() == 200_000
    assert pt.cuda.graph_pool_handle() != pt.cuda.graph_pool_handle()


def test_copies_from_and_to_pinned_memory_are_captured():
    source, target = pt.zeros(3).pin_memory(), pt.zeros(3).pin_memory()
    x = pt.zeros(3, device="cuda")

    def body():
        x.copy_(source, non_blocking=True)
        target.copy_(x * 2, non_blocking=True)

    g = capture(body)
    for value in (1.0, 5.0):
        source.fill_(value)
        g.replay()
        pt.cuda.synchronize()
        assert target.tolist() == [2 * value] * 3


def test_pinned_memory_is_kept_for_the_graph_that_copies_from_it():
    source = pt.full((700,), 3.0).pin_memory()
    at = source.data_ptr()
    x = pt.zeros(700, device="cuda")
    g = capture(lambda source=source: x.copy_(source, non_blocking=True))
    del source
    others = [pt.zeros(700).pin_memory() for _ in range(3)]
    assert at not in [o.data_ptr() for o in others]
    g.replay()
    assert x.sum().item() == 2100
    g.reset()
    assert pt.zeros(700, pin_memory=True).data_ptr() == at


def test_numbers_made_on_the_host_are_captured():
    def body():
        made.append(pt.arange(3000, device="cuda") + pt.full((3000,), 2, device="cuda"))
        made.append(pt.eye(3, device="cuda") + pt.linspace(0, 1, 3, device="cuda"))

    made: list[pt.Tensor] = []
    g = capture(body)
    for _ in range(2):
        g.replay()
        assert pt.equal(made[0].cpu(), pt.arange(3000) + 2)
        assert pt.equal(made[1].cpu(), pt.eye(3) + pt.linspace(0, 1, 3))
        for t in made:
            t.zero_()


def test_graphs_may_be_dropped_while_another_is_captured():
    x = pt.ones(3, device="cuda")
    first, second = pt.cuda.CUDAGraph(), pt.cuda.CUDAGraph()
    with pt.cuda.graph(first):
        x.repeat(400_000).mul_(2)
    with pt.cuda.graph(second):
        reserved = pt.cuda.memory_reserved()
        del first
        gc.collect()
        y = x + 1
        assert pt.cuda.memory_reserved() >= reserved  # it is given back later
    assert pt.cuda.memory_reserved() < reserved
    second.replay()
    assert y.tolist() == [2, 2, 2]


def test_a_graph_that_is_dropped_while_capturing():
    side = pt.cuda.Stream()
    with pt.cuda.stream(side):
        g = pt.cuda.CUDAGraph()
        g.capture_begin()
        pt.ones(3, device="cuda").add_(1)
        del g
        gc.collect()
        assert not pt.cuda.is_current_stream_capturing()
        assert pt.rand(1, device="cuda").item() < 1


def test_graphed_callables():
    pt.manual_seed(0)
    eager = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).cuda()
    graphed = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).cuda()
    graphed.load_state_dict(eager.state_dict())
    sample = pt.randn(3, 4, device="cuda", requires_grad=True)
    graphed = pt.cuda.make_graphed_callables(graphed, (sample,))
    for _ in range(3):
        x = pt.randn(3, 4, device="cuda")
        pair = []
        for net in (eager, graphed):
            mine = x.clone().requires_grad_()
            loss = net(mine).square().sum()
            net.zero_grad()
            loss.backward()
            pair.append([loss, mine.grad, *(p.grad for p in net.parameters())])
        for a, b in zip(*pair):
            assert pt.allclose(a.cpu(), b.cpu(), atol=1e-6)


def test_graphed_functions():
    def double(x, y):
        return x * 2, x + y

    x, y = pt.ones(2, device="cuda", requires_grad=True), pt.ones(2, device="cuda")
    f = pt.cuda.make_graphed_callables(double, (x, y))
    a, b = f(pt.full((2,), 3.0, device="cuda", requires_grad=True), y + 4)
    assert (a.tolist(), b.tolist()) == ([6.0, 6.0], [8.0, 8.0])
