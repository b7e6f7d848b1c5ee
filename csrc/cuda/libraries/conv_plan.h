// A convolution as cuDNN knows it: descriptors, and the algorithm for them. Used by conv.cu.
#pragma once

#include <atomic>
#include <compare>
#include <optional>

#include "core/dtype.h"
#include "cpu/conv_args.h"
#include "cuda/libraries/conv.h"
#include "cuda/libraries/cudnn.h"

namespace pt::cuda::dnn {

enum Role : int { kImage, kFilter, kOutput };
// Of each way, in the order of its arguments.
inline constexpr Role kOperands[3][3] = {
    {kImage, kFilter, kOutput}, {kFilter, kOutput, kImage}, {kImage, kOutput, kFilter}};

// All that decides which algorithm is fit. Convolutions of one dimension are rows of two.
struct Key {
  int device, way, type, math, timed, bias;
  int dims, groups;
  int sizes[3][5];  // of the roles: batch or filters, channels, places
  int padding[3], stride[3], dilation[3];
  auto operator<=>(const Key&) const = default;
};
// Nothing where cuDNN has no way to be told: sums that are finished by more than a bias, padding
// that is not the same at both ends, too many elements, addresses of single elements.
std::optional<Key> key_of(ConvWork work, DType dtype, const ConvArgs& a);

// Where the roles and the bias lie.
struct Places {
  void* role[3];
  const void* bias;
};

class Plan {
 public:
  Plan(const Functions& f, const Key& k);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // By the library's guess.
  void choose(Handle handle);
  // By its measurements: they overwrite the result, and use as much memory as their caller gives,
  // at best most_workspace(), which choose() has found.
  void measure(Handle handle, const Places& places, void* workspace, size_t bytes);
  size_t most_workspace() const { return most_workspace_; }

  bool possible() const { return possible_.load(std::memory_order_relaxed); }
  void give_up() { possible_ = false; }
  size_t workspace() const { return workspace_; }
  Status run(Handle handle, const Places& places, void* workspace) const;

 private:
  bool describe();
  // Takes the first that is fit.
  bool take_one_of(Handle handle, const Performance* all, int count);
  bool take(Handle handle, const Performance& p);

  const Functions& f_;
  const Key key_;
  Tensor tensors_[3] = {}, bias_ = nullptr;
  Convolution convolution_ = nullptr;
  int algorithm_ = 0;
  size_t workspace_ = 0, most_workspace_ = 0;
  std::atomic<bool> possible_ = false;
};

}  // namespace pt::cuda::dnn
