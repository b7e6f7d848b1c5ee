// Scalar: a Python number as an argument of an op (bool, int or float).
#pragma once

#include <cstdint>
#include <string>

#include "core/dtype.h"

namespace pt {

class Scalar {
 public:
  enum class Kind : uint8_t { kBool, kInt, kFloat };

  constexpr Scalar() : kind_(Kind::kInt), i_(0) {}
  constexpr Scalar(bool v) : kind_(Kind::kBool), i_(v) {}      // NOLINT: implicit by design
  constexpr Scalar(int v) : kind_(Kind::kInt), i_(v) {}        // NOLINT
  constexpr Scalar(long v) : kind_(Kind::kInt), i_(v) {}       // NOLINT
  constexpr Scalar(long long v) : kind_(Kind::kInt), i_(v) {}  // NOLINT
  constexpr Scalar(double v) : kind_(Kind::kFloat), d_(v) {}   // NOLINT

  Kind kind() const { return kind_; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_float() const { return kind_ == Kind::kFloat; }
  bool is_integral() const { return kind_ != Kind::kFloat; }
  double to_double() const { return kind_ == Kind::kFloat ? d_ : static_cast<double>(i_); }
  int64_t to_int() const { return kind_ == Kind::kFloat ? static_cast<int64_t>(d_) : i_; }
  bool to_bool() const { return kind_ == Kind::kFloat ? d_ != 0 : i_ != 0; }
  // Stores the value as one element of `dtype`.
  void store(DType dtype, void* out) const;
  // Raises when `dtype` cannot hold the value. Negative numbers wrap in unsigned integers, and
  // infinities stay.
  void check_fits(DType dtype) const;
  // The dtype of a tensor made from this number (float: the default dtype is the caller's).
  DType natural_dtype() const {
    return kind_ == Kind::kBool ? DType::kBool
                                : (kind_ == Kind::kInt ? DType::kInt64 : DType::kFloat64);
  }
  Scalar operator-() const { return kind_ == Kind::kFloat ? Scalar(-d_) : Scalar((long)-i_); }
  // One element of `dtype` at `data`.
  static Scalar load(DType dtype, const void* data);

 private:
  Kind kind_;
  union {
    int64_t i_;
    double d_;
  };
};

std::string to_text(const Scalar& s);

}  // namespace pt
