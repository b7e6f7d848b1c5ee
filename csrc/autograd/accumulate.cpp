// Adding gradients to the .grad of leaves. See node.h.
#include "autograd/node.h"
#include "ops/core_ops.h"

namespace pt {

void AccumulateGrad::apply(GradVector& grads, GradVector&) {
  TensorImpl* leaf = variable_.impl();
  Tensor g = std::move(grads[0]);
  if (!leaf->grad) {
    // The gradient becomes .grad itself when nobody else holds it and its layout fits.
    const bool own = g->refs.load() == 1 && g->storage->refs.load() == 1 && !grad_enabled() &&
                     g->strides == leaf->strides;
    Tensor fresh;
    if (own) {
      fresh = g;
    } else if (grad_enabled()) {
      fresh = clone(g);
    } else {
      fresh = is_non_overlapping_and_dense(leaf)
                  ? empty_strided_tensor(leaf->sizes, leaf->strides, g.dtype(), g.device())
                  : empty_tensor(leaf->sizes, g.dtype(), g.device());
      copy_(fresh, g);
    }
    leaf->grad = fresh.detach_impl();
  } else if (!grad_enabled()) {
    const Tensor sum = Tensor::share(leaf->grad);
    add_(sum, g);
  } else {
    Tensor sum = add(Tensor::share(leaf->grad), g);
    release(leaf->grad);
    leaf->grad = sum.detach_impl();
  }
  if (leaf->extra)
    for (auto& h : std::vector(leaf->extra->post_accumulate.entries)) h.call(variable_);
}

}  // namespace pt
