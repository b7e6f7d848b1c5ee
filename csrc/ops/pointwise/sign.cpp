// Functions that take one operand's sign or neighbour from another.
#include "cpu/kernel_table.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/view/view.h"

namespace pt {

namespace {
const PointwiseKernel kHeaviside{"heaviside"}, kNextafter{"nextafter"};

// The next number of a 16-bit format, whose bits count up with the magnitude.
template <class T>
T next_half(T a, T b) {
  const float x = a, y = b;
  if (x != x) return a;
  if (y != y || x == y) return b;
  T next = a;
  if (x == 0) {
    next.bits = static_cast<uint16_t>((b.bits & 0x8000u) | 1u);
  } else {
    next.bits = static_cast<uint16_t>(a.bits + ((x < y) == (x > 0) ? 1 : -1));
  }
  return next;
}

template <class T>
Tensor next_halves(const Tensor& self, const Tensor& other) {
  if (call_on_device) {
    static const PointwiseKernel half{"nextafter_float16"}, bfloat{"nextafter_bfloat16"};
    const Value v[] = {Value::of(self), Value::of(other)};
    const KernelEntry& kernel = (self.dtype() == DType::kFloat16 ? half : bfloat).entry();
    return run_pointwise_as({}, kernel, DType::kFloat32, self.dtype(), v, 2);
  }
  const Dims sizes = broadcast_shapes(self.sizes(), other.sizes());
  const Tensor a = as_contiguous(expand(self, sizes)), b = as_contiguous(expand(other, sizes));
  const Tensor result = empty_tensor(sizes, self.dtype());
  for (int64_t i = 0; i < result.numel(); ++i)
    result.data<T>()[i] = next_half(a.data<T>()[i], b.data<T>()[i]);
  return result;
}

}  // namespace

PT_OP(copysign)
    .pointwise("copysign", Promote::kFloat)
    .saves("self, result@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor&) {
      if (g.needs(0)) g[0] = g.grad() * where(eq(self, 0), 0.0, div(g.result(), self));
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .inplace()
    .out()
    .doc("|self| with other's sign, elementwise.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), -2.0")
    .sample("R(3, 4), R(4)");

PT_OP(heaviside)
    .impl([](const Out& out, const Tensor& self, const Tensor& values) {
      PT_CHECK(self.dtype() == values.dtype(),
               "heaviside is not yet implemented for tensors with different dtypes.");
      return run_pointwise(out, kHeaviside, Promote::kCommon, self, values);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("0 below 0, 1 above, and the element of values at 0.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

PT_OP(nextafter)
    .impl([](const Tensor& self, const Tensor& other) {
      if (self.dtype() == DType::kFloat16 && other.dtype() == DType::kFloat16)
        return next_halves<Half>(self, other);
      if (self.dtype() == DType::kBFloat16 && other.dtype() == DType::kBFloat16)
        return next_halves<BFloat16>(self, other);
      return run_pointwise(Out{}, kNextafter, Promote::kCommon, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("The next floating point number after self in the direction of other.")
    .sample("R(3, 4), R(3, 4)");

}  // namespace pt
