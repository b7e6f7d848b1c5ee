// _resample: nearest, linear and cubic interpolation of one to three dimensions, and its gradient,
// which is a resampling by the transposed tables.
#include "ops/image/resample.h"

#include "cpu/image_args.h"
#include "cpu/kernel_table.h"
#include "op/call_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/image/taps.h"
#include "ops/index/selection.h"

namespace pt {

namespace {

const Kernel<ResampleFn> kResample{"resample"}, kNearest{"resample_nearest"};

struct Call {
  Interpolation how;
  std::string name;  // PyTorch's, for messages
  int spatial;
  Dims in, out;  // sizes of the resampled dimensions
  double scales[3] = {0, 0, 0};
};

Call checked_call(IntList input, IntList output_size, std::string_view mode, bool align_corners,
                  std::optional<FloatList> scales, bool antialias) {
  Call c;
  c.spatial = static_cast<int>(output_size.size());
  Filter filter = Filter::kNearest;
  if (mode == "nearest-exact") filter = Filter::kNearestExact;
  if (mode == "linear") filter = Filter::kLinear;
  if (mode == "cubic") filter = Filter::kCubic;
  if (mode == "lanczos") filter = Filter::kLanczos;
  PT_CHECK(filter != Filter::kNearest || mode == "nearest", "_resample(): unknown mode '", mode,
           "'");
  PT_CHECK(c.spatial >= 1 && c.spatial <= 3,
           "_resample(): output_size must have 1 to 3 entries, but got ", to_text(output_size));
  PT_CHECK(antialias || filter != Filter::kLanczos, "_resample(): lanczos needs antialias");
  PT_CHECK(!antialias || filter >= Filter::kLinear,
           "_resample(): antialias goes with the modes "
           "linear and cubic, but got '",
           mode, "'");
  c.how = {filter, align_corners, antialias};
  c.name = concat("upsample_", std::string(mode), c.spatial, "d");
  PT_CHECK(static_cast<int>(input.size()) == c.spatial + 2, "It is expected input_size equals to ",
           c.spatial + 2, ", but got size ", input.size());
  PT_CHECK(!scales || scales->size() == output_size.size(), "_resample(): expected ", c.spatial,
           " scales, but got ", scales ? scales->size() : 0);
  for (int i = 0; i < c.spatial; ++i) {
    const int64_t in = input[static_cast<size_t>(2 + i)], out = output_size[static_cast<size_t>(i)];
    PT_CHECK(in > 0 && out > 0, "Input and output sizes should be greater than 0, but got input ",
             to_text(input), " output ", to_text(output_size));
    PT_CHECK(in <= INT32_MAX && out <= INT32_MAX, c.name, "(): sizes must be below 2**31");
    c.in.push_back(in);
    c.out.push_back(out);
    if (scales) c.scales[i] = (*scales)[static_cast<size_t>(i)];
  }
  // PyTorch reads small planes by whole steps where their size stays or doubles, whatever the
  // factor that was given.
  const bool small = c.spatial == 2 && filter == Filter::kNearest && c.out[0] + c.out[1] <= 128;
  for (int i = 0; small && i < c.spatial; ++i) {
    if (c.out[i] == c.in[i] || c.out[i] == 2 * c.in[i]) c.scales[i] = 0;
  }
  PT_CHECK(input[1] != 0, "Non-empty ", c.spatial + 2,
           "D data tensor expected but got a tensor with sizes ", to_text(input));
  return c;
}

Dims with_sizes(IntList batch_and_channels, const Dims& spatial) {
  Dims r{batch_and_channels[0], batch_and_channels[1]};
  for (const int64_t n : spatial) r.push_back(n);
  checked_numel(r);
  return r;
}

DType slot_of(const Tensor& t) {
  const size_t item = t.item_size();
  return item == 1   ? DType::kUInt8
         : item == 2 ? DType::kInt16
         : item == 4 ? DType::kInt32
                     : DType::kInt64;
}

// The tables of the call, or the gradient's.
template <class T>
void run(const Call& c, bool backward, ResampleFn* fn, ResampleArgs& a) {
  Taps<T> taps[3], even;
  CallTables tables;
  for (int d = 0; d < 3; ++d) {
    const int i = d - (3 - c.spatial);
    if (i < 0) {
      taps[d] = {{0, 1}, {0}, {T(1)}};
    } else {
      taps[d] = make_taps<T>(c.how, c.in[i], c.out[i], c.scales[i]);
      if (backward) taps[d] = taps[d].transposed(c.in[i]);
      a.in_size[d] = backward ? c.out[i] : c.in[i];
      a.out_size[d] = backward ? c.in[i] : c.out[i];
    }
    a.taps[d] = {tables.of(taps[d].offset), tables.of(taps[d].index), tables.of(taps[d].weight)};
  }
  a.even_taps = taps[2].even();
  if (a.even_taps > 0 && !call_on_device) {
    a.even_stride = (a.out_size[2] + kEvenLine - 1) / kEvenLine * kEvenLine;
    even = taps[2].by_number(a.even_stride);
    a.even_index = even.index.data();
    a.even_weight = even.weight.data();
  }
  a.doubles_rows = a.even_taps == 1 && a.out_size[2] == 2 * a.in_size[2];
  a.halves_rows = a.even_taps == 1 && a.out_size[2] == a.in_size[2] / 2;
  for (int64_t j = 0; (a.doubles_rows || a.halves_rows) && j < a.out_size[2]; ++j) {
    const int64_t i = taps[2].index[static_cast<size_t>(j)];
    a.doubles_rows = a.doubles_rows && i == j / 2;
    a.halves_rows = a.halves_rows && i == j * 2;
  }
  fn(a);
}

Tensor run_resample(const Call& c, const Tensor& given, bool backward) {
  const Tensor self = as_contiguous(given);
  const Tensor out = empty_tensor(with_sizes(given.sizes(), backward ? c.in : c.out), self.dtype());
  const bool copies = !backward && c.how.filter <= Filter::kNearestExact;
  ResampleFn* fn = kResample.get(self.dtype());
  // Bytes are for images: PyTorch interpolates them in two dimensions only.
  const bool bytes = self.dtype() == DType::kUInt8 && !backward && (copies || c.spatial == 2);
  const bool floats = self.is_floating() && !(c.how.antialias && is_half(self.dtype()));
  const bool known = fn && (floats || bytes);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, known, "\"", c.name, "\" not implemented for '",
                scalar_type_name(self.dtype()), "'");
  if (out.numel() == 0) return out;
  if (copies) fn = kNearest.get(slot_of(self));
  ResampleArgs a;
  a.in = self.raw();
  a.out = out.raw();
  a.planes = self->sizes[0] * self->sizes[1];
  if (self.dtype() == DType::kFloat64) {
    run<double>(c, backward, fn, a);
  } else {
    run<float>(c, backward, fn, a);
  }
  return out;
}

}  // namespace

