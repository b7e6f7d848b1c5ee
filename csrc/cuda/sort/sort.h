// Sorting for other families: numbers of places with the positions that they came from.
#pragma once

#include "cuda/scratch.h"

namespace pt::cuda {

// keys[order[0]] <= keys[order[1]] <= ..., equal ones in their order. `sorted` gets the keys in
// that order. n < 2^32 - 1.
void sort_places(const int64_t* keys, int64_t n, int64_t* sorted, int64_t* order);

}  // namespace pt::cuda
