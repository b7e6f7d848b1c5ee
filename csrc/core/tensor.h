// Tensor: a reference to a strided view of a storage, with its place in the autograd graph.
// The only value type that ops take and return. No ops here: those are in op/ and ops/.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "core/device.h"
#include "core/dims.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/ref.h"
#include "core/scalar.h"
#include "core/storage.h"

namespace pt {

class Node;                     // autograd/node.h
struct AutogradExtra;           // autograd/node.h: hooks, view geometry and other rare things
void release_node(Node* node);  // drops one reference without recursing into deep graphs
void destroy_extra(AutogradExtra* extra);

struct TensorImpl {
  enum Flag : uint16_t {
    kRequiresGrad = 1,      // a leaf asked for its gradient
    kWrappedNumber = 2,     // made from a Python number: weakest in type promotion
    kUntrackedVersion = 4,  // `.data`: writes are not counted as in-place changes
    kInference = 8,         // made under inference_mode
    kContiguous = 16,       // cached: row-major without gaps
    kHasStorage = 32,       // false for shape-only records of autograd
    kRetainGrad = 64,
  };

  std::atomic<int32_t> refs{1};
  DType dtype = DType::kFloat32;
  Device device{};
  uint16_t flags = 0;
  uint32_t output_nr = 0;
  uint32_t view_version = 0;  // storage version at which grad_fn of a view was right
  int64_t numel = 0;
  int64_t offset = 0;  // in elements
  Dims sizes;
  Dims strides;
  Ref<Storage> storage;

  Node* grad_fn = nullptr;         // owned
  Node* accumulator = nullptr;     // borrowed: the leaf's AccumulateGrad while it lives
  TensorImpl* grad = nullptr;      // owned
  TensorImpl* base = nullptr;      // owned: what a differentiable view looks at
  AutogradExtra* extra = nullptr;  // owned
  void* python = nullptr;          // borrowed: the live Python object, if any

  static TensorImpl* create();
  static void destroy(TensorImpl* t);
  bool has(Flag f) const { return (flags & f) != 0; }
  void set(Flag f, bool on) { flags = static_cast<uint16_t>(on ? flags | f : flags & ~f); }
  char* data() const { return storage->data + offset * static_cast<int64_t>(item_size(dtype)); }
  void update_contiguous();  // after sizes or strides changed
};

int64_t live_tensors();  // number of TensorImpl alive, for leak tests

class Tensor {
 public:
  Tensor() = default;
  static Tensor adopt(TensorImpl* p) {
    Tensor t;
    t.impl_ = Ref<TensorImpl>::adopt(p);
    return t;
  }
  static Tensor share(TensorImpl* p) {
    Tensor t;
    t.impl_ = Ref<TensorImpl>::share(p);
    return t;
  }

  bool defined() const { return static_cast<bool>(impl_); }
  TensorImpl* impl() const { return impl_.get(); }
  TensorImpl* operator->() const { return impl_.get(); }
  TensorImpl* detach_impl() { return impl_.detach(); }

  DType dtype() const { return impl_->dtype; }
  Device device() const { return impl_->device; }
  int dim() const { return impl_->sizes.size(); }
  int64_t numel() const { return impl_->numel; }
  const Dims& sizes() const { return impl_->sizes; }
  const Dims& strides() const { return impl_->strides; }
  int64_t size(int64_t d) const { return impl_->sizes[wrap_dim(d, dim(), false)]; }
  int64_t stride(int64_t d) const { return impl_->strides[wrap_dim(d, dim(), false)]; }
  int64_t offset() const { return impl_->offset; }
  bool is_contiguous() const { return impl_->has(TensorImpl::kContiguous); }
  size_t item_size() const { return pt::item_size(impl_->dtype); }
  size_t nbytes() const { return item_size() * static_cast<size_t>(numel()); }
  void* raw() const { return impl_->data(); }
  template <class T>
  T* data() const {
    return reinterpret_cast<T*>(impl_->data());
  }
  bool is_floating() const { return pt::is_floating(impl_->dtype); }
  bool requires_grad() const { return !is_leaf() || impl_->has(TensorImpl::kRequiresGrad); }
  bool is_leaf() const { return impl_->grad_fn == nullptr && !follows_base(); }
  // A view made before its base got a history by an in-place op: autograd's grad_fn_of() derives
  // the view's own history when it is asked for.
  bool follows_base() const {
    return impl_->base && impl_->base->grad_fn && impl_->view_version != version();
  }
  bool is_wrapped_number() const { return impl_->has(TensorImpl::kWrappedNumber); }
  uint32_t version() const { return impl_->storage->version; }
  bool same_as(const Tensor& o) const { return impl_ == o.impl_; }
  // The only element of a tensor with one element, read without autograd.
  Scalar item() const;

 private:
  Ref<TensorImpl> impl_;
};
static_assert(sizeof(Tensor) == sizeof(void*), "Value hands out TensorImpl* slots as Tensor");

using TensorList = std::span<const Tensor>;

// Uninitialised tensors, by default where the running call's are. Raise RuntimeError for negative
// sizes, overflow and lack of memory.
Tensor empty_tensor(IntList sizes, DType dtype, Device device = call_device());
Tensor empty_strided_tensor(IntList sizes, IntList strides, DType dtype,
                            Device device = call_device());
// A tensor with the same storage, outside the graph.
Tensor alias(const Tensor& t);
Tensor make_view(const Tensor& t, IntList sizes, IntList strides, int64_t offset);
// A record of dtype, device and sizes without storage.
Tensor shape_only(const Tensor& t);
// A 0-dim tensor holding `value` as `dtype`: of the cpu unless said otherwise, since elementwise
// calls on a device take such an operand as a number.
Tensor scalar_tensor(const Scalar& value, DType dtype, Device device = {});
// A 0-dim tensor of the cpu that promotes like a Python number.
Tensor wrapped_number(const Scalar& value);

// No two elements share memory and there are no gaps, in some order of dimensions.
bool is_non_overlapping_and_dense(const TensorImpl* t);
// Some element is reachable by two indices (stride 0 with size > 1 and the like).
bool has_internal_overlap(const TensorImpl* t);
// Bytes from the first element to past the last one, relative to data(); {0,0} if empty.
struct ByteRange {
  int64_t begin, end;
};
ByteRange byte_range(const TensorImpl* t);

// "torch.FloatTensor": how PyTorch's messages name a dtype.
std::string legacy_type_name(DType t);

DType default_dtype();
void set_default_dtype(DType t);

}  // namespace pt
