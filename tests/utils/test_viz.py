"""make_dot: what is drawn, and the pictures graphviz makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

import pytensor as torch
from pytensor.utils.viz import make_dot


def labels(graph):
    return re.findall(r'label="((?:[^"\\]|\\.)*)"', graph.source)


def edges(graph):
    """Pairs of labels that solid arrows connect."""
    names = dict(re.findall(r'^  (n\d+) \[label="((?:[^"\\]|\\.)*)"', graph.source, re.M))
    found = re.findall(r"^  (n\d+) -> (n\d+)$", graph.source, re.M)
    return {(names[a], names[b]) for a, b in found}


def test_parameters_by_name_and_backward_nodes():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 4))
    graph = make_dot(model(torch.ones(5, 3)), model)
    assert edges(graph) == {
        (r"0.weight\n(2, 3)", "AccumulateGrad"),
        (r"0.bias\n(2)", "AccumulateGrad"),
        (r"2.weight\n(4, 2)", "AccumulateGrad"),
        (r"2.bias\n(4)", "AccumulateGrad"),
        ("AccumulateGrad", "AddmmBackward0"),
        ("AddmmBackward0", "ReluBackward0"),
        ("ReluBackward0", "AddmmBackward0"),
        ("AddmmBackward0", "(5, 4)"),
    }


def test_values_and_gradients_of_numbers():
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(-3.0, requires_grad=True)
    loss = (a * b).tanh()
    loss.backward(retain_graph=True)
    graph = make_dot(loss, {"a": a, "b": b})
    assert rf"a\nvalue 2\ngrad {a.grad.item():.4g}" in labels(graph)
    assert rf"b\nvalue -3\ngrad {b.grad.item():.4g}" in labels(graph)
    assert ("TanhBackward0", "value -1") in edges(graph)


def test_shared_parts_are_drawn_once():
    w = torch.ones(3, requires_grad=True)
    h = w.exp()
    graph = make_dot((h.sum(), h.mean()), {"w": w})
    values = [f"value {h.sum().item():.4g}", f"value {h.mean().item():.4g}"]
    nodes = ["SumBackward0", "MeanBackward0", "ExpBackward0", "AccumulateGrad", r"w\n(3)"]
    assert sorted(labels(graph)) == sorted(nodes + values)
    twice = make_dot(w * w)
    assert twice.source.count("AccumulateGrad") == 1


def test_saved_tensors():
    w = torch.ones(3, requires_grad=True)
    loss = w.exp().sum()
    assert r"result\n(3)" in labels(make_dot(loss, show_saved=True))
    assert r"result\n(3)" not in labels(make_dot(loss))
    loss.backward()
    assert r"result\n(3)" not in labels(make_dot(loss, show_saved=True))  # freed


def test_deep_graphs_and_odd_names():
    x = torch.ones(2, requires_grad=True)
    y = x
    for _ in range(3000):
        y = y + 1
    graph = make_dot(y, {'a "quoted" \\ name': x})
    assert graph.source.count("AddBackward0") == 3000
    assert r"a \"quoted\" \\ name\n(2)" in labels(graph)


def test_refused(tmp_path):
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        make_dot([3])
    with pytest.raises(RuntimeError, match="has no graph"):
        make_dot(torch.ones(2))
    graph = make_dot(torch.ones(2, requires_grad=True).sum())
    with pytest.raises(ValueError, match="must end in"):
        graph.render(tmp_path / "graph.bmp")


def test_text_file(tmp_path):
    graph = make_dot(torch.ones(2, requires_grad=True).sum())
    graph.render(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text() == str(graph) == graph.source


def test_without_graphviz(monkeypatch, tmp_path):
    graph = make_dot(torch.ones(2, requires_grad=True).sum())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert graph._repr_mimebundle_() == {"text/plain": graph.source}
    with pytest.raises(RuntimeError, match="not installed"):
        graph.render(tmp_path / "graph.svg")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs graphviz")
def test_pictures(tmp_path):
    w = torch.ones(3, 2, requires_grad=True)
    graph = make_dot((w * 2).sum(), {'odd " name \\': w})
    path = graph.render(tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text()
    assert path == str(tmp_path / "graph.svg")
    assert "<svg" in text
    assert "MulBackward0" in text
    assert "(3, 2)" in text
    assert "<svg" in graph._repr_mimebundle_()["image/svg+xml"]
    graph.source = "digraph {"
    with pytest.raises(RuntimeError, match="dot failed"):
        graph.render(tmp_path / "graph.svg")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs graphviz")
def test_dot_reads_the_text():
    graph = make_dot(torch.ones(3, requires_grad=True).exp().sum(), show_saved=True)
    done = subprocess.run(["dot", "-Tplain"], input=graph.source.encode(), capture_output=True)
    assert done.returncode == 0
    assert done.stdout.decode().count("\nnode ") == len(labels(graph))
