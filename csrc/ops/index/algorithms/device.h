// The algorithms of this folder on a device: the same meaning, one call for a whole tensor.
#pragma once

#include "cuda/args/index_args.h"
#include "ops/index/algorithms/lines.h"
#include "ops/index/algorithms/rows.h"

namespace pt::device {

void read_selection(const Selection& s, const void* data, void* out, size_t item);

// Writes or adds `values`: a contiguous array, one element for all (`one`), or a number of the
// dtype in the host's memory (`number`).
struct Written {
  const void* values = nullptr;
  bool one = false;
  const void* number = nullptr;
};
void write_selection(const Selection& s, DType dtype, void* data, const Written& values,
                     PlaceOp op);

void gather_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& out);
void scatter_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& src, PlaceOp op);

// Elements of a contiguous tensor that are not zero. Waits for the device: count() is on the host.
class Nonzero {
 public:
  explicit Nonzero(const Tensor& flat);
  int64_t count() const { return count_; }
  // [dimensions of sizes, count] coordinates, int64.
  Tensor coordinates(IntList sizes) const;
  // The tensor is a mask: elements where it is true, packed into `out`, or spread from `in`.
  void pack(const Tensor& in, const Tensor& out) const { move("device_pack", in, out); }
  void spread(const Tensor& in, const Tensor& out) const { move("device_spread", in, out); }

 private:
  void move(const char* kernel, const Tensor& in, const Tensor& out) const;
  Tensor flat_, before_;
  int64_t count_ = 0;
};

}  // namespace pt::device
