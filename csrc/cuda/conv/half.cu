// Convolutions of float16 on tensor cores.
#include "cuda/conv/tensor_core.h"

namespace pt::cuda {

template void tensor_core_product<Half>(const Product& p, int64_t longest);

}  // namespace pt::cuda
