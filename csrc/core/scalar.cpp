// Conversions between Scalar and tensor elements.
#include "core/scalar.h"

#include "core/error.h"

namespace pt {

void Scalar::store(DType dtype, void* out) const {
  visit_dtype(dtype, [&](auto t) {
    using T = decltype(t);
    T v;
    if constexpr (std::is_same_v<T, bool>) {
      v = to_bool();
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      v = T(static_cast<float>(to_double()));
    } else if constexpr (std::is_floating_point_v<T>) {
      v = kind_ == Kind::kFloat ? static_cast<T>(d_) : static_cast<T>(i_);
    } else {
      v = static_cast<T>(to_int());
    }
    *static_cast<T*>(out) = v;
  });
}

Scalar Scalar::load(DType dtype, const void* data) {
  return visit_dtype(dtype, [&](auto t) -> Scalar {
    using T = decltype(t);
    const T v = *static_cast<const T*>(data);
    if constexpr (std::is_same_v<T, bool>) {
      return Scalar(v);
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      return Scalar(static_cast<double>(static_cast<float>(v)));
    } else if constexpr (std::is_floating_point_v<T>) {
      return Scalar(static_cast<double>(v));
    } else {
      return Scalar(static_cast<long>(v));
    }
  });
}

std::string to_text(const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::kBool:
      return s.to_bool() ? "True" : "False";
    case Scalar::Kind::kInt:
      return std::to_string(s.to_int());
    default: {
      std::string digits;
      text::append(digits, s.to_double());
      return digits;
    }
  }
}

}  // namespace pt
