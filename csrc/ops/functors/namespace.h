// The namespace of the functors, and the two words in front of every function in them.
//
// The functors are compiled several times: once per CPU instruction set (then they live in
// pt::PT_ISA, so that no copy built with wide instructions can serve another file) and once for
// CUDA or its host emulation (pt::device). Always inlined, because a loop over a functor is
// vectorised only when no call is left in it.
#pragma once

#include <cstdint>

#ifdef PT_ISA
#define PT_FUNCTOR_NAMESPACE pt::PT_ISA
#else
#define PT_FUNCTOR_NAMESPACE pt::device
#endif

#ifdef __CUDACC__
#define PT_INLINE __host__ __device__ inline
#else
#define PT_INLINE inline __attribute__((always_inline))
#endif
