// History of views and of bases written through them. See view_nodes.h.
#include "autograd/view_nodes.h"

#include "autograd/node.h"
#include "ops/core_ops.h"

namespace pt {

namespace {

// Gradient of a view to its base: the adjoint of as_strided.
class ViewNode final : public Node {
 public:
  ViewNode(const Tensor& base, const Tensor& view)
      : base_(shape_only(base)),
        sizes_(view.sizes()),
        strides_(view.strides()),
        offset_(view.offset() - base.offset()) {
    edges.push_back(gradient_edge(base));
    set_meta(0, view);
  }
  void apply(GradVector& grads, GradVector& out) override {
    out[0] =
        as_strided_backward(grads[0], base_.sizes(), base_.strides(), sizes_, strides_, offset_);
  }
  std::string name() const override { return "AsStridedBackward0"; }

 private:
  Tensor base_;
  Dims sizes_, strides_;
  int64_t offset_;
};

// New history of a base after `fn_` produced a part of it in place: the part's gradient goes
// through fn_, the rest passes unchanged.
class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, Ref<Node> fn)
      : base_(shape_only(base)),
        sizes_(view.sizes()),
        strides_(view.strides()),
        offset_(view.offset() - base.offset()),
        fn_(std::move(fn)) {
    set_meta(0, base);
    edges.push_back(gradient_edge(base));
    for (size_t i = 1; i < fn_->edges.size(); ++i) edges.push_back(fn_->edges[i]);
  }
  void apply(GradVector& grads, GradVector& out) override {
    // The gradient in the base's layout, so that the view's geometry fits it.
    Tensor g =
        empty_strided_tensor(base_.sizes(), base_.strides(), grads[0].dtype(), grads[0].device());
    copy_(g, grads[0]);
    Tensor part = as_strided(g, sizes_, strides_, offset_);
    GradVector in{clone(part)}, inner(fn_->edges.size());
    fn_->apply(in, inner);
    if (inner[0].defined()) {
      copy_(part, inner[0]);
    } else {
      zero_(part);
    }
    out[0] = g;
    for (size_t i = 1; i < inner.size(); ++i) out[i] = inner[i];
  }
  void release_saved() override { fn_->release_saved(); }
  std::string name() const override { return "CopySlices"; }

 private:
  Tensor base_;
  Dims sizes_, strides_;
  int64_t offset_;
  Ref<Node> fn_;
};

}  // namespace

Ref<Node> make_view_node(const Tensor& base, const Tensor& view) {
  return Ref<Node>::adopt(new ViewNode(base, view));
}

Ref<Node> make_copy_slices(const Tensor& base, const Tensor& view, Ref<Node> node) {
  return Ref<Node>::adopt(new CopySlices(base, view, std::move(node)));
}

}  // namespace pt
