"""A line search for the strong Wolfe conditions, used by LBFGS.

Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6, with the cubic
interpolation and the safeguards of Mark Schmidt's minFunc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Evaluate = Callable[[Any], tuple[float, Any]]


class Point(NamedTuple):
    """A point on the line: step, loss, gradient, and the slope along the direction."""

    t: Any
    f: float
    g: Any
    slope: Any


def _cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """The minimum, within bounds, of the cubic with the losses and slopes of both points."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    low, high = bounds if bounds is not None else (left.t, right.t)
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    position = right.t - (right.t - left.t) * (
        (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
    )
    return min(max(position, low), high)


class _Search:
    def __init__(self, evaluate: Evaluate, d: Any, start: Point, limits: tuple[Any, ...]) -> None:
        self.evaluate, self.d, self.start = evaluate, d, start
        self.c1, self.c2, self.tolerance, self.max_iterations = limits
        self.evaluations = self.iterations = 0

    def at(self, t: Any) -> Point:
        f, g = self.evaluate(t)
        self.evaluations += 1
        return Point(t, f, g, g.dot(self.d))

    def too_high(self, p: Point) -> Any:
        return p.f > self.start.f + self.c1 * p.t * self.start.slope

    def flat(self, p: Point) -> Any:
        return abs(p.slope) <= -self.c2 * self.start.slope

    def bracket(self, t: Any) -> list[Point]:
        """Two points with an acceptable one between them, or one that is acceptable."""
        last, new = self.start, self.at(t)
        while self.iterations < self.max_iterations:
            if self.too_high(new) or (self.iterations > 1 and new.f >= last.f):
                return [last, new]
            if self.flat(new):
                return [new]
            if new.slope >= 0:
                return [last, new]
            bounds = (new.t + 0.01 * (new.t - last.t), new.t * 10)
            t = _cubic_minimum(last, new, bounds)
            last, new = new, self.at(t)
            self.iterations += 1
        return [self.start, new]

    def zoom(self, ends: list[Point]) -> Point:
        """The best point found by narrowing the bracket."""
        largest = self.d.abs().max()
        low, high = (0, 1) if ends[0].f <= ends[-1].f else (1, 0)
        stalled = False
        while len(ends) == 2 and self.iterations < self.max_iterations:
            if abs(ends[1].t - ends[0].t) * largest < self.tolerance:
                break
            first, last = min(ends[0].t, ends[1].t), max(ends[0].t, ends[1].t)
            t = _cubic_minimum(ends[0], ends[1])
            margin = 0.1 * (last - first)
            # Too near to an end twice in a row, or past it: a tenth inwards.
            if min(last - t, t - first) < margin:
                if stalled or t >= last or t <= first:
                    t = last - margin if abs(t - last) < abs(t - first) else first + margin
                    stalled = False
                else:
                    stalled = True
            else:
                stalled = False
            new = self.at(t)
            self.iterations += 1
            if self.too_high(new) or new.f >= ends[low].f:
                ends[high] = new
                low, high = (0, 1) if ends[0].f <= ends[1].f else (1, 0)
                continue
            if self.flat(new):
                ends[low] = new
                break
            if new.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = new
        return ends[low] if len(ends) == 2 else ends[0]


def strong_wolfe(
    evaluate: Evaluate,
    t: Any,
    d: Any,
    f: float,
    g: Any,
    slope: Any,
    max_iterations: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[float, Any, Any, int]:
    """Searches along d from a point of loss f, gradient g and slope.

    Args:
        evaluate: loss and flat gradient at a step along d. The gradient must be a new tensor.
        t: the first step to try.
        d: the direction, flat.

    Returns:
        Loss, flat gradient and step of the point found, and the number of evaluations.
    """
    start = Point(0, f, g, slope)
    search = _Search(evaluate, d, start, (c1, c2, tolerance, max_iterations))
    best = search.zoom(search.bracket(t))
    return best.f, best.g, best.t, search.evaluations
