// Windows of a pooling call. See window.h.
#include "ops/pool/window.h"

#include <algorithm>

#include "ops/index/selection.h"

namespace pt {

namespace {

const char* const kAxes[] = {"depth", "height", "width"};

// Entry of a list that has one entry for all dimensions, or one for each.
int64_t entry(IntList list, int i) {
  return list.size() == 1 ? list[0] : list[static_cast<size_t>(i)];
}

void check_length(const PoolOptions& o, const char* argument, IntList list, bool may_be_empty) {
  const auto n = static_cast<size_t>(o.spatial);
  PT_CHECK(list.size() == 1 || list.size() == n || (may_be_empty && list.empty()), o.name,
           "(): ", argument, " must ", may_be_empty ? "either be omitted, " : "be ",
           "a single int, or a tuple of ", o.spatial, " ints, but got ", to_text(list));
}

int64_t divide_down(__int128 a, int64_t b) {
  const __int128 q = a / b;
  return static_cast<int64_t>(a % b < 0 ? q - 1 : q);
}

// How many windows fit. Sums are taken in 128 bits: the numbers are the caller's.
int64_t window_count(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                     bool ceil_mode) {
  const __int128 room =
      __int128{in} + 2 * __int128{padding} - __int128{dilation} * (kernel - 1) - 1;
  const __int128 top = room + (ceil_mode ? stride - 1 : 0);
  if (top < 0) return top < -__int128{stride} ? -1 : 0;
  int64_t n = divide_down(top, stride) + 1;
  // The last window has to start in the input or in the padding before it.
  if (ceil_mode && __int128{n - 1} * stride >= __int128{in} + padding) --n;
  return n;
}

std::string sizes_text(IntList sizes, int spatial, bool with_channels) {
  std::string s;
  const size_t first = sizes.size() - static_cast<size_t>(spatial) - (with_channels ? 1 : 0);
  for (size_t i = first; i < sizes.size(); ++i) s += concat(i > first ? "x" : "", sizes[i]);
  return s;
}

}  // namespace

void check_pool_input(const char* name, int spatial, IntList sizes) {
  const int ndim = static_cast<int>(sizes.size());
  bool good = ndim == spatial + 1 || ndim == spatial + 2;
  for (int i = ndim - spatial - 1; good && i < ndim; ++i) good = sizes[static_cast<size_t>(i)] > 0;
  PT_CHECK(
      good, name, "(): Expected ", spatial + 1, "D or ", spatial + 2,
      "D (batch mode) tensor with optional 0 dim batch size for input, but got: ", to_text(sizes));
}

int64_t planes_of(IntList sizes, int spatial) {
  int64_t n = 1;
  for (size_t i = 0; i + static_cast<size_t>(spatial) < sizes.size(); ++i) n *= sizes[i];
  return n;
}

void raise_not_implemented(const char* name, DType t) {
  raise(ErrorKind::kNotImplemented, "\"", name, "\" not implemented for '", scalar_type_name(t),
        "'");
}

PoolPlan::PoolPlan(const PoolOptions& o, IntList input) : out_sizes(input) {
  check_length(o, "kernel_size", o.kernel, false);
  check_length(o, "stride", o.stride, true);
  check_length(o, "padding", o.padding, false);
  check_length(o, "dilation", o.dilation, false);
  check_pool_input(o.name, o.spatial, input);
  const IntList strides = o.stride.empty() ? o.kernel : o.stride;
  for (int i = 0; i < o.spatial; ++i) {
    const int64_t k = entry(o.kernel, i), s = entry(strides, i), p = entry(o.padding, i),
                  d = entry(o.dilation, i);
    PT_CHECK(k > 0, o.name, "(): kernel size should be greater than zero, but got ", k);
    PT_CHECK(s != 0, o.name, "(): stride should not be zero");
    PT_CHECK(s > 0, o.name, "(): stride should be greater than zero, but got ", s);
    PT_CHECK(d > 0, o.name, "(): dilation should be greater than zero, but got ", d);
    PT_CHECK(p >= 0, o.name, "(): pad must be non-negative, but got pad: ", p);
    PT_CHECK(p <= (__int128{k - 1} * d + 1) / 2, o.name,
             "(): pad should be at most half of effective kernel size, but got pad=", p,
             ", kernel_size=", k, " and dilation=", d);
    const int at = out_sizes.size() - o.spatial + i, axis = 3 - o.spatial + i;
    args.in_size[axis] = out_sizes[at];
    out_sizes[at] = window_count(out_sizes[at], k, s, p, d, o.ceil_mode);
    PT_CHECK(out_sizes[at] > 0, o.name, "(): Given input size: (",
             sizes_text(input, o.spatial, true), "). The ", kAxes[axis], " of the output would be ",
             out_sizes[at], ". Output size is too small");
    args.out_size[axis] = out_sizes[at];
    args.kernel[axis] = k;
    args.stride[axis] = s;
    args.padding[axis] = p;
    args.dilation[axis] = d;
  }
  checked_numel(out_sizes);
  args.planes = planes_of(input, o.spatial);
  args.regular = true;
  for (int d = 0; d < 3; ++d) {
    const int64_t n = args.planes > 0 ? args.out_size[d] : 0, step = args.dilation[d];
    start_[d].resize(static_cast<size_t>(n));
    count_[d].resize(static_cast<size_t>(n));
    for (int64_t j = 0; j < n; ++j) {
      const int64_t begin = j * args.stride[d] - args.padding[d];
      // The first element of the window that is not in the padding, and how many follow.
      const int64_t skipped = begin < 0 ? (-begin + step - 1) / step : 0;
      const int64_t first = begin + skipped * step;
      const int64_t fit = first < args.in_size[d] ? (args.in_size[d] - 1 - first) / step + 1 : 0;
      const auto i = static_cast<size_t>(j);
      start_[d][i] = std::clamp<int64_t>(first, 0, args.in_size[d] - 1);
      count_[d][i] = std::clamp<int64_t>(args.kernel[d] - skipped, 0, fit);
    }
  }
  publish();
}

PoolPlan::PoolPlan(const char* name, int spatial, IntList input, IntList output_size)
    : out_sizes(input) {
  const int ndim = static_cast<int>(input.size());
  PT_CHECK(ndim == spatial + 1 || ndim == spatial + 2, name, "(): Expected ", spatial + 1, "D or ",
           spatial + 2, "D tensor, but got: ", to_text(input));
  PT_CHECK(output_size.size() == 1 || output_size.size() == static_cast<size_t>(spatial), name,
           "(): output_size must be ", spatial, " ints, but got ", to_text(output_size));
  args.planes = planes_of(input, spatial);
  args.regular = true;
  for (int i = 0; i < spatial; ++i) {
    const int at = ndim - spatial + i, axis = 3 - spatial + i;
    const int64_t in = out_sizes[at], out = entry(output_size, i);
    PT_CHECK(in > 0, name,
             "(): Expected input to have non-zero size for non-batch dimensions, "
             "but input has sizes ",
             to_text(input), " with dimension ", at, " being empty");
    PT_CHECK(out >= 0, name,
             "(): elements of output_size must be greater than or equal to 0 but "
             "received ",
             to_text(output_size));
    out_sizes[at] = args.out_size[axis] = out;
    args.in_size[axis] = in;
    const bool even = out > 0 && in % out == 0;
    args.regular = args.regular && even;
    if (even) args.kernel[axis] = args.stride[axis] = in / out;
  }
  checked_numel(out_sizes);
  for (int d = 0; d < 3; ++d) {
    const int64_t in = args.in_size[d], out = args.planes > 0 ? args.out_size[d] : 0;
    start_[d].resize(static_cast<size_t>(out));
    count_[d].resize(static_cast<size_t>(out));
    for (int64_t j = 0; j < out; ++j) {
      const __int128 product = __int128{j} * in;
      const auto i = static_cast<size_t>(j);
      start_[d][i] = static_cast<int64_t>(product / out);
      count_[d][i] = static_cast<int64_t>((product + in + out - 1) / out) - start_[d][i];
    }
  }
  publish();
}

void PoolPlan::publish() {
  for (int d = 0; d < 3; ++d) {
    args.start[d] = start_[d].data();
    args.count[d] = args.size[d] = count_[d].data();
  }
}

void PoolPlan::set_divisors(bool count_include_pad, std::optional<int64_t> divisor_override) {
  PT_CHECK(divisor_override.value_or(1) != 0, "divisor must be not zero");
  args.divisor = divisor_override.value_or(0);
  if (!count_include_pad) return;
  for (int d = 0; d < 3; ++d) {
    padded_size_[d] = count_[d];
    for (size_t j = 0; j < padded_size_[d].size(); ++j) {
      // What a window in ceil mode has beyond the padding does not count.
      const int64_t begin = static_cast<int64_t>(j) * args.stride[d] - args.padding[d];
      padded_size_[d][j] = std::min(args.kernel[d], args.in_size[d] + args.padding[d] - begin);
    }
    args.size[d] = padded_size_[d].data();
  }
}

}  // namespace pt
