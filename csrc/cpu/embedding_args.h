// Plain arguments of the embedding kernels; the only thing op code and kernels share.
#pragma once

#include <cstdint>

namespace pt {

// out[r] = the sum over entries e of row r, in order, of factor[e] * source[from[e]].
struct GatherSumArgs {
  const void* source = nullptr;
  int64_t rows = 0, width = 0;     // of out, contiguous like the source
  const int64_t* order = nullptr;  // entries, those of row r at starts[r] .. starts[r + 1]
  const int64_t* starts = nullptr;
  const int64_t* from = nullptr;    // null: entry e reads row e
  const double* factors = nullptr;  // null: 1
  void* out = nullptr;
  int64_t source_rows = 0;  // devices leave out entries of others, which the cpu never gets
};
using GatherSumFn = void(const GatherSumArgs&);

// The largest of the same entries for each column, and which row it came from (-1: none).
struct GatherMaxArgs {
  GatherSumArgs rows;
  int64_t* chosen = nullptr;
};
using GatherMaxFn = void(const GatherMaxArgs&);

}  // namespace pt
