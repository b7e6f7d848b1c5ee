// Margin losses. See ranking.h.
#include "ops/loss/ranking.h"

#include "cpu/kernel_table.h"
#include "cuda/args/loss_args.h"
#include "op/copy.h"
#include "op/device_check.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/loss/algorithms/multilabel.h"
#include "ops/loss/reduction.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/norm.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<DeviceLabelledRowsFn> kDeviceLosses{"device_multilabel_margin"};
const Kernel<DeviceLabelledRowsFn> kDeviceGradient{"device_multilabel_margin_backward"};

Tensor above_zero(const Tensor& t) { return clamp(t, 0.0); }

Tensor sum_last(const Tensor& t) {
  const int64_t last[] = {-1};
  return sum_dim(t, IntList(last), false);
}

Tensor distance(const Tensor& x, const Tensor& y, double p, double eps) {
  const int64_t last[] = {-1};
  return linalg_vector_norm(add(sub(x, y), eps), Scalar(p), IntList(last));
}

void check_rows(const Tensor& self) {
  const bool one = self.dim() < 2;
  PT_CHECK(self.dim() <= 2 && (one ? self.numel() != 0 : self->sizes[1] != 0),
           "Expected non-empty vector or matrix with optional 0-dim batch size, but got: ",
           self.sizes());
}

void check_long(const Tensor& target) {
  PT_CHECK(target.dtype() == DType::kInt64, "expected scalar type Long but found ",
           scalar_type_name(target.dtype()));
}

// Below n; a device says later what the message says now.
void check_range(const Tensor& target, int64_t low, int64_t n, OutOfBounds what,
                 const char* message) {
  if (!target.device().is_cpu())
    return check_interval_later(target, static_cast<double>(low), static_cast<double>(n - 1), what);
  const Tensor whole = as_contiguous(target);
  const int64_t* t = whole.data<int64_t>();
  for (int64_t i = 0; i < target.numel(); ++i) PT_CHECK(t[i] >= low && t[i] < n, message);
}

LabelledRows labelled_rows(const Tensor& self, const Tensor& target) {
  LabelledRows r;
  r.n = self.sizes().back();
  r.rows = self.numel() / std::max<int64_t>(1, r.n);
  r.in = self.raw();
  r.labels = target.data<int64_t>();
  return r;
}

}  // namespace

PT_OP(margin_ranking_loss)
    .composite([](const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                  int64_t reduction) {
      const Tensor wrong = mul(neg(target), sub(input1, input2));
      return reduce_loss(above_zero(add(wrong, margin)), reduction);
    })
    .function_only()
    .doc(
        "max(0, -target * (input1 - input2) + margin): target 1 wants input1 above input2, -1 "
        "below.\n\n"
        "Args:\n    reduction (int): 0 for none, 1 for the mean, 2 for the sum")
    .sample("R(4), R(4), torch.tensor([1.0, -1.0, 1.0, -1.0])")
    .sample("R(3, 4), R(3, 4), R(3, 4), 0.5, 1");

