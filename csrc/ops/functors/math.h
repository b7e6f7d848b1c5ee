// The elementary functions in namespace math: vectorisable code on the CPU, CUDA's own library in
// .cu files.
#pragma once

#ifdef __CUDACC__
#include "ops/functors/math_device.h"
#else
#include "ops/functors/math_erf.h"
#include "ops/functors/math_exp.h"
#include "ops/functors/math_log.h"
#include "ops/functors/math_trig.h"
#endif
