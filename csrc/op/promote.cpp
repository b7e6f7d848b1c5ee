// Type promotion. The lattice is the one PyTorch documents for torch.promote_types.
#include "op/promote.h"

namespace pt {

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  if (is_complex(b)) {
    const bool wide = b == DType::kComplex128 || a == DType::kFloat64 || a == DType::kComplex128;
    return wide ? DType::kComplex128 : DType::kComplex64;
  }
  if (is_floating(b)) {
    if (a == DType::kFloat16 && b == DType::kBFloat16) return DType::kFloat32;
    return b;
  }
  if (a == DType::kUInt8 && b == DType::kInt8) return DType::kInt16;
  return b;
}

namespace {

constexpr int kUndefined = -1;

int promote_skip_undefined(int a, int b) {
  if (a == kUndefined) return b;
  if (b == kUndefined) return a;
  return static_cast<int>(promote_types(static_cast<DType>(a), static_cast<DType>(b)));
}

int combine(int higher, int lower) {
  if (higher == kUndefined) return lower;
  const auto h = static_cast<DType>(higher);
  if (is_complex(h)) return higher;
  if (is_floating(h)) {
    if (lower != kUndefined && is_complex(static_cast<DType>(lower)))
      return promote_skip_undefined(higher, lower);
    return higher;
  }
  if (h == DType::kBool) return promote_skip_undefined(higher, lower);
  if (lower != kUndefined && !is_integral(static_cast<DType>(lower), true))
    return promote_skip_undefined(higher, lower);
  return higher;
}

}  // namespace

DType result_type(std::span<const Value> operands) {
  int dims = kUndefined, zero = kUndefined, number = kUndefined;
  for (const Value& v : operands) {
    if (v.is_none()) continue;
    if (v.tag == Value::Tag::kTensor) {
      const TensorImpl* t = v.tensor;
      int d = static_cast<int>(t->dtype);
      if (t->has(TensorImpl::kWrappedNumber)) {
        if (is_floating(t->dtype)) d = static_cast<int>(default_dtype());
        number = promote_skip_undefined(number, d);
      } else if (t->sizes.size() > 0) {
        dims = promote_skip_undefined(dims, d);
      } else {
        zero = promote_skip_undefined(zero, d);
      }
    } else {
      const DType d = v.tag == Value::Tag::kFloat ? default_dtype() : v.as_scalar().natural_dtype();
      number = promote_skip_undefined(number, static_cast<int>(d));
    }
  }
  return static_cast<DType>(combine(dims, combine(zero, number)));
}

bool can_cast(DType from, DType to) {
  if (is_complex(from) && !is_complex(to)) return false;
  if (is_floating(from) && is_integral(to, true)) return false;
  return from == DType::kBool || to != DType::kBool;
}

}  // namespace pt
