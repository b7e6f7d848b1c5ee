// Comparisons, classification, logic, bit operations and selection. Results named Bool8 are 0 or 1.
#pragma once

#include "ops/functors/functor.h"

namespace PT_FUNCTOR_NAMESPACE {

#define PT_COMPARISON(Name, op)                  \
  struct Name {                                  \
    template <class T>                           \
    PT_INLINE Bool8 operator()(T a, T b) const { \
      return a op b ? 1 : 0;                     \
    }                                            \
  };
PT_COMPARISON(Eq, ==)
PT_COMPARISON(Ne, !=)
PT_COMPARISON(Lt, <)
PT_COMPARISON(Le, <=)
PT_COMPARISON(Gt, >)
PT_COMPARISON(Ge, >=)
#undef PT_COMPARISON

struct LogicalAnd {
  template <class T>
  PT_INLINE Bool8 operator()(T a, T b) const {
    return ((a != T(0)) & (b != T(0))) ? 1 : 0;
  }
};
struct LogicalOr {
  template <class T>
  PT_INLINE Bool8 operator()(T a, T b) const {
    return ((a != T(0)) | (b != T(0))) ? 1 : 0;
  }
};
struct LogicalXor {
  template <class T>
  PT_INLINE Bool8 operator()(T a, T b) const {
    return ((a != T(0)) != (b != T(0))) ? 1 : 0;
  }
};
struct LogicalNot {
  template <class T>
  PT_INLINE Bool8 operator()(T x) const {
    return x == T(0) ? 1 : 0;
  }
};

struct BitwiseAnd {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return T(a & b);
  }
};
struct BitwiseOr {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return T(a | b);
  }
};
struct BitwiseXor {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return T(a ^ b);
  }
};
struct BitwiseNot {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return T(~x);
  }
};
// Distances outside [0, width) shift everything out: 0, or the sign for a right shift.
struct Lshift {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    using U = Unsigned<T>;
    constexpr T width = sizeof(T) * 8;
    return math::select(U(b) < U(width), T(U(a) << (U(b) & U(width - 1))), T(0));
  }
};
struct Rshift {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    using U = Unsigned<T>;
    constexpr T width = sizeof(T) * 8;
    return T(a >> math::select(U(b) < U(width), b, T(width - 1)));
  }
};

// Integers are finite.
#define PT_CLASSIFICATION(Name, condition, of_integers) \
  struct Name {                                         \
    template <class T>                                  \
    PT_INLINE Bool8 operator()(T x) const {             \
      if constexpr (kIsFloat<T>) {                      \
        return (condition) ? 1 : 0;                     \
      } else {                                          \
        return of_integers;                             \
      }                                                 \
    }                                                   \
  };
PT_CLASSIFICATION(IsNan, math::is_nan(x), 0)
PT_CLASSIFICATION(IsInf, math::abs(x) == math::kInf<T>, 0)
PT_CLASSIFICATION(IsFinite, math::abs(x) < math::kInf<T>, 1)
PT_CLASSIFICATION(IsPosInf, x == math::kInf<T>, 0)
PT_CLASSIFICATION(IsNegInf, x == -math::kInf<T>, 0)
#undef PT_CLASSIFICATION

struct SignBit {
  template <class T>
  PT_INLINE Bool8 operator()(T x) const {
    if constexpr (kIsFloat<T>) {
      return Bool8(math::bits(x) >> (sizeof(T) * 8 - 1));
    } else {
      return x < T(0) ? 1 : 0;
    }
  }
};

struct Where {
  static constexpr int kBoolInput = 0;
  template <class T>
  PT_INLINE T operator()(Bool8 condition, T a, T b) const {
    return condition != 0 ? a : b;
  }
};
struct MaskedFill {
  static constexpr int kBoolInput = 1;
  template <class T>
  PT_INLINE T operator()(T x, Bool8 mask, T value) const {
    return mask != 0 ? value : x;
  }
};

}  // namespace PT_FUNCTOR_NAMESPACE
