// Functions of float and double by one name each, for kernels that are compiled for devices only.
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

PT_DEVICE float abs_of(float x) { return ::fabsf(x); }
PT_DEVICE double abs_of(double x) { return ::fabs(x); }
PT_DEVICE float sqrt_of(float x) { return ::sqrtf(x); }
PT_DEVICE double sqrt_of(double x) { return ::sqrt(x); }
PT_DEVICE float log_of(float x) { return ::logf(x); }
PT_DEVICE double log_of(double x) { return ::log(x); }
PT_DEVICE float sin_of(float x) { return ::sinf(x); }
PT_DEVICE double sin_of(double x) { return ::sin(x); }
PT_DEVICE float cos_of(float x) { return ::cosf(x); }
PT_DEVICE double cos_of(double x) { return ::cos(x); }
PT_DEVICE float tan_of(float x) { return ::tanf(x); }
PT_DEVICE double tan_of(double x) { return ::tan(x); }

}  // namespace pt::cuda
