// constant_pad_nd and pad in its modes.
#include "ops/image/pad.h"

#include <algorithm>

#include "cpu/image_args.h"
#include "cpu/kernel_table.h"
#include "op/call_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/selection.h"

namespace pt {

namespace {

const Kernel<PadFn> kPadCopy{"pad_copy"};
const Kernel<PadBackwardFn> kPadBackward{"pad_backward"};
const Kernel<ResampleFn> kResample{"resample"};

enum class PadMode : uint8_t { kConstant, kReflect, kReplicate, kCircular };

std::optional<PadMode> mode_of(std::string_view name) {
  if (name == "constant") return PadMode::kConstant;
  if (name == "reflect") return PadMode::kReflect;
  if (name == "replicate") return PadMode::kReplicate;
  if (name == "circular") return PadMode::kCircular;
  return std::nullopt;
}

// Padding at both ends of a dimension.
struct Ends {
  int64_t before = 0, after = 0;
};

// The padding of dimension d of ndim.
Ends ends_of(IntList pad, int d, int ndim) {
  const auto i = static_cast<size_t>(ndim - 1 - d) * 2;
  return i + 1 < pad.size() ? Ends{pad[i], pad[i + 1]} : Ends{};
}

int64_t padded_size(IntList sizes, int d, Ends e) {
  const int64_t n = sizes[static_cast<size_t>(d)];
  int64_t sum = 0;
  const bool fits =
      !__builtin_add_overflow(n, e.before, &sum) && !__builtin_add_overflow(sum, e.after, &sum);
  PT_CHECK(fits && sum >= 0, "The input size ", n, ", plus negative padding ", e.before, " and ",
           e.after, " resulted in a negative output size, which is invalid. Check dimension ", d,
           " of your input.");
  return sum;
}

// Which element of the input stands at each place of a padded dimension; -1 is the fill value.
std::vector<int64_t> map_of(PadMode mode, int64_t in, Ends e, int64_t out) {
  std::vector<int64_t> map(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    int64_t x = i - e.before;
    if (x < 0 || x >= in) {
      if (mode == PadMode::kConstant) x = -1;
      if (mode == PadMode::kReflect) x = x < 0 ? -x : 2 * (in - 1) - x;
      if (mode == PadMode::kReplicate) x = std::clamp<int64_t>(x, 0, in - 1);
      if (mode == PadMode::kCircular) x += x < 0 ? in : -in;
    }
    map[static_cast<size_t>(i)] = x;
  }
  return map;
}

// The places that are plain copies: [first, last).
Ends middle_of(int64_t in, Ends e, int64_t out) {
  const int64_t first = std::clamp<int64_t>(e.before, 0, out);
  return {first, std::max(first, std::min(out, in + e.before))};
}

DType slot_of(const Tensor& t) {
  const size_t item = t.item_size();
  return item == 1   ? DType::kUInt8
         : item == 2 ? DType::kInt16
         : item == 4 ? DType::kInt32
                     : DType::kInt64;
}

Dims padded_sizes(const Tensor& self, IntList pad) {
  Dims sizes = self.sizes();
  for (int d = 0; d < self.dim(); ++d)
    sizes[d] = padded_size(self.sizes(), d, ends_of(pad, d, self.dim()));
  checked_numel(sizes);
  return sizes;
}

Tensor run_pad(const Tensor& given, IntList pad, PadMode mode, const Scalar& value) {
  const Tensor out = empty_tensor(padded_sizes(given, pad), given.dtype(), given.device());
  if (out.numel() == 0) return out;
  if (given.numel() == 0) {
    fill_with(out, value);
    return out;
  }
  const int ndim = given.dim();
  const bool rows = given->strides[ndim - 1] == 1 || given->sizes[ndim - 1] == 1;
  const Tensor self = rows ? given : contiguous_copy(given);
  PadArgs a;
  CallTables tables;
  std::vector<int64_t> maps[kMaxPadDims];
  int64_t size = 1;  // of the input's dimension being put together
  for (int d = 0; d < ndim; ++d) {
    const Ends e = ends_of(pad, d, ndim);
    const bool plain = e.before == 0 && e.after == 0;
    const int64_t stride = d == ndim - 1 ? 1 : self->strides[d];
    const bool merges = a.ndim > 0 && plain && !a.map[a.ndim - 1] && d > 0 &&
                        a.in_stride[a.ndim - 1] == stride * self->sizes[d];
    if (!merges) ++a.ndim;
    const int k = a.ndim - 1;
    size = merges ? size * self->sizes[d] : self->sizes[d];
    a.in_stride[k] = stride;
    a.out_size[k] = merges ? size : out->sizes[d];
    maps[k].clear();
    if (!plain) maps[k] = map_of(mode, self->sizes[d], e, out->sizes[d]);
    a.map[k] = plain ? nullptr : tables.of(maps[k]);
    const Ends middle = middle_of(size, e, a.out_size[k]);
    a.first = middle.before;
    a.last = middle.after;
  }
  alignas(16) char element[16];
  value.store(self.dtype(), element);
  a.fill = element;
  a.in = self.raw();
  a.out = out.raw();
  a.rows = out.numel() / a.out_size[a.ndim - 1];
  kPadCopy.get(slot_of(self))(a);
  return out;
}

// Checks of the modes that repeat elements.
void check_repeat(IntList sizes, IntList pad, PadMode mode) {
  const int ndim = static_cast<int>(sizes.size()), padded = static_cast<int>(pad.size() / 2);
  PT_CHECK_KIND(ErrorKind::kNotImplemented,
                pad.size() % 2 == 0 && padded >= 1 && padded <= 3 &&
                    (ndim == padded + 1 || ndim == padded + 2),
                "Padding size ", pad.size(), " is not supported for ", ndim, "D input tensor.");
  if (mode != PadMode::kCircular) {
    bool good = true;
    for (int d = ndim - padded - 1; d < ndim; ++d) good = good && sizes[static_cast<size_t>(d)] > 0;
    PT_CHECK(good, "Expected ", padded + 1, "D or ", padded + 2,
             "D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
             "input, but got: ",
             to_text(sizes));
  }
  for (int d = ndim - padded; d < ndim; ++d) {
    const int64_t n = sizes[static_cast<size_t>(d)];
    const Ends e = ends_of(pad, d, ndim);
    if (mode == PadMode::kReflect)
      PT_CHECK(e.before < n && e.after < n,
               "Padding size should be less than the corresponding input dimension, but got: "
               "padding (",
               e.before, ", ", e.after, ") at dimension ", d, " of input ", to_text(sizes));
    if (mode == PadMode::kCircular)
      PT_CHECK(e.before <= n && e.after <= n,
               "Padding value causes wrapping around more than once.");
  }
}

PadMode repeat_mode(std::string_view name) {
  const auto mode = mode_of(name);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, mode && *mode != PadMode::kConstant,
                "Unrecognised padding mode ", name);
  return *mode;
}

// For each element of a dimension the places that it was copied to, each with the weight 1.
template <class T>
TapTable places_of(const std::vector<int64_t>& map, int64_t size, CallTables& tables) {
  std::vector<int64_t> offset(static_cast<size_t>(size) + 1, 0);
  for (const int64_t x : map) ++offset[static_cast<size_t>(x) + 1];
  for (size_t i = 1; i < offset.size(); ++i) offset[i] += offset[i - 1];
  std::vector<int64_t> next(offset.begin(), offset.end() - 1);
  std::vector<int32_t> index(map.size());
  for (size_t j = 0; j < map.size(); ++j)
    index[static_cast<size_t>(next[static_cast<size_t>(map[j])]++)] = static_cast<int32_t>(j);
  return {tables.of(offset), tables.of(index), tables.of(std::vector<T>(map.size(), T(1)))};
}

// The gradient on a device: every element's copies, gathered by the kernel of resampling.
Tensor sum_copies(const Tensor& grad, IntList input_size, const PadBackwardArgs& a,
                  const std::vector<int64_t> (&maps)[3]) {
  if (grad.numel() == 0) return zeros_tensor(input_size, grad.dtype());
  const Tensor source = as_contiguous(grad), out = empty_tensor(input_size, grad.dtype());
  CallTables tables;
  ResampleArgs r;
  r.in = source.raw();
  r.out = out.raw();
  r.planes = a.planes;
  for (int d = 0; d < 3; ++d) {
    PT_CHECK(a.out_size[d] <= INT32_MAX, "_repeat_pad_backward(): sizes must be below 2**31");
    r.in_size[d] = a.out_size[d];
    r.out_size[d] = a.in_size[d];
    r.taps[d] = grad.dtype() == DType::kFloat64 ? places_of<double>(maps[d], a.in_size[d], tables)
                                                : places_of<float>(maps[d], a.in_size[d], tables);
  }
  kResample.get(grad.dtype())(r);
  return out;
}

Dims negated(IntList pad) {
  Dims r(pad);
  for (int i = 0; i < r.size(); ++i) {
    PT_CHECK(r[i] != INT64_MIN, "pad: padding is out of range");
    r[i] = -r[i];
  }
  return r;
}

}  // namespace

