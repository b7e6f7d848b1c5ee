// From selections to the argument structs of a device's indexing kernels. See device.h.
#include "ops/index/algorithms/device.h"

#include <cstring>

#include "core/device_runtime.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "ops/index/algorithms/item.h"

namespace pt::device {

static_assert(kMostDims == kMaxDims);

namespace {

DeviceWalk walk_of(const Positions& p) {
  DeviceWalk w;
  PT_CHECK_KIND(ErrorKind::kNotImplemented, p.sizes.size() <= kDeviceLevels,
                "indexing on a device: more than ", kDeviceLevels,
                " dimensions that do not lie in memory like one");
  w.ndim = p.sizes.size();
  w.count = p.count;
  for (int d = 0; d < w.ndim; ++d) {
    w.sizes[d] = p.sizes[d];
    w.strides[d] = p.strides[d];
  }
  return w;
}

// Offsets of the selection's points.
Tensor offsets_of(const Selection& s) {
  static const Kernel<DeviceIndexOffsetsFn> kernel{"device_index_offsets"};
  if (s.columns.empty()) return zeros_tensor(Dims{s.n}, DType::kInt64);
  const Tensor offsets = empty_tensor(Dims{s.n}, DType::kInt64);
  DeviceIndexOffsets a;
  a.n = s.n;
  a.offsets = offsets.data<int64_t>();
  a.runtime_error = s.runtime_error;
  size_t done = 0;
  while (done < s.columns.size()) {
    a.add = done > 0;
    a.count = 0;
    for (; a.count < kDeviceColumns && done < s.columns.size(); ++done) {
      const IndexColumn& c = s.columns[done];
      a.columns[a.count++] = {c.index.data<int64_t>(), c.size, c.wrap ? c.size : 0, c.stride,
                              c.dim};
    }
    kernel.get(DType::kInt64)(a);
  }
  return offsets;
}

DevicePoints points_of(const Selection& s, const void* data, const Tensor& offsets) {
  DevicePoints p;
  p.data = const_cast<void*>(data);
  p.before = walk_of(s.before);
  p.rows = walk_of(s.rows);
  if (s.run != 1) {  // the run is one level more
    PT_CHECK_KIND(ErrorKind::kNotImplemented, p.rows.ndim < kDeviceLevels,
                  "indexing on a device: too many dimensions");
    p.rows.sizes[p.rows.ndim] = s.run;
    p.rows.strides[p.rows.ndim++] = s.run_stride;
    p.rows.count *= s.run;
  }
  p.n = s.n;
  p.offsets = offsets.data<int64_t>();
  return p;
}

DeviceLines lines_of(const Tensor& self, int dim, const Tensor& index) {
  DeviceLines a;
  const bool scalar = self.dim() == 0;
  a.self = self.raw();
  a.index = index.data<int64_t>();
  a.size = scalar ? 1 : self->sizes[dim];
  a.step = scalar ? 1 : self->strides[dim];
  a.dim = dim;
  a.length = index.dim() ? index->sizes[dim] : 1;
  const Dims& sizes = index->sizes;
  Dims strides(index.dim(), 0);
  for (int d = 0; d < index.dim(); ++d) {
    if (d != dim && !scalar) strides[d] = self->strides[d];
    if (d > dim) a.inner *= index->sizes[d];
  }
  a.walk = walk_of(positions(sizes, strides));
  return a;
}

}  // namespace

void read_selection(const Selection& s, const void* data, void* out, size_t item) {
  static const Kernel<DeviceIndexReadFn> kernel{"device_index_read"};
  if (s.elements() == 0) return;
  const Tensor offsets = offsets_of(s);
  kernel.get(slot_of_item(item))({points_of(s, data, offsets), out});
}

void write_selection(const Selection& s, DType dtype, void* data, const Written& values,
                     PlaceOp op) {
  static const Kernel<DeviceIndexWriteFn> kernel{"device_index_write"};
  if (s.elements() == 0) return;
  const Tensor offsets = offsets_of(s);
  DeviceIndexWrite a;
  a.points = points_of(s, data, offsets);
  a.values = values.values;
  a.one = values.one;
  if (values.number) std::memcpy(a.number, values.number, item_size(dtype));
  a.op = op;
  kernel.get(dtype)(a);
}

void gather_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& out) {
  static const Kernel<DeviceLinesFn> kernel{"device_gather_lines"};
  DeviceLines a = lines_of(self, dim, index);
  a.other = out.raw();
  kernel.get(slot_of_item(self.item_size()))(a);
}

void scatter_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& src,
                   PlaceOp op) {
  static const Kernel<DeviceLinesFn> kernel{"device_scatter_lines"};
  DeviceLines a = lines_of(self, dim, index);
  if (src.device().is_cpu()) {  // a number
    std::memcpy(a.number, src.raw(), src.item_size());
  } else {
    a.other = src.raw();
  }
  a.one = src.numel() == 1;
  a.op = op;
  kernel.get(self.dtype())(a);
}

Nonzero::Nonzero(const Tensor& flat) : flat_(flat) {
  static const Kernel<DeviceNonzeroFn> kernel{"device_count_nonzero"};
  const int64_t tiles = (flat.numel() + kCompactTile - 1) / kCompactTile;
  before_ = empty_tensor(Dims{tiles + 1}, DType::kInt64);
  DeviceNonzero a;
  a.source = flat.raw();
  a.n = flat.numel();
  a.before = before_.data<int64_t>();
  kernel.get(flat.dtype())(a);
  copy_memory(&count_, Device(), a.before + tiles, flat.device(), sizeof count_);
}

Tensor Nonzero::coordinates(IntList sizes) const {
  static const Kernel<DeviceNonzeroFn> kernel{"device_nonzero"};
  const Tensor out = empty_tensor(Dims{static_cast<int64_t>(sizes.size()), count_}, DType::kInt64);
  if (out.numel() == 0) return out;
  DeviceNonzero a;
  a.source = flat_.raw();
  a.n = flat_.numel();
  a.before = before_.data<int64_t>();
  a.out = out.data<int64_t>();
  a.stride = count_;
  a.ndim = static_cast<int>(sizes.size());
  for (size_t d = 0; d < sizes.size(); ++d) a.sizes[d] = sizes[d];
  kernel.get(flat_.dtype())(a);
  return out;
}

void Nonzero::move(const char* name, const Tensor& in, const Tensor& out) const {
  if (count_ == 0) return;
  const Kernel<DeviceMaskedFn> kernel{name};
  kernel.get(slot_of_item(in.item_size()))({static_cast<const uint8_t*>(flat_.raw()),
                                            before_.data<int64_t>(), in.raw(), out.raw(),
                                            flat_.numel()});
}

}  // namespace pt::device
