// Windows of a pooling call: arguments checked, output sizes, and the tables the kernels read.
// Used by the .cpp files of this folder.
#pragma once

#include <optional>
#include <vector>

#include "core/tensor.h"
#include "cpu/kernel_table.h"
#include "cpu/pool_args.h"

namespace pt {

// The arguments of a call over `spatial` dimensions, before they are checked.
struct PoolOptions {
  const char* name;
  int spatial;
  IntList kernel, stride, padding, dilation;
  bool ceil_mode = false;
};

// What a call needs of its input, with the lists that PoolArgs points to. Not copied.
class PoolPlan {
 public:
  // Windows that slide. Raises for arguments that make no sense.
  PoolPlan(const PoolOptions& options, IntList input);
  // As many windows as output_size says, that cover the input evenly; input[batch...] as given.
  PoolPlan(const char* name, int spatial, IntList input, IntList output_size);
  PoolPlan(const PoolPlan&) = delete;
  PoolPlan& operator=(const PoolPlan&) = delete;

  // Divisors: window sizes with or without padding, or a number.
  void set_divisors(bool count_include_pad, std::optional<int64_t> divisor_override);

  PoolArgs args;   // without in, out and indices
  Dims out_sizes;  // of the result

 private:
  void publish();

  std::vector<int64_t> start_[3], count_[3], padded_size_[3];
};

// How many planes of `spatial` dimensions a tensor has.
int64_t planes_of(IntList sizes, int spatial);
// Raises for a tensor of another number of dimensions, or without elements but for want of a batch.
void check_pool_input(const char* name, int spatial, IntList sizes);

// The kernel for a dtype; raises NotImplementedError in PyTorch's words where there is none.
[[noreturn]] void raise_not_implemented(const char* name, DType t);
template <class K>
auto kernel_for(const K& kernel, DType t, const char* name) -> decltype(kernel.get(t)) {
  const auto fn = kernel.get(t);
  if (!fn) raise_not_implemented(name, t);
  return fn;
}

}  // namespace pt
