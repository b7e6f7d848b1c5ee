// Conversions between Scalar and tensor elements.
#include "core/scalar.h"

#include <cmath>
#include <limits>

#include "core/error.h"

namespace pt {

namespace {

// The names that PyTorch's message has.
template <class T>
constexpr const char* cpp_name() {
  if constexpr (std::is_same_v<T, uint8_t>) return "uint8_t";
  if constexpr (std::is_same_v<T, int8_t>) return "int8_t";
  if constexpr (std::is_same_v<T, int16_t>) return "int16_t";
  if constexpr (std::is_same_v<T, int32_t>) return "int";
  if constexpr (std::is_same_v<T, int64_t>) return "int64_t";
  if constexpr (std::is_same_v<T, Half>) return "c10::Half";
  if constexpr (std::is_same_v<T, BFloat16>) return "c10::BFloat16";
  return "float";
}

}  // namespace

void Scalar::check_fits(DType dtype) const {
  visit_dtype(dtype, [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, double>) {
      double lowest, highest;
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
        highest = std::is_same_v<T, Half> ? 65504.0 : 0x1.fep127;
        lowest = -highest;
      } else {
        highest = static_cast<double>(std::numeric_limits<T>::max());
        lowest = std::is_unsigned_v<T> ? -highest
                                       : static_cast<double>(std::numeric_limits<T>::lowest());
      }
      const double v = to_double();
      const bool special = std::is_integral_v<T> ? std::isnan(v) : !std::isfinite(v);
      PT_CHECK(special || (v >= lowest && v <= highest), "value cannot be converted to type ",
               cpp_name<T>(), " without overflow");
    }
  });
}

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
