// Plan: the strided iteration of an elementwise call. It orders and merges the dimensions of all
// operands, cuts the index space into tiles that fit the L1 cache, and feeds a kernel that only
// knows contiguous arrays and scalars: operands that are strided, transposed or of another dtype
// are gathered and converted tile by tile.
#pragma once

#include "core/tensor.h"
#include "cpu/kernel_table.h"
#include "cpu/move_args.h"
#include "cpu/pointwise_args.h"

namespace pt {

inline constexpr int kMaxOperands = 8;

class Plan {
 public:
  // `shape` is the shape of the outputs; strides in elements of an operand broadcast to it.
  explicit Plan(IntList shape);
  // Operands: outputs first. `kernel_dtype` is what the kernel reads or writes.
  void add(void* data, DType dtype, DType kernel_dtype, const int64_t* strides);
  void add(const Tensor& t, DType kernel_dtype);  // broadcasts t to the shape
  void run(PointwiseFn* fn, int num_outputs);
  // With two operands (destination, source): data movement, of the same dtype or converting.
  void run_copy();
  void run_cast();

 private:
  struct Operand {
    char* data;
    DType dtype, kernel_dtype;
    int64_t strides[kMaxDims];  // in bytes
  };
  struct Tile;

  void order_and_merge();
  void choose_tile(bool copying);
  template <class F>
  void for_each_tile(F&& f);
  void run_tile(const Tile& tile, PointwiseFn* fn, int num_outputs, char* staging) const;

  int ndim_;
  int num_operands_ = 0;
  int64_t sizes_[kMaxDims];
  int64_t tile0_ = 1, tile1_ = 1;
  Operand operands_[kMaxOperands];
};

// The kernels of move.cpp and cast.cpp for the active ISA.
Copy2dFn* copy2d_kernel(size_t item_size);
FillFn* fill_kernel(size_t item_size);
CastFn* cast_kernel(DType from, DType to);
// Elements per unit of parallel work for cheap elementwise loops.
inline constexpr int64_t kGrain = 32768;

}  // namespace pt
