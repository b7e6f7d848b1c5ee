// Checks of class targets. See classes.h.
#include "ops/loss/classes.h"

#include "op/copy.h"
#include "ops/index/selection.h"

namespace pt {

ClassTargets class_levels(const Tensor& self) {
  ClassTargets t;
  t.class_dim = self.dim() < 2 ? 0 : 1;
  for (int i = 0; i < self.dim(); ++i) {
    const int64_t size = self->sizes[i];
    if (i == t.class_dim) {
      t.n = size;
      continue;
    }
    (i < t.class_dim ? t.outer : t.inner) *= size;
    t.shape.push_back(size);
  }
  return t;
}

void check_class_weight(const char* prefix, const Tensor& self, const Tensor& weight, int64_t n) {
  if (!weight.defined()) return;
  PT_CHECK(weight.dim() == 1 && weight.numel() == n, prefix,
           "weight tensor should be defined either for all ", n,
           " classes or no classes but got weight tensor of shape: ", weight.sizes());
  PT_CHECK(weight.dtype() == self.dtype(), "expected scalar type ", scalar_type_name(self.dtype()),
           " but found ", scalar_type_name(weight.dtype()));
}

ClassTargets class_targets(const Tensor& self, const Tensor& target, const Tensor& weight) {
  const int dims = self.dim();
  PT_CHECK_VALUE(dims >= 1, "Expected 1 or more dimensions (got 0)");
  if (dims > 1) {
    PT_CHECK_INDEX(target.dim() > 0, "Dimension specified as 0 but tensor has no dimensions");
    PT_CHECK_VALUE(self->sizes[0] == target->sizes[0], "Expected input batch_size (",
                   self->sizes[0], ") to match target batch_size (", target->sizes[0], ").");
  }
  ClassTargets t = class_levels(self);
  if (dims <= 2) {
    PT_CHECK(target.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported");
    if (dims == 1) {
      PT_CHECK(target.numel() == 1, "size mismatch (got input: ", self.sizes(),
               ", target: ", target.sizes(), ")");
      t.shape = target.sizes();
    }
  } else if (dims == 4) {
    PT_CHECK(target.dim() == 3,
             "only batches of spatial targets supported (3D tensors) but got targets of "
             "dimension: ",
             target.dim());
    PT_CHECK(same(t.shape, target.sizes()), "size mismatch (got input: ", self.sizes(),
             " , target: ", target.sizes());
  } else {
    PT_CHECK(same(t.shape, target.sizes()), "Expected target size ", t.shape, ", got ",
             target.sizes());
  }
  PT_CHECK(target.dtype() == DType::kInt64 || target.dtype() == DType::kUInt8,
           "expected target dtype to be Long or Byte, but got ", scalar_type_name(target.dtype()));
  check_class_weight("", self, weight, t.n);
  t.index = as_contiguous(cast_to(target, DType::kInt64));
  return t;
}

double total_class_weight(const ClassTargets& targets, const Tensor& weight, int64_t ignore_index) {
  Tensor w;
  if (weight.defined()) w = as_contiguous(cast_to(weight, DType::kFloat64));
  const double* weights = w.defined() ? w.data<double>() : nullptr;
  const int64_t* classes = targets.data();
  double total = 0;
  int64_t counted = 0;
  for (int64_t i = 0; i < targets.count(); ++i) {
    const int64_t c = classes[i];
    if (c == ignore_index) continue;
    PT_CHECK_INDEX(c >= 0 && c < targets.n, "Target ", c, " is out of bounds.");
    ++counted;
    if (weights) total += weights[c];
  }
  return weights ? total : static_cast<double>(counted);
}

namespace {
const Kernel<ClassLossFn> kTotal{"class_total"};
}  // namespace

DeviceClasses::DeviceClasses(const ClassTargets& targets, const Tensor& weight,
                             int64_t ignore_index)
    : index_(targets.index) {
  PT_CHECK_INDEX(!index_.defined() || targets.n > 0 || targets.count() == 0,
                 "Target 0 is out of bounds.");
  a.outer = targets.outer;
  a.n = targets.n;
  a.inner = targets.inner;
  a.classes = index_.defined() ? index_.data<int64_t>() : nullptr;
  a.ignored = ignore_index;
  if (weight.defined()) {
    weight_ = as_contiguous(cast_to(weight, DType::kFloat64));
    a.weight = weight_.data<double>();
  }
}

std::tuple<Tensor, Tensor> DeviceClasses::total(const Tensor& losses, DType dtype, bool mean) {
  const Tensor loss = empty_tensor({}, dtype), divisor = empty_tensor({}, DType::kFloat64);
  a.losses = losses.data<double>();
  a.mean = mean;
  a.total = loss.raw();
  a.divisor = divisor.data<double>();
  kTotal.get(dtype)(a);
  return {loss, divisor};
}

}  // namespace pt
