// The loops that run a functor (ops/functors) over contiguous chunks, and the helpers that turn
// a functor into a row of a kernel table. Used by the pointwise_*.cpp files alone.
//
// Every loop says `ivdep`: an output may be an input's own memory, but element i depends on
// elements i only. Cheap functors run in one plain loop; Blockwise ones in blocks of kBlock whose
// tail is padded, so that the vector code is the only code; Guarded ones check the range of a
// group of blocks first. Which inputs are scalars is a template parameter for the usual cases; in
// the others the scalars are spread over a small buffer.
#pragma once

#include <type_traits>
#include <utility>

#include "core/half.h"
#include "cpu/kernel_table.h"
#include "cpu/pointwise_args.h"
#include "cpu/pointwise_rows.h"
#include "ops/functors/functor.h"

namespace pt::PT_ISA {

inline constexpr int kBlock = 32;

template <class T, bool kScalar>
struct Input {
  using Type = T;
  const T* data;
  T operator[](int64_t i) const { return data[i]; }
  Input at(int64_t i) const { return {data + i}; }
};
template <class T>
struct Input<T, true> {
  using Type = T;
  T value;
  explicit Input(const T* p) : value(*p) {}
  T operator[](int64_t) const { return value; }
  Input at(int64_t) const { return *this; }
};

// The last, incomplete block of an input, filled up with its last element.
template <class In>
struct PaddedTail;
template <class T>
struct PaddedTail<Input<T, false>> {
  alignas(64) T buffer[kBlock];
  PaddedTail(Input<T, false> in, int64_t begin, int n) {
    for (int i = 0; i < n; ++i) buffer[i] = in[begin + i];
    for (int i = n; i < kBlock; ++i) buffer[i] = in[begin + n - 1];
  }
  Input<T, false> input() const { return {buffer}; }
};
template <class T>
struct PaddedTail<Input<T, true>> {
  Input<T, true> in;
  PaddedTail(Input<T, true> scalar, int64_t, int) : in(scalar) {}
  Input<T, true> input() const { return in; }
};

template <class F>
inline constexpr bool kIsBlockwise = std::is_base_of_v<Blockwise, F>;
template <class F>
inline constexpr bool kIsGuarded = std::is_base_of_v<Guarded, F>;

// Elements whose range a Guarded functor's loop checks in one go.
inline constexpr int64_t kGuardedGroup = 8 * kBlock;

template <class F, class... In>
inline bool all_in_range(int64_t n, In... in) {
  if (n % kBlock != 0) __builtin_unreachable();  // no loop for a remainder
  int outside = 0;
  for (int64_t i = 0; i < n; ++i) outside |= F{}.in_range(in[i]...) ? 0 : 1;
  return !outside;
}

// Not inlined, so that whole blocks and the tail run through one copy of the vector code.
template <class F, class Out, class... In>
__attribute__((noinline)) void run_blocks(Out* out, int64_t blocks, In... in) {
  const int64_t n = blocks * kBlock;
  if constexpr (kIsGuarded<F>) {
    for (int64_t first = 0; first < n; first += kGuardedGroup) {
      const int64_t end = n - first < kGuardedGroup ? n : first + kGuardedGroup;
      const bool fast = all_in_range<F>(end - first, in.at(first)...);
      for (int64_t begin = first; begin < end; begin += kBlock) {
        if (fast) {
#pragma GCC ivdep
#pragma GCC unroll 1
          for (int64_t i = begin; i < begin + kBlock; ++i) out[i] = F{}.fast(in[i]...);
        } else {
#pragma GCC ivdep
#pragma GCC unroll 1
          for (int64_t i = begin; i < begin + kBlock; ++i) out[i] = F{}(in[i]...);
        }
      }
    }
  } else {
    for (int64_t begin = 0; begin < n; begin += kBlock) {
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int64_t i = begin; i < begin + kBlock; ++i) out[i] = F{}(in[i]...);
    }
  }
}

template <class F, class Out, class... In>
inline void run_loop(Out* out, int64_t n, In... in) {
  if constexpr (kIsBlockwise<F>) {
    const int64_t blocks = n / kBlock;
    if (blocks) run_blocks<F>(out, blocks, in...);
    if (const int rest = static_cast<int>(n % kBlock)) {
      alignas(64) Out tail_out[kBlock];
      const int64_t begin = blocks * kBlock;
      run_blocks<F>(tail_out, 1, PaddedTail<In>(in, begin, rest).input()...);
      for (int i = 0; i < rest; ++i) out[begin + i] = tail_out[i];
    }
  } else {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) out[i] = F{}(in[i]...);
  }
}

template <uint32_t kMask, class F, class Out, class... In, size_t... I>
void run_masked(void* const* out, const void* const* in, int64_t n, std::index_sequence<I...>) {
  run_loop<F>(static_cast<Out*>(out[0]), n,
              Input<In, (kMask >> I & 1) != 0>{static_cast<const In*>(in[I])}...);
}