PT_OP(cosine_embedding_loss)
    .composite([](const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                  int64_t reduction) {
      PT_CHECK(target.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported");
      const int wanted = target.dim() + 1;
      PT_CHECK(input1.dim() == wanted && input2.dim() == wanted, target.dim(),
               "D target tensor expects ", wanted, "D input tensors, but found inputs with sizes ",
               input1.sizes(), " and ", input2.sizes(), ".");
      constexpr double eps = 1e-12;
      const Tensor product = sum_last(mul(input1, input2));
      const Tensor squares =
          mul(add(sum_last(mul(input1, input1)), eps), add(sum_last(mul(input2, input2)), eps));
      const Tensor cosine = div(product, sqrt(squares));
      const Tensor near = where(eq(target, 1), rsub(cosine, 1), 0.0);
      const Tensor far = where(eq(target, -1), above_zero(sub(cosine, margin)), 0.0);
      return reduce_loss(add(near, far), reduction);
    })
    .function_only()
    .doc(
        "1 - cos of the angle between input1 and input2 where target is 1, max(0, cos - margin) "
        "where it is -1.\n\n"
        "Args:\n    input1, input2: (N, D) or (D)\n    target: (N) or 0-dim\n"
        "    reduction (int): 0 for none, 1 for the mean, 2 for the sum")
    .sample("R(4, 3), R(4, 3), torch.tensor([1.0, -1.0, 1.0, -1.0])")
    .sample("R(4, 3), R(4, 3), torch.tensor([1, -1, 1, -1]), -0.5, 1")
    .sample("R(4), R(4), torch.tensor(1), 0.5, 2");

PT_OP(triplet_margin_loss)
    .composite([](const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                  double margin, double p, double eps, bool swap, int64_t reduction) {
      PT_CHECK(anchor.dim() == positive.dim() && anchor.dim() == negative.dim(),
               "The anchor, positive, and negative tensors are expected to have the same number "
               "of dimensions, but got: anchor ",
               anchor.dim(), "D, positive ", positive.dim(), "D, and negative ", negative.dim(),
               "D inputs");
      const Tensor near = distance(anchor, positive, p, eps);
      Tensor far = distance(anchor, negative, p, eps);
      if (swap) far = minimum(far, distance(positive, negative, p, eps));
      return reduce_loss(above_zero(add(sub(near, far), margin)), reduction);
    })
    .function_only()
    .doc(
        "max(0, |anchor - positive| - |anchor - negative| + margin) with p-norms of the last "
        "dimension.\n\n"
        "Args:\n    eps (float): added to the differences\n"
        "    swap (bool): the distance of positive and negative counts if it is less\n"
        "    reduction (int): 0 for none, 1 for the mean, 2 for the sum")
    .sample("R(4, 3), R(4, 3), R(4, 3)")
    .sample("R(4, 3), R(4, 3), R(4, 3), 0.5, 3.0, 1e-3, True, 1");

PT_OP(multi_margin_loss)
    .composite([](const Tensor& self, const Tensor& target, int64_t p, double margin,
                  const Tensor& weight, int64_t reduction) {
      check_rows(self);
      PT_CHECK(p == 1 || p == 2, "only p == 1 and p == 2 supported");
      const int64_t rows = self.dim() < 2 ? 1 : self->sizes[0];
      const int64_t n = self.dim() == 0 ? 1 : self.sizes().back();
      PT_CHECK(target.dim() <= 1 && target.numel() == rows,
               "multi_margin_loss: target tensor should be 1-D with size equal to the number of "
               "input samples (batch size). Expected target size [",
               rows, "], but got ", target.sizes(), ". Input has shape ", self.sizes(), ".");
      PT_CHECK(!weight.defined() || (weight.dim() <= 1 && weight.numel() == n),
               "inconsistent weight size, expected ", n, " but got ",
               weight.defined() ? weight.sizes() : Dims());
      check_long(target);
      check_range(target, 0, n, OutOfBounds::kClass, "target out of range");
      const Tensor x = reshape(self, Dims{rows, n}), index = reshape(target, Dims{rows, 1});
      Tensor z = relu(add(sub(x, gather(x, 1, index)), margin));
      if (p == 2) z = mul(z, z);
      if (weight.defined()) {
        const Tensor own = index_select(reshape(weight, Dims{n}), 0, reshape(target, Dims{rows}));
        z = mul(z, reshape(own, Dims{rows, 1}));
      }
      const Tensor losses = div(sum_last(scatter_value(z, 1, index, 0.0)), static_cast<double>(n));
      return reduce_loss(reshape(losses, target.sizes()), reduction);
    })
    .internal()
    .sample("R(3, 4), J(4, 3)")
    .sample("R(3, 4), J(4, 3), 2, 0.5, P(4), 0")
    .sample("R(4), J(4), 1, 2.0, None, 2");

PT_OP(multilabel_margin_loss)
    .composite([](const Tensor& self, const Tensor& target, int64_t reduction) {
      check_rows(self);
      PT_CHECK(same(self.sizes(), target.sizes()), "inconsistent target size: ", target.sizes(),
               " for input of size: ", self.sizes());
      check_long(target);
      const int64_t n = self.dim() == 0 ? 1 : self.sizes().back();
      check_range(target, -1, n, OutOfBounds::kLabels, "argument #2 'target' is out of range");
      const Tensor x = self.dim() == 0 ? reshape(self, Dims{1}) : self;
      return reduce_loss(multilabel_margin_rows(x, reshape(target, x.sizes())), reduction);
    })
    .internal()
    .sample("R(3, 4), torch.tensor([[3, 0, -1, 1], [-1, 2, 2, 2], [1, 2, 0, 3]])")
    .sample("R(4), torch.tensor([3, 0, -1, 1]), 0");

PT_OP(multilabel_margin_rows)
    .on_device()
    .impl([](const Tensor& self, const Tensor& target) {
      const DType t = self.dtype();
      PT_CHECK_KIND(ErrorKind::kNotImplemented, self.is_floating() && !is_half(t),
                    "\"multilabel_margin_loss_forward_out_frame\" not implemented for '",
                    scalar_type_name(t), "'");
      const Tensor x = as_contiguous(self), labels = as_contiguous(target);
      Dims shape = self.sizes();
      shape.resize(shape.size() - 1);
      const Tensor losses = empty_tensor(shape, t);
      const LabelledRows r = labelled_rows(x, labels);
      if (call_on_device) {
        kDeviceLosses.get(t)({r.rows, r.n, r.in, r.labels, nullptr, losses.raw()});
      } else {
        multilabel_margin_losses(r, t, losses.raw());
      }
      return losses;
    })
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target) {
      g[0] = multilabel_margin_rows_backward(g.grad(), self, target);
    })
    .node_name("MultilabelMarginLossBackward0")
    .internal();

// Piecewise constant in self, linear in grad.
PT_OP(multilabel_margin_rows_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target) {
      const Tensor x = as_contiguous(self), labels = as_contiguous(target);
      const Tensor g = as_contiguous(grad), out = empty_tensor(self.sizes(), self.dtype());
      const LabelledRows r = labelled_rows(x, labels);
      if (call_on_device) {
        kDeviceGradient.get(self.dtype())({r.rows, r.n, r.in, r.labels, g.raw(), out.raw()});
      } else {
        multilabel_margin_gradient(r, self.dtype(), g.raw(), out.raw());
      }
      return out;
    })
    .saves("shape:grad, self, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target) {
      if (!g.needs(0)) return;
      const Tensor one = scalar_tensor(Scalar(1.0), self.dtype());
      const Tensor slope = multilabel_margin_rows_backward(expand(one, grad.sizes()), self, target);
      g[0] = sum_last(mul(g.grad(), slope));
    })
    .internal();

}  // namespace pt
