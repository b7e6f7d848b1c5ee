// Merging and cutting of elementwise calls on devices. See device_plan.h.
#include "op/device_plan.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace pt {

namespace {
constexpr int64_t kLargestLaunch = int64_t{1} << 30;  // kernels count in 32 bits
}

DevicePlan::DevicePlan(IntList shape, int num_outputs)
    : ndim_(static_cast<int>(shape.size())), num_outputs_(num_outputs) {
  for (int i = 0; i < ndim_; ++i) sizes_[i] = shape[static_cast<size_t>(ndim_ - 1 - i)];
}

void DevicePlan::add(const Tensor& t) {
  Operand& o = operands_[num_operands_++];
  o.data = static_cast<char*>(t.raw());
  o.dtype = t.dtype();
  const int64_t item = static_cast<int64_t>(t.item_size());
  for (int i = 0; i < ndim_; ++i) {
    const int d = t.dim() - 1 - i;
    o.strides[i] = d >= 0 && t->sizes[d] != 1 ? t->strides[d] * item : 0;
  }
}

void DevicePlan::add_number(const void* element, DType dtype) {
  Operand& o = operands_[num_operands_++];
  o.dtype = dtype;
  std::memcpy(o.value, element, pt::item_size(dtype));
  std::fill_n(o.strides, ndim_, 0);
}

// Innermost is the dimension with the first operand's smallest stride, then the others'.
void DevicePlan::order_and_merge() {
  int order[kMaxDims], m = 0;
  for (int i = 0; i < ndim_; ++i)
    if (sizes_[i] != 1) order[m++] = i;
  auto inside = [&](int a, int b) {
    for (int k = 0; k < num_operands_; ++k) {
      const int64_t sa = std::abs(operands_[k].strides[a]), sb = std::abs(operands_[k].strides[b]);
      if (sa != 0 && sb != 0 && sa != sb) return sa < sb;
    }
    return false;
  };
  for (int i = 1; i < m; ++i)
    for (int j = i; j > 0 && inside(order[j], order[j - 1]); --j) std::swap(order[j], order[j - 1]);
  int64_t sizes[kMaxDims];
  int n = 0;
  for (int i = 0; i < m; ++i) {
    const int d = order[i];
    bool merge = n > 0;
    for (int k = 0; merge && k < num_operands_; ++k)
      merge = operands_[k].strides[d] == operands_[k].strides[order[n - 1]] * sizes[n - 1];
    if (merge) {
      sizes[n - 1] *= sizes_[d];
    } else {
      order[n] = d;
      sizes[n++] = sizes_[d];
    }
  }
  for (int k = 0; k < num_operands_; ++k) {
    int64_t strides[kMaxDims];
    for (int i = 0; i < n; ++i) strides[i] = operands_[k].strides[order[i]];
    std::copy_n(strides, n, operands_[k].strides);
  }
  ndim_ = n;
  std::copy_n(sizes, n, sizes_);
}

void DevicePlan::launch(DevicePointwiseFn* fn, int ndim, char* const* data) const {
  DevicePointwise call;
  call.n = 1;
  call.ndim = ndim;
  for (int i = 0; i < ndim; ++i) call.n *= call.sizes[i] = sizes_[i];
  call.num_outputs = num_outputs_;
  call.num_operands = num_operands_;
  call.dense = true;
  for (int k = 0; k < num_operands_; ++k) {
    DeviceOperand& o = call.operands[k];
    o.data = data[k];
    o.dtype = operands_[k].dtype;
    std::memcpy(o.value, operands_[k].value, sizeof o.value);
    std::copy_n(operands_[k].strides, ndim, o.strides);
    const int64_t item = static_cast<int64_t>(pt::item_size(o.dtype));
    if (o.data) call.dense = call.dense && (ndim == 0 || (ndim == 1 && o.strides[0] == item));
  }
  fn(call);
}

// Walks dimensions beyond those of a launch here, and halves what has too many elements.
void DevicePlan::split(DevicePointwiseFn* fn, int ndim, char** data) {
  int64_t n = 1;
  for (int i = 0; i < ndim; ++i) n *= sizes_[i];
  if (ndim <= kDeviceDims && n <= kLargestLaunch) {
    launch(fn, ndim, data);
    return;
  }
  char* at[kDeviceOperands];
  const int last = ndim - 1;
  const auto start = [&](int64_t i) {
    for (int k = 0; k < num_operands_; ++k)
      at[k] = data[k] ? data[k] + i * operands_[k].strides[last] : nullptr;
  };
  const int64_t size = sizes_[last];
  if (ndim > kDeviceDims) {
    for (int64_t i = 0; i < size; ++i) {
      start(i);
      split(fn, last, at);
    }
    return;
  }
  const int64_t per_step = n / size;
  const int64_t step = std::max<int64_t>(1, kLargestLaunch / per_step);
  for (int64_t i = 0; i < size; i += step) {
    start(i);
    sizes_[last] = std::min(step, size - i);
    if (step == 1) {
      split(fn, last, at);
    } else {
      launch(fn, ndim, at);
    }
  }
  sizes_[last] = size;
}

void DevicePlan::run(DevicePointwiseFn* fn) {
  order_and_merge();
  char* data[kDeviceOperands];
  for (int k = 0; k < num_operands_; ++k) data[k] = operands_[k].data;
  split(fn, ndim_, data);
}

}  // namespace pt