PT_OP(resample)
    .on_device()
    .impl([](const Tensor& self, IntList output_size, std::string_view mode, bool align_corners,
             std::optional<FloatList> scales, bool antialias) {
      const Call c =
          checked_call(self.sizes(), output_size, mode, align_corners, scales, antialias);
      return run_resample(c, self, false);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList output_size, std::string_view mode,
                 bool align_corners, std::optional<FloatList> scales, bool antialias) {
      g[0] = resample_backward(g.grad(), self.sizes(), output_size, mode, align_corners, scales,
                               antialias);
    })
    .internal()
    .doc("Interpolation of the last dimensions to the given sizes.")
    .sample("R(2, 3, 5), (8,), 'nearest'")
    .sample("R(2, 3, 5, 4), (7, 3), 'nearest-exact'")
    .sample("R(2, 3, 5), (8,), 'linear'")
    .sample("R(2, 3, 5, 4), (7, 3), 'linear', True")
    .sample("R(2, 2, 3, 4), (6, 8), 'cubic'")
    .sample("R(2, 2, 6, 9), (3, 4), 'cubic', False, None, True")
    .sample("R(1, 2, 3, 4, 5), (4, 4, 7), 'linear', False, (1.4, 1.0, 1.5)");

PT_OP(resample_backward)
    .on_device()
    .impl([](const Tensor& grad, IntList input_size, IntList output_size, std::string_view mode,
             bool align_corners, std::optional<FloatList> scales, bool antialias) {
      const Call c = checked_call(input_size, output_size, mode, align_corners, scales, antialias);
      const Dims expected = with_sizes(input_size, c.out);
      PT_CHECK(same(expected, grad.sizes()), "_resample_backward(): expected a gradient of shape ",
               to_text(expected), ", but got ", to_text(grad.sizes()));
      return run_resample(c, grad, true);
    })
    .backward([](BackwardCall& g, const Tensor&, IntList, IntList output_size,
                 std::string_view mode, bool align_corners, std::optional<FloatList> scales,
                 bool antialias) {
      g[0] = resample(g.grad(), output_size, mode, align_corners, scales, antialias);
    })
    .internal()
    .doc("The gradient of _resample.")
    .sample("R(2, 2, 7, 3), (2, 2, 5, 4), (7, 3), 'linear', False, None, False");

}  // namespace pt
