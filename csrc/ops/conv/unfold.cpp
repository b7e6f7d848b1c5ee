// Images as columns of blocks and back: im2col and col2im, each the gradient of the other.
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/conv/algorithms/columns.h"
#include "ops/conv/conv.h"
#include "ops/index/selection.h"

namespace pt {

namespace {

// "(3, 3)"
std::string pair(IntList l) {
  return "(" + std::to_string(l[0]) + ", " + std::to_string(l[1]) + ")";
}

void check_pair(const char* name, IntList l) {
  PT_CHECK(l.size() == 2, "It is expected ", name, " equals to 2, but got size ",
           static_cast<int64_t>(l.size()));
}

void check_positive(const char* name, const char* part, IntList l, int64_t least) {
  PT_CHECK(l[0] >= least && l[1] >= least, name,
           least ? " should be greater than zero" : " should be non-negative", ", but got ", part,
           "_height: ", l[0], " ", part, "_width: ", l[1]);
}

struct Blocks {
  IntList kernel, dilation, padding, stride;
};

// The columns of images of `size`; the number of blocks may be impossible (checked by the callers).
ColumnsArgs columns_of(const Blocks& b, IntList size) {
  check_pair("kernel_size", b.kernel);
  check_pair("dilation", b.dilation);
  check_pair("padding", b.padding);
  check_pair("stride", b.stride);
  check_positive("kernel size", "kernel", b.kernel, 1);
  check_positive("dilation", "dilation", b.dilation, 1);
  check_positive("padding", "pad", b.padding, 0);
  check_positive("stride", "stride", b.stride, 1);
  ColumnsArgs a;
  constexpr int64_t kMost = int64_t{1} << 60;
  for (size_t d = 0; d < 2; d++) {
    a.size[d] = size[d];
    a.kernel[d] = b.kernel[d];
    a.dilation[d] = b.dilation[d];
    a.padding[d] = b.padding[d];
    a.stride[d] = b.stride[d];
    int64_t reach;
    PT_CHECK(!__builtin_mul_overflow(b.dilation[d], b.kernel[d] - 1, &reach) && reach < kMost &&
                 b.padding[d] < kMost / 2 && size[d] < kMost && size[d] > -kMost,
             "unfold: the sizes overflow 64 bits");
    const int64_t room = size[d] + 2 * b.padding[d] - reach - 1;
    // Rounds down, also for a negative room.
    a.blocks[d] = (room >= 0 ? room / b.stride[d] : -((-room - 1) / b.stride[d] + 1)) + 1;
  }
  return a;
}

template <class Fn>
void check_implemented(const char* op, const Tensor& t, Fn supported) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, supported(t.dtype()), "\"", op,
                "_out_cpu\" not implemented for '", scalar_type_name(t.dtype()), "'");
}

// Devices have kernels of these names; the cpu goes through the planes.
const Kernel<ColumnsFn> kToColumns{"image_to_columns"}, kToImage{"columns_to_image"};

void run(const Kernel<ColumnsFn>& kernel, void (*on_cpu)(DType, const ColumnsArgs&), DType t,
         const ColumnsArgs& a) {
  if (ColumnsFn* fn = kernel.get(t)) {
    fn(a);
  } else {
    on_cpu(t, a);
  }
}

bool has_columns(DType t) { return is_floating(t) || t == DType::kBool; }

}  // namespace

