// The rows of the pointwise kernels' tables. Used by the cpu's loops (cpu/pointwise.h) and by those
// of devices (cuda/pointwise/loops.h): each has its own Pointwise<arity, F, T> with the function
// run() and the constant kBoolOutput, and its own kBoolInputs<F>. The lists that both fill their
// tables from are ops/functors/rows_*.h.
#pragma once

// Elements of a kernel table, PT_FLOAT_KERNEL("exp", 1, Exp): name, number of inputs, functor.
// Macros, because only the address of a named function converts to AnyFn without load-time code.
#define PT_POINTWISE(arity, F, T) PT_FN((&Pointwise<arity, F, T>::run))
#define PT_KERNEL_ROW(name, arity, F, T, bool_, u8, i8, i32, i64, f32, f64) \
  {name,                                                                    \
   {bool_, u8, i8, nullptr, i32, i64, nullptr, nullptr, f32, f64},          \
   Pointwise<arity, F, T>::kBoolOutput,                                     \
   kBoolInputs<F>}
// float, double
#define PT_FLOAT_KERNEL(name, arity, F)                                             \
  PT_KERNEL_ROW(name, arity, F, float, nullptr, nullptr, nullptr, nullptr, nullptr, \
                PT_POINTWISE(arity, F, float), PT_POINTWISE(arity, F, double))
// int32, int64
#define PT_INTEGER_KERNEL(name, arity, F)                                                  \
  PT_KERNEL_ROW(name, arity, F, int32_t, nullptr, nullptr, nullptr,                        \
                PT_POINTWISE(arity, F, int32_t), PT_POINTWISE(arity, F, int64_t), nullptr, \
                nullptr)
// float, double, int32, int64
#define PT_NUMBER_KERNEL(name, arity, F)                                                           \
  PT_KERNEL_ROW(name, arity, F, float, nullptr, nullptr, nullptr, PT_POINTWISE(arity, F, int32_t), \
                PT_POINTWISE(arity, F, int64_t), PT_POINTWISE(arity, F, float),                    \
                PT_POINTWISE(arity, F, double))
// The two above with bfloat16 as well, for calls that compute with nothing but it. The includer
// says what PT_BFLOAT16_SLOT is.
#define PT_LOW_FLOAT_KERNEL(name, arity, F)                                                      \
  {                                                                                              \
    name, {                                                                                      \
      nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_BFLOAT16_SLOT(arity, F), \
          PT_POINTWISE(arity, F, float), PT_POINTWISE(arity, F, double)                          \
    }                                                                                            \
  }
#define PT_LOW_NUMBER_KERNEL(name, arity, F)                                    \
  {                                                                             \
    name, {                                                                     \
      nullptr, nullptr, nullptr, nullptr, PT_POINTWISE(arity, F, int32_t),      \
          PT_POINTWISE(arity, F, int64_t), nullptr, PT_BFLOAT16_SLOT(arity, F), \
          PT_POINTWISE(arity, F, float), PT_POINTWISE(arity, F, double)         \
    }                                                                           \
  }
// Numbers and the 1-byte types, where signs matter (bool orders like uint8).
#define PT_ORDER_KERNEL(name, arity, F)                                           \
  PT_KERNEL_ROW(name, arity, F, float, PT_POINTWISE(arity, F, uint8_t),           \
                PT_POINTWISE(arity, F, uint8_t), PT_POINTWISE(arity, F, int8_t),  \
                PT_POINTWISE(arity, F, int32_t), PT_POINTWISE(arity, F, int64_t), \
                PT_POINTWISE(arity, F, float), PT_POINTWISE(arity, F, double))
// Numbers and the 1-byte types, where equality is all that matters: one kernel serves these.
#define PT_ANY_KERNEL(name, arity, F)                                             \
  PT_KERNEL_ROW(name, arity, F, float, PT_POINTWISE(arity, F, uint8_t),           \
                PT_POINTWISE(arity, F, uint8_t), PT_POINTWISE(arity, F, uint8_t), \
                PT_POINTWISE(arity, F, int32_t), PT_POINTWISE(arity, F, int64_t), \
                PT_POINTWISE(arity, F, float), PT_POINTWISE(arity, F, double))
// Integers and bool; `FBool` is the functor for bool.
#define PT_BITS_KERNEL(name, arity, F, FBool)                                              \
  PT_KERNEL_ROW(name, arity, F, int32_t, PT_POINTWISE(arity, FBool, uint8_t),              \
                PT_POINTWISE(arity, F, uint8_t), PT_POINTWISE(arity, F, uint8_t),          \
                PT_POINTWISE(arity, F, int32_t), PT_POINTWISE(arity, F, int64_t), nullptr, \
                nullptr)
