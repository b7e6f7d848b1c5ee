// Creation and geometry of tensors.
#include "core/tensor.h"

#include <algorithm>
#include <new>

#include "core/device_runtime.h"
#include "core/free_list.h"

namespace pt {

namespace {
std::atomic<int64_t> live{0};
std::atomic<DType> default_type{DType::kFloat32};

Tensor with_storage(Ref<Storage> storage, IntList sizes, Dims strides, int64_t numel, DType dtype) {
  PT_CHECK(sizes.size() <= kMaxDims, "a tensor has at most ", kMaxDims, " dimensions, got ",
           sizes.size());
  Tensor t = Tensor::adopt(TensorImpl::create());
  t->sizes = sizes;
  t->strides = std::move(strides);
  t->numel = numel;
  t->dtype = dtype;
  t->device = storage->device;
  t->storage = std::move(storage);
  return t;
}

size_t checked_bytes(int64_t numel, DType dtype) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, !is_complex(dtype),
                "complex dtypes are not supported, got ", dtype_name(dtype));
  int64_t bytes;
  PT_CHECK(!__builtin_mul_overflow(numel, static_cast<int64_t>(item_size(dtype)), &bytes),
           "Storage size calculation overflowed with numel=", numel);
  return static_cast<size_t>(bytes);
}
}  // namespace

int64_t live_tensors() { return live.load(std::memory_order_relaxed); }
DType default_dtype() { return default_type.load(std::memory_order_relaxed); }
void set_default_dtype(DType t) { default_type.store(t, std::memory_order_relaxed); }

TensorImpl* TensorImpl::create() {
  live.fetch_add(1, std::memory_order_relaxed);
  auto* t = new (FreeList<TensorImpl>::get()) TensorImpl;
  t->flags = kContiguous | kHasStorage;
  return t;
}

void TensorImpl::destroy(TensorImpl* t) {
  live.fetch_sub(1, std::memory_order_relaxed);
  if (t->grad_fn) release_node(t->grad_fn);
  if (t->grad) release(t->grad);
  if (t->extra) destroy_extra(t->extra);
  TensorImpl* base = t->base;
  t->~TensorImpl();
  FreeList<TensorImpl>::put(t);
  if (base) release(base);  // a base is never a view itself, so this does not recurse deeply
}

void TensorImpl::update_contiguous() {
  int64_t step = 1;
  bool contiguous = true;
  if (numel != 0) {
    for (int i = sizes.size() - 1; i >= 0; --i) {
      if (sizes[i] != 1) {
        if (strides[i] != step) {
          contiguous = false;
          break;
        }
        step *= sizes[i];
      }
    }
  }
  set(kContiguous, contiguous);
}

Scalar Tensor::item() const {
  PT_CHECK(numel() == 1, "a Tensor with ", numel(), " elements cannot be converted to Scalar");
  if (!device().is_cpu()) [[unlikely]] {
    alignas(8) char element[8];
    copy_memory(element, {}, raw(), device(), item_size());
    return Scalar::load(dtype(), element);
  }
  return Scalar::load(dtype(), raw());
}

Tensor empty_tensor(IntList sizes, DType dtype, Device device) {
  const int64_t numel = checked_numel(sizes);
  return with_storage(Storage::allocate(checked_bytes(numel, dtype), device), sizes,
                      contiguous_strides(sizes), numel, dtype);
}

Tensor empty_strided_tensor(IntList sizes, IntList strides, DType dtype, Device device) {
  const int64_t numel = checked_numel(sizes);
  int64_t extent = numel ? 1 : 0;
  bool overflow = false;
  for (size_t i = 0; numel && i < sizes.size(); ++i) {
    PT_CHECK(strides[i] >= 0,
             "empty_strided: negative strides are not supported: ", to_text(strides));
    int64_t span;
    overflow |= __builtin_mul_overflow(sizes[i] - 1, strides[i], &span);
    overflow |= __builtin_add_overflow(extent, span, &extent);
  }
  PT_CHECK(!overflow, "Storage size calculation overflowed with sizes=", to_text(sizes),
           " and strides=", to_text(strides));
  Tensor t = with_storage(Storage::allocate(checked_bytes(extent, dtype), device), sizes,
                          Dims(strides), numel, dtype);
  t->update_contiguous();
  return t;
}

