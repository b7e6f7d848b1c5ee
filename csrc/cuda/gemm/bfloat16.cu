// Products of bfloat16 on tensor cores.
#include "cuda/gemm/tensor_core.h"

namespace pt::cuda {

template void tensor_core_gemm<BFloat16>(const GemmArgs& g);

}  // namespace pt::cuda