PT_OP(constant_pad_nd)
    .on_device()
    .impl([](const Tensor& self, IntList pad, const Scalar& value) {
      PT_CHECK(pad.size() % 2 == 0,
               "constant_pad_nd(): Length of pad must be even but instead it equals ", pad.size());
      PT_CHECK(pad.size() <= static_cast<size_t>(self.dim()) * 2,
               "constant_pad_nd(): Padding length should be less than or equal to two times the "
               "input dimension but got padding length ",
               pad.size(), " and input of dimension ", self.dim());
      value.check_fits(self.dtype());
      if (pad.empty()) return contiguous_copy(self);
      return run_pad(self, pad, PadMode::kConstant, value);
    })
    .backward([](BackwardCall& g, const Tensor&, IntList pad, const Scalar&) {
      g[0] = constant_pad_nd(g.grad(), negated(pad));
    })
    .function_only()
    .doc(
        "A copy with elements of one value added around it, or with its borders cut off.\n\n"
        "Args:\n    pad (ints): elements before and after the last dimension, then before and\n"
        "        after the one before it, and so on; negative numbers cut elements off\n"
        "    value (number): of the new elements\n\n"
        "Example:\n    >>> torch.constant_pad_nd(torch.ones(2), (1, 2))\n"
        "    tensor([0., 1., 1., 0., 0.])")
    .sample("R(3, 4), (1, 2)")
    .sample("R(2, 3, 5), (1, -2, 0, 1), 2.0")
    .sample("R(2, 3, 4, 5), (0, 0, 1, 1, 2, 0), 1")
    .sample("R(2, 3, 40), (0, 0, 1, 1)")
    .sample("R(2, 3, 4, 5), (1, 1, 1, 1, 1, 1, 1, 1)");

