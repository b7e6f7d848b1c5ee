// History of views: node.cpp asks for these nodes when an in-place op touches a view or its base.
// They are implemented above the ops (view_nodes.cpp), since their gradients are ops themselves.
#pragma once

#include "core/tensor.h"

namespace pt {

class Node;

// A node that maps gradients of `view` to gradients of `base` through their geometry.
Ref<Node> make_view_node(const Tensor& base, const Tensor& view);
// A node for `base` after `node` computed new values for its part `view`.
Ref<Node> make_copy_slices(const Tensor& base, const Tensor& view, Ref<Node> node);

}  // namespace pt
