// The elementary functions in namespace math: vectorisable code on the CPU, CUDA's own library in
// .cu files, whoever compiles them.
#pragma once

#if defined(__CUDACC__) || defined(PT_CUDA_EMULATION)
#include "ops/functors/math_device.h"
#else
#include "ops/functors/math_erf.h"
#include "ops/functors/math_exp.h"
#include "ops/functors/math_log.h"
#include "ops/functors/math_trig.h"
#endif