PT_OP(repeat_pad)
    .on_device()
    .impl([](const Tensor& self, IntList pad, std::string_view name) {
      const PadMode mode = repeat_mode(name);
      check_repeat(self.sizes(), pad, mode);
      if (mode != PadMode::kCircular)
        PT_CHECK_KIND(ErrorKind::kNotImplemented, self.dtype() != DType::kBool, "\"",
                      mode == PadMode::kReflect ? "reflection" : "replication", "_pad",
                      pad.size() / 2, "d\" not implemented for 'Bool'");
      return run_pad(self, pad, mode, 0);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList pad, std::string_view mode) {
      g[0] = repeat_pad_backward(g.grad(), self.sizes(), pad, mode);
    })
    .internal()
    .doc("pad() in the modes reflect, replicate and circular.");

PT_OP(repeat_pad_backward)
    .on_device()
    .impl([](const Tensor& grad, IntList input_size, IntList pad, std::string_view name) {
      const PadMode mode = repeat_mode(name);
      check_repeat(input_size, pad, mode);
      const int ndim = static_cast<int>(input_size.size()),
                padded = static_cast<int>(pad.size() / 2);
      PadBackwardArgs a;
      a.planes = 1;
      std::vector<int64_t> maps[3] = {{0}, {0}, {0}};
      Dims expected(input_size);
      Ends middle;
      for (int d = 0; d < ndim; ++d) {
        const int axis = d - (ndim - 3);
        if (d < ndim - padded) {
          a.planes *= input_size[static_cast<size_t>(d)];
          continue;
        }
        const Ends e = ends_of(pad, d, ndim);
        a.in_size[axis] = input_size[static_cast<size_t>(d)];
        a.out_size[axis] = expected[d] = padded_size(input_size, d, e);
        maps[axis] = map_of(mode, a.in_size[axis], e, a.out_size[axis]);
        middle = middle_of(a.in_size[axis], e, a.out_size[axis]);
      }
      PT_CHECK(same(expected, grad.sizes()),
               "_repeat_pad_backward(): expected a gradient of shape ", to_text(expected),
               ", but got ", to_text(grad.sizes()));
      PT_CHECK_KIND(ErrorKind::kNotImplemented, grad.is_floating(),
                    "\"pad_backward\" not implemented for '", scalar_type_name(grad.dtype()), "'");
      if (call_on_device) return sum_copies(grad, input_size, a, maps);
      if (grad.numel() == 0) return zeros_tensor(input_size, grad.dtype());
      const Tensor source = as_contiguous(grad);
      const Tensor out = empty_tensor(input_size, grad.dtype());
      for (int d = 0; d < 3; ++d) a.map[d] = maps[d].data();
      a.first = middle.before;
      a.last = middle.after;
      a.grad = source.raw();
      a.grad_in = out.raw();
      kPadBackward.get(grad.dtype())(a);
      return out;
    })
    .backward([](BackwardCall& g, const Tensor&, IntList, IntList pad, std::string_view mode) {
      g[0] = repeat_pad(g.grad(), pad, mode);
    })
    .internal()
    .doc("The gradient of _repeat_pad: each element's copies, added up.")
    .sample("R(2, 3, 6, 8), (2, 3, 4, 5), (1, 2, 1, 1), 'reflect'")
    .sample("R(2, 3, 7), (2, 3, 5), (-1, 3), 'replicate'")
    .sample("R(2, 6, 5, 7), (2, 3, 4, 5), (1, 1, 1, 0, 1, 2), 'circular'");