PT_OP(im2col)
    .on_device()
    .impl([](const Tensor& self, IntList kernel_size, IntList dilation, IntList padding,
             IntList stride) {
      const int d = self.dim() - 2;
      bool sizes = self.dim() == 3 || self.dim() == 4;
      for (int i = self.dim() - 3; sizes && i < self.dim(); i++) sizes = self->sizes[i] != 0;
      PT_CHECK(sizes,
               "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other "
               "non-zero dimensions for input, but got: ",
               to_text(self.sizes()));
      const IntList size(self.sizes().data() + d, 2);
      ColumnsArgs a = columns_of({kernel_size, dilation, padding, stride}, size);
      PT_CHECK(a.blocks[0] > 0 && a.blocks[1] > 0, "Given input with spatial size ", pair(size),
               ", kernel_size=", pair(kernel_size), ", dilation=", pair(dilation),
               ", padding=", pair(padding), ", calculated shape of the array of sliding blocks as ",
               pair(IntList(a.blocks, 2)), ", but its components must be at least one.");
      check_implemented("im2col", self, has_columns);
      const int64_t channels = self->sizes[d - 1];
      Dims shape;
      if (d == 2) shape.push_back(self->sizes[0]);
      shape.push_back(checked_numel(Dims{channels, kernel_size[0], kernel_size[1]}));
      shape.push_back(checked_numel(Dims{a.blocks[0], a.blocks[1]}));
      const Tensor out = empty_tensor(shape, self.dtype()), in = as_contiguous(self);
      a.planes = (d == 2 ? self->sizes[0] : 1) * channels;
      a.image = in.raw();
      a.columns = out.raw();
      if (out.numel() > 0) run(kToColumns, image_to_columns, self.dtype(), a);
      return out;
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList kernel_size, IntList dilation,
                 IntList padding, IntList stride) {
      const IntList size(self.sizes().data() + self.dim() - 2, 2);
      g[0] = col2im(g.grad(), size, kernel_size, dilation, padding, stride);
    })
    .internal()
    .doc("The blocks of an image as columns; see nn.functional.unfold.")
    .sample("R(2, 3, 5, 6), (2, 3), (1, 1), (0, 0), (1, 1)")
    .sample("R(2, 3, 7, 6), (2, 3), (2, 1), (1, 2), (2, 1)")
    .sample("R(3, 5, 6), 2, 1, 0, 2");

PT_OP(col2im)
    .on_device()
    .impl([](const Tensor& self, IntList output_size, IntList kernel_size, IntList dilation,
             IntList padding, IntList stride) {
      check_pair("output_size", output_size);
      ColumnsArgs a = columns_of({kernel_size, dilation, padding, stride}, output_size);
      const int d = self.dim() - 2;
      PT_CHECK((d == 0 || d == 1) && self->sizes[d] != 0 && self->sizes[d + 1] != 0,
               "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
               "non-zero dimensions for input, but got: ",
               to_text(self.sizes()));
      const int64_t taps = checked_numel(kernel_size);
      PT_CHECK(self->sizes[d] % taps == 0, "Expected size of input's dimension ", d,
               " to be divisible by the product of kernel_size, but got input.size(", d,
               ")=", self->sizes[d], " and kernel_size=", pair(kernel_size), ".");
      int64_t blocks = 0;
      const bool overflow = __builtin_mul_overflow(a.blocks[0], a.blocks[1], &blocks);
      PT_CHECK(!overflow && blocks == self->sizes[d + 1], "Given output_size=", pair(output_size),
               ", kernel_size=", pair(kernel_size), ", dilation=", pair(dilation),
               ", padding=", pair(padding), ", stride=", pair(stride),
               ", expected size of input's dimension ", d + 1,
               " to match the calculated number of sliding blocks ", a.blocks[0], " * ",
               a.blocks[1], " = ", blocks, ", but got input.size(", d + 1, ")=", self->sizes[d + 1],
               ".");
      PT_CHECK(
          output_size[0] > 0 && output_size[1] > 0 && a.blocks[0] > 0,
          "Expected output spatial size to be positive, but got output_size=", pair(output_size));
      check_implemented("col2im", self, has_columns);
      const int64_t channels = self->sizes[d] / taps;
      Dims shape;
      if (d == 1) shape.push_back(self->sizes[0]);
      shape.push_back(channels);
      for (int64_t s : output_size) shape.push_back(s);
      const Tensor out = empty_tensor(shape, self.dtype()), in = as_contiguous(self);
      a.planes = (d == 1 ? self->sizes[0] : 1) * channels;
      a.image = out.raw();
      a.columns = in.raw();
      if (out.numel() > 0) run(kToImage, columns_to_image, self.dtype(), a);
      return out;
    })
    .backward([](BackwardCall& g, const Tensor&, IntList, IntList kernel_size, IntList dilation,
                 IntList padding, IntList stride) {
      g[0] = im2col(g.grad(), kernel_size, dilation, padding, stride);
    })
    .internal()
    .doc("Adds blocks up to an image; see nn.functional.fold.")
    .sample("R(2, 18, 16), (5, 6), (2, 3), (1, 1), (0, 0), (1, 1)")
    .sample("R(2, 18, 32), (7, 6), (2, 3), (2, 1), (1, 2), (2, 1)")
    .sample("R(12, 6), (5, 6), 2, 1, 0, 2");

}  // namespace pt
