// The kernel "gemm": the matrix product for every dtype that has one (see gemm_args.h).
//
// The types are compiled in gemm_*.cpp from the templates in gemm/; this file only lists them.
#include <unistd.h>

#include "cpu/gemm/blocks.h"
#include "cpu/gemm_args.h"

namespace pt::PT_ISA {
namespace gemm {

int64_t block_columns(int64_t column_bytes, int64_t multiple) {
#ifdef _SC_LEVEL2_CACHE_SIZE
  static const int64_t l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
  static const int64_t l2 = 0;
#endif
  const int64_t known = l2 > 0 ? l2 : 512 * 1024;
  const int64_t columns = known * 3 / 4 / column_bytes / multiple * multiple;
  return columns < 2 * multiple ? 2 * multiple : columns > 1024 ? 1024 : columns;
}

}  // namespace gemm

GemmFn gemm_u8, gemm_i8, gemm_i16, gemm_i32, gemm_i64, gemm_f16, gemm_bf16, gemm_f32, gemm_f64;

namespace {

const KernelEntry entries[] = {
    {"gemm",
     {nullptr, PT_FN(gemm_u8), PT_FN(gemm_i8), PT_FN(gemm_i16), PT_FN(gemm_i32), PT_FN(gemm_i64),
      PT_FN(gemm_f16), PT_FN(gemm_bf16), PT_FN(gemm_f32), PT_FN(gemm_f64)}}};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