PT_OP(pad)
    .composite([](const Tensor& self, IntList pad, std::string_view name,
                  std::optional<double> value) {
      PT_CHECK(pad.size() % 2 == 0, "Padding length must be divisible by 2");
      PT_CHECK(pad.size() <= static_cast<size_t>(self.dim()) * 2,
               "Padding length should be less than or equal to two times the input dimension but "
               "got padding length ",
               pad.size(), " and input of dimension ", self.dim());
      const auto mode = mode_of(name);
      if (mode == PadMode::kConstant)
        return value ? constant_pad_nd(self, pad, *value) : constant_pad_nd(self, pad);
      PT_CHECK(value.value_or(0) == 0, "Padding mode \"", name,
               "\" doesn't take in value argument");
      PT_CHECK_KIND(ErrorKind::kNotImplemented, mode, "Unrecognised padding mode ", name);
      return repeat_pad(self, pad, name);
    })
    .internal()
    .doc("A copy with elements added around it, of one value or repeated from the input.")
    .sample("R(2, 3, 4), (1, 2)")
    .sample("R(2, 3, 4), (1, 2, 0, 1), value=1.5")
    .sample("R(2, 3, 5), (2, 1), 'reflect'")
    .sample("R(2, 3, 5, 40), (2, 1, 0, 3), 'reflect'")
    .sample("R(2, 3, 5, 4), (2, 1, 0, 3), 'replicate'")
    .sample("R(2, 3, 5, 4), (4, 0, 5, 2), 'circular'")
    .sample("R(3, 4, 5, 4), (1, 1, 2, 3, 1, 0), 'reflect'")
    .sample("R(3, 4, 5, 4), (-1, 1, 2, -3, 4, 5), 'replicate'");

}  // namespace pt