Tensor alias(const Tensor& t) {
  Tensor out = with_storage(t->storage, t.sizes(), t.strides(), t.numel(), t.dtype());
  out->offset = t->offset;
  out->set(TensorImpl::kContiguous, t.is_contiguous());
  return out;
}

Tensor make_view(const Tensor& t, IntList sizes, IntList strides, int64_t offset) {
  Tensor out = with_storage(t->storage, sizes, Dims(strides), checked_numel(sizes), t.dtype());
  out->offset = offset;
  out->update_contiguous();
  return out;
}

Tensor shape_only(const Tensor& t) {
  Tensor out = Tensor::adopt(TensorImpl::create());
  out->sizes = t.sizes();
  out->strides = t.strides();
  out->numel = t.numel();
  out->dtype = t.dtype();
  out->device = t.device();
  out->offset = t.offset();
  out->flags = t->flags & (TensorImpl::kContiguous | TensorImpl::kWrappedNumber);
  return out;
}

Tensor scalar_tensor(const Scalar& value, DType dtype, Device device) {
  Tensor t = empty_tensor({}, dtype, device);
  if (!device.is_cpu()) [[unlikely]] {
    alignas(8) char element[8];
    value.store(dtype, element);
    const CallDeviceGuard guard(t.device());
    store_memory(t.raw(), element, t.item_size());
    return t;
  }
  value.store(dtype, t.raw());
  return t;
}

Tensor wrapped_number(const Scalar& value) {
  Tensor t = scalar_tensor(value, value.natural_dtype());
  t->set(TensorImpl::kWrappedNumber, true);
  return t;
}

bool is_non_overlapping_and_dense(const TensorImpl* t) {
  if (t->has(TensorImpl::kContiguous)) return true;
  const int n = t->sizes.size();
  int order[kMaxDims], m = 0;
  for (int i = 0; i < n; ++i)
    if (t->sizes[i] != 1) order[m++] = i;
  std::sort(order, order + m, [&](int a, int b) { return t->strides[a] < t->strides[b]; });
  int64_t step = 1;
  for (int i = 0; i < m; ++i) {
    if (t->strides[order[i]] != step) return false;
    step *= t->sizes[order[i]];
  }
  return true;
}

bool has_internal_overlap(const TensorImpl* t) {
  if (t->numel <= 1 || is_non_overlapping_and_dense(t)) return false;
  // Sorted by stride, each dimension must step past everything the smaller ones reach; this is
  // exact for what views can produce and errs towards "overlap" for exotic as_strided.
  const int n = t->sizes.size();
  int order[kMaxDims], m = 0;
  for (int i = 0; i < n; ++i)
    if (t->sizes[i] > 1) order[m++] = i;
  std::sort(order, order + m, [&](int a, int b) { return t->strides[a] < t->strides[b]; });
  int64_t reach = 0;
  for (int i = 0; i < m; ++i) {
    if (t->strides[order[i]] <= reach) return true;
    reach += t->strides[order[i]] * (t->sizes[order[i]] - 1);
  }
  return false;
}

ByteRange byte_range(const TensorImpl* t) {
  if (t->numel == 0) return {0, 0};
  int64_t low = 0, high = 0;
  for (int i = 0; i < t->sizes.size(); ++i) {
    const int64_t span = t->strides[i] * (t->sizes[i] - 1);
    (span < 0 ? low : high) += span;
  }
  const int64_t item = static_cast<int64_t>(item_size(t->dtype));
  return {low * item, (high + 1) * item};
}

std::string legacy_type_name(DType t) {
  static constexpr const char* kNames[kNumDTypes] = {
      "BoolTensor",  "ByteTensor",   "CharTensor",         "ShortTensor",
      "IntTensor",   "LongTensor",   "HalfTensor",         "BFloat16Tensor",
      "FloatTensor", "DoubleTensor", "ComplexFloatTensor", "ComplexDoubleTensor"};
  return std::string("torch.") + kNames[static_cast<int>(t)];
}

}  // namespace pt
