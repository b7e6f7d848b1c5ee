// Copies and fills. See copy.h.
#include "op/copy.h"

#include <cstring>

#include "core/device_runtime.h"
#include "core/parallel.h"
#include "core/pinned.h"
#include "cpu/kernel_table.h"
#include "cpu/move_args.h"
#include "op/device_plan.h"
#include "op/plan.h"

namespace pt {

namespace {

void parallel_bytes(char* dst, const char* src, int64_t bytes) {
  parallel_for(0, bytes, 1 << 17,
               [&](int64_t b, int64_t e) { copy_bytes(dst + b, src + b, e - b); });
}

// Same storage: does `in` start inside `out`'s bytes in another layout?
bool partially_overlaps(const Tensor& out, const Tensor& in) {
  if (out->storage.get() != in->storage.get() || out.numel() == 0 || in.numel() == 0) return false;
  if (out.raw() == in.raw() && out->sizes == in->sizes && out->strides == in->strides) return false;
  const ByteRange a = byte_range(out.impl()), b = byte_range(in.impl());
  const char *pa = out->data(), *pb = in->data();
  return pa + a.begin < pb + b.end && pb + b.begin < pa + a.end;
}

// --- devices -----------------------------------------------------------------------------------

DevicePointwiseFn* device_copy(DType to) {
  static const Kernel<DevicePointwiseFn> kernel{"device_copy"};
  return kernel.get(to);
}

// Within one device.
void copy_on_device(const Tensor& dst, const Tensor& src) {
  const CallDeviceGuard guard(dst.device());
  DevicePlan plan(dst.sizes(), 1);
  plan.add(dst);
  plan.add(src);
  plan.run(device_copy(dst.dtype()));
}

void fill_on_device(const Tensor& dst, const Scalar& value) {
  const CallDeviceGuard guard(dst.device());
  alignas(8) char element[8];
  value.store(dst.dtype(), element);
  DevicePlan plan(dst.sizes(), 1);
  plan.add(dst);
  plan.add_number(element, dst.dtype());
  plan.run(device_copy(dst.dtype()));
}

bool same_layout(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a->sizes == b->sizes &&
         ((a.is_contiguous() && b.is_contiguous()) ||
          (a->strides == b->strides && is_non_overlapping_and_dense(a.impl())));
}

void copy_between_devices(const Tensor& dst, const Tensor& src) {
  if (same_layout(dst, src)) {
    copy_memory(dst.raw(), dst.device(), src.raw(), src.device(), dst.nbytes());
  } else if (src.numel() == 1 && src.device().is_cpu()) {
    fill_on_device(dst, src.item());
  } else {
    const NonBlocking wait_on_cpu(NonBlocking::on() && !dst.device().is_cpu());
    copy_into(dst, copy_to(src, src.dtype(), dst.device()));
  }
}

}  // namespace

Tensor copy_to(const Tensor& src, DType dtype, Device device) {
  const CallDeviceGuard at_source(src.device());
  if (src.device() == device) return src.dtype() == dtype ? copy_of(src) : cast_to(src, dtype);
  Tensor from = cast_to(src, dtype);
  if (!is_non_overlapping_and_dense(from.impl())) from = contiguous_copy(from);
  Tensor out = device.is_cpu() && NonBlocking::on()
                   ? empty_pinned(from.sizes(), from.strides(), dtype)
                   : empty_strided_tensor(from.sizes(), from.strides(), dtype, device);
  copy_memory(out.raw(), device, from.raw(), from.device(), from.nbytes());
  return out;
}

void copy_bytes(void* dst, const void* src, int64_t bytes) {
  static const Kernel<CopyBytesFn> kernel{"copy_bytes"};
  if (bytes < 32) {
    std::memcpy(dst, src, static_cast<size_t>(bytes));
  } else {
    kernel.get(DType::kUInt8)(src, dst, bytes);
  }
}

void check_no_internal_overlap(const Tensor& out) {
  PT_CHECK(!has_internal_overlap(out.impl()),
           "unsupported operation: more than one element of the written-to tensor refers to a "
           "single memory location. Please clone() the tensor before performing the operation.");
}

void check_no_partial_overlap(const Tensor& out, const Tensor& in) {
  if (in.same_as(out) || !partially_overlaps(out, in)) return;
  if (!is_non_overlapping_and_dense(out.impl()) || !is_non_overlapping_and_dense(in.impl())) return;
  raise(ErrorKind::kRuntime,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer "
        "to a single memory location. Please clone() the tensor before performing the operation.");
}

void copy_into(const Tensor& dst, const Tensor& src) {
  if (dst.numel() == 0 || dst.same_as(src)) return;
  if (!dst.device().is_cpu() || !src.device().is_cpu()) [[unlikely]] {
    if (dst.device() != src.device()) {
      copy_between_devices(dst, src);
    } else if (partially_overlaps(dst, src)) {
      copy_on_device(dst, contiguous_copy(src));
    } else {
      copy_on_device(dst, src);
    }
    return;
  }
  if (src.dtype() == dst.dtype() && src->sizes == dst->sizes) {
    const bool same_layout =
        src->strides == dst->strides && is_non_overlapping_and_dense(dst.impl());
    if ((src.is_contiguous() && dst.is_contiguous()) || same_layout) {
      if (src.raw() == dst.raw()) return;
      const bool overlap = partially_overlaps(dst, src);
      if (overlap) {
        std::memmove(dst.raw(), src.raw(), dst.nbytes());
      } else {
        parallel_bytes(static_cast<char*>(dst.raw()), static_cast<const char*>(src.raw()),
                       static_cast<int64_t>(dst.nbytes()));
      }
      return;
    }
  }
  if (partially_overlaps(dst, src)) {
    copy_into(dst, contiguous_copy(src));
    return;
  }
  Plan plan(dst.sizes());
  plan.add(dst, src.dtype());
  plan.add(src, src.dtype());
  if (src.dtype() == dst.dtype()) {
    plan.run_copy();
  } else {
    plan.run_cast();
  }
}

Tensor contiguous_copy(const Tensor& src) {
  Tensor out = empty_tensor(src.sizes(), src.dtype(), src.device());
  copy_into(out, src);
  return out;
}

Tensor as_contiguous(const Tensor& src) { return src.is_contiguous() ? src : contiguous_copy(src); }

Tensor copy_of(const Tensor& src) {
  if (src.is_contiguous() || !is_non_overlapping_and_dense(src.impl())) return contiguous_copy(src);
  Tensor out = empty_strided_tensor(src.sizes(), src.strides(), src.dtype(), src.device());
  copy_into(out, src);
  return out;
}

Tensor cast_to(const Tensor& src, DType dtype) {
  if (src.dtype() == dtype) return src;
  Tensor out = is_non_overlapping_and_dense(src.impl())
                   ? empty_strided_tensor(src.sizes(), src.strides(), dtype, src.device())
                   : empty_tensor(src.sizes(), dtype, src.device());
  copy_into(out, src);
  return out;
}

void fill_with(const Tensor& dst, const Scalar& value) {
  value.check_fits(dst.dtype());
  if (dst.numel() == 0) return;
  if (!dst.device().is_cpu()) [[unlikely]]
    return fill_on_device(dst, value);
  alignas(16) char element[16];
  value.store(dst.dtype(), element);
  if (is_non_overlapping_and_dense(dst.impl())) {
    const int64_t item = static_cast<int64_t>(dst.item_size());
    FillFn* fill = fill_kernel(dst.item_size());
    char* data = static_cast<char*>(dst.raw());
    parallel_for(0, dst.numel(), 1 << 16,
                 [&](int64_t b, int64_t e) { fill(element, data + b * item, e - b); });
    return;
  }
  copy_into(dst, scalar_tensor(value, dst.dtype()));
}

Tensor zeros_tensor(IntList sizes, DType dtype, Device device) {
  Tensor t = empty_tensor(sizes, dtype, device);
  if (!device.is_cpu()) [[unlikely]] {
    fill_memory(t.raw(), t.device(), 0, t.nbytes());
    return t;
  }
  const int64_t bytes = static_cast<int64_t>(t.nbytes());
  char* data = static_cast<char*>(t.raw());
  parallel_for(0, bytes, 1 << 17,
               [&](int64_t b, int64_t e) { std::memset(data + b, 0, static_cast<size_t>(e - b)); });
  return t;
}

void resize_output(const Tensor& out, IntList sizes) {
  if (same(out.sizes(), sizes)) return;
  const int64_t numel = checked_numel(sizes);
  PT_CHECK(numel < INT64_MAX / 16 - out.offset(),
           "Storage size calculation overflowed with sizes=", to_text(sizes));
  const size_t needed =
      (static_cast<size_t>(out.offset()) + static_cast<size_t>(numel)) * out.item_size();
  if (needed > out->storage->bytes) out->storage->resize(needed);
  out->sizes = sizes;
  out->strides = contiguous_strides(sizes);
  out->numel = numel;
  out->update_contiguous();
}

}  // namespace pt
