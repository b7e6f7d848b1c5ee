// Which integers random_ and randint draw from, for each dtype: PyTorch's rules and errors.
#include <limits>

#include "core/error.h"
#include "ops/random/distributions.h"

namespace pt::random {

namespace {

// Largest integer up to which a floating dtype holds every one: 2^digits.
int digits(DType t) {
  switch (t) {
    case DType::kFloat16:
      return 11;
    case DType::kBFloat16:
      return 8;
    case DType::kFloat32:
      return 24;
    default:
      return 53;
  }
}

int64_t round_trip(DType t, int64_t value) {
  switch (t) {
    case DType::kFloat16:
      return static_cast<int64_t>(float(Half(static_cast<float>(value))));
    case DType::kBFloat16:
      return static_cast<int64_t>(float(BFloat16(static_cast<float>(value))));
    case DType::kFloat32:
      return static_cast<int64_t>(static_cast<float>(value));
    default:
      return static_cast<int64_t>(static_cast<double>(value));
  }
}

int64_t spacing(DType t, int64_t value) {
  int log2 = 0;
  const auto bits = static_cast<uint64_t>(value);
  for (uint64_t v = value < 0 ? 0 - bits : bits; v >>= 1;) ++log2;
  return int64_t{1} << (log2 - digits(t) + 1);
}

// The bounds moved inwards to values that survive rounding to the dtype.
int64_t raise_from(DType t, int64_t from) {
  if (from == std::numeric_limits<int64_t>::max()) return from;
  const int64_t rounded = round_trip(t, from + 1);
  return rounded < from ? rounded + spacing(t, from + 1) : from;
}
int64_t lower_to(DType t, int64_t to) {
  if (to == std::numeric_limits<int64_t>::min()) return to;
  const int64_t rounded = round_trip(t, to - 1);
  return rounded >= to ? rounded - spacing(t, to - 1) : to;
}

void check_bounds(DType t, int64_t from, int64_t last, bool* inexact) {
  constexpr const char* kNames[kNumDTypes] = {
      "bool",     "unsigned char", "signed char",   "short int", "int",
      "long int", "c10::Half",     "c10::BFloat16", "float",     "double"};
  const char* name = kNames[static_cast<int>(t)];
  double low = 0, high = 0;
  bool wide = false;  // every int64 fits
  visit_dtype(t, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_same_v<T, Half>) {
      high = 65504, low = -high;
    } else if constexpr (std::numeric_limits<T>::is_integer) {
      wide = std::is_same_v<T, int64_t>;
      low = static_cast<double>(std::numeric_limits<T>::lowest());
      high = static_cast<double>(std::numeric_limits<T>::max());
    } else {
      wide = true;
    }
  });
  const auto inside = [&](int64_t v) {
    return wide || (static_cast<double>(v) >= low && static_cast<double>(v) <= high);
  };
  PT_CHECK(inside(from), "from is out of bounds for ", name);
  PT_CHECK(inside(last), "to - 1 is out of bounds for ", name);
  if (inexact != nullptr && is_floating(t)) {
    const int64_t limit = int64_t{1} << digits(t);
    *inexact = from < -limit || from > limit || last < -limit || last > limit;
  }
}

int64_t largest(DType t) {
  if (is_floating(t)) return int64_t{1} << digits(t);
  return visit_dtype(t, [](auto tag) -> int64_t {
    using T = decltype(tag);
    if constexpr (std::numeric_limits<T>::is_integer) {
      return static_cast<int64_t>(std::numeric_limits<T>::max());
    } else {
      return 0;
    }
  });
}

}  // namespace

IntegerRange integer_range(DType t) {
  IntegerRange r;
  r.range = static_cast<uint64_t>(largest(t)) + 1;
  r.two_words = t == DType::kInt64 || t == DType::kFloat64;
  return r;
}

IntegerRange integer_range(DType t, int64_t from, std::optional<int64_t> to, bool* inexact) {
  IntegerRange r;
  if (inexact != nullptr) *inexact = false;
  if (!to && from == std::numeric_limits<int64_t>::lowest()) {
    PT_CHECK_KIND(ErrorKind::kNotImplemented, t != DType::kFloat16 && t != DType::kBool,
                  "\"random_full_64_bits_range_kernel_cpu\" not implemented for '",
                  t == DType::kBool ? "Bool" : "Half", "'");
    PT_CHECK(t == DType::kInt64 || is_floating(t),
             "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16");
    r.two_words = true;
    return r;
  }
  int64_t last;
  if (to) {
    PT_CHECK(from < *to, "random_ expects 'from' to be less than 'to', but got from=", from,
             " >= to=", *to);
    if (is_floating(t)) {
      from = raise_from(t, from);
      to = lower_to(t, *to);
      PT_CHECK(from < *to,
               "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
               "but got from=",
               from, " >= to=", *to);
    }
    last = *to - 1;
  } else {
    last = largest(t);
    if (is_floating(t)) {
      from = raise_from(t, from);
      PT_CHECK(from < last,
               "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' "
               "casted to dtype, but got from=",
               from, " > to_inc=", last);
    }
  }
  check_bounds(t, from, last, inexact);
  r.base = from;
  r.range = static_cast<uint64_t>(last) - static_cast<uint64_t>(from) + 1;
  // One word is enough while the remainder's skew stays below 5 percent.
  r.two_words = r.range >= (1u << 28);
  return r;
}

}  // namespace pt::random
