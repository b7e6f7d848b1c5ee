// The engine: walks the graph from roots to leaves, newest node first, and hands each node the
// sum of the gradients of its outputs.
#pragma once

#include <span>
#include <vector>

#include "autograd/node.h"

namespace pt {

struct BackwardOptions {
  bool keep_graph = false;
  bool create_graph = false;
  bool accumulate = true;  // false: autograd.grad, leaves' .grad stay as they are
  bool allow_unused = false;
};

// roots with their gradients (undefined: ones, for one-element roots). With `inputs`, only the
// part of the graph that leads to them runs; their gradients are returned when !accumulate.
std::vector<Tensor> run_backward(std::span<const Tensor> roots, std::span<const Tensor> gradients,
                                 std::span<const Tensor> inputs, const BackwardOptions& options);

// Whether the passes that run in this thread accumulate into all leaves they reach. Otherwise a
// node must not start a backward() of its own, which would reach leaves nobody asked for.
bool reaches_all_leaves();

// Convenience for C++: loss.backward().
void backward(const Tensor& root, const Tensor& gradient = {}, bool keep_graph = false,
              bool create_graph = false);

}  // namespace pt