// For any mask: spreads the scalars over buffers and goes chunk by chunk.
template <class F, class Out, class... In, size_t... I>
void run_spread(void* const* out, const void* const* in, uint32_t mask, int64_t n,
                std::index_sequence<I...> indices) {
  constexpr int64_t chunk = 512;
  alignas(64) unsigned char buffers[sizeof...(In)][chunk * 8];
  const int64_t filled = n < chunk ? n : chunk;
  const auto fill = [&]<class T>(size_t i, T) {
    for (int64_t k = 0; k < filled; ++k) {
      reinterpret_cast<T*>(buffers[i])[k] = *static_cast<const T*>(in[i]);
    }
  };
  ((mask >> I & 1 ? fill(I, In{}) : void()), ...);
  for (int64_t begin = 0; begin < n; begin += chunk) {
    void* chunk_out[] = {static_cast<Out*>(out[0]) + begin};
    const void* chunk_in[] = {
        (mask >> I & 1) ? static_cast<const void*>(buffers[I])
                        : static_cast<const void*>(static_cast<const In*>(in[I]) + begin)...};
    run_masked<0, F, Out, In...>(chunk_out, chunk_in, n - begin < chunk ? n - begin : chunk,
                                 indices);
  }
}

template <class F>
concept HasTensorInputs = requires { F::kTensorInputs; };

// The kernel: picks the loop for the mask. Loops with scalars exist for cheap functors (either
// input of two, or all inputs from some place on) and for Blockwise ones with parameters (from
// F::kTensorInputs on).
template <class F, class Out, class... In>
void pointwise_kernel(void* const* out, const void* const* in, uint32_t mask, int64_t n) {
  constexpr int arity = sizeof...(In);
  constexpr uint32_t all = (1u << arity) - 1;
  constexpr auto indices = std::index_sequence_for<In...>{};
  if (n <= 0) return;
  mask &= all;
  if (mask == 0) return run_masked<0, F, Out, In...>(out, in, n, indices);
  if (mask == all) {
    run_masked<0, F, Out, In...>(out, in, 1, indices);
    Out* o = static_cast<Out*>(out[0]);
    const Out value = o[0];
    for (int64_t i = 1; i < n; ++i) o[i] = value;
    return;
  }
  if constexpr (arity >= 2) {
    constexpr uint32_t after_first = all & ~1u;
    if constexpr (arity == 2 && !kIsBlockwise<F>) {
      if (mask == 1) return run_masked<1, F, Out, In...>(out, in, n, indices);
      if (mask == 2) return run_masked<2, F, Out, In...>(out, in, n, indices);
    } else if constexpr (HasTensorInputs<F>) {
      constexpr uint32_t parameters = all & (all << F::kTensorInputs);
      if (mask == parameters) {
        return run_masked<parameters, F, Out, In...>(out, in, n, indices);
      }
    } else if constexpr (!kIsBlockwise<F>) {
      if (mask == after_first) {
        return run_masked<after_first, F, Out, In...>(out, in, n, indices);
      }
      constexpr uint32_t after_second = all & ~3u;
      if (mask == after_second) {
        return run_masked<after_second, F, Out, In...>(out, in, n, indices);
      }
      if constexpr (arity > 3) {
        constexpr uint32_t after_third = all & ~7u;
        if (mask == after_third) {
          return run_masked<after_third, F, Out, In...>(out, in, n, indices);
        }
      }
    }
    run_spread<F, Out, In...>(out, in, mask, n, indices);
  }
}

// Input i of functor F at compute type T.
template <class F, class T, size_t i>
consteval auto input_type() {
  if constexpr (requires { F::kBoolInput; }) {
    return std::conditional_t<F::kBoolInput == static_cast<int>(i), Bool8, T>{};
  } else {
    return T{};
  }
}

// The kernel of F at compute type T.
template <int kArity, class F, class T, class = std::make_index_sequence<kArity>>
struct Pointwise;
template <int kArity, class F, class T, size_t... I>
struct Pointwise<kArity, F, T, std::index_sequence<I...>> {
  using Out = decltype(F{}(input_type<F, T, I>()...));
  static constexpr bool kBoolOutput = sizeof(Out) != sizeof(T);
  static void run(void* const* out, const void* const* in, uint32_t scalar_mask, int64_t n) {
    pointwise_kernel<F, Out, decltype(input_type<F, T, I>())...>(out, in, scalar_mask, n);
  }
};

// F of bfloat16 numbers, computed in float and rounded in registers.
template <class F>
struct OfBFloat16 {
  template <class... T>
  BFloat16 operator()(T... x) const {
    return BFloat16(F{}(static_cast<float>(x)...));
  }
};
// The same for functors that choose one of their inputs or zero: nothing to round.
template <class F>
concept Choosing = requires { F::kChoosing; };
template <Choosing F>
struct OfBFloat16<F> {
  template <class... T>
  BFloat16 operator()(T... x) const {
    BFloat16 y;
    y.bits = static_cast<uint16_t>(half_detail::as_bits(F{}(static_cast<float>(x)...)) >> 16);
    return y;
  }
};
#define PT_BFLOAT16_SLOT(arity, F) PT_POINTWISE(arity, OfBFloat16<F>, ::pt::BFloat16)

template <class F>
inline constexpr uint8_t kBoolInputs = 0;
template <class F>
  requires(F::kBoolInput >= 0)
inline constexpr uint8_t kBoolInputs<F> = 1u << F::kBoolInput;

}  // namespace pt::PT_ISA
