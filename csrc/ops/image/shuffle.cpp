// pixel_shuffle, pixel_unshuffle and channel_shuffle: a view of more dimensions, permuted.
#include "ops/image/shuffle.h"

#include "op/define.h"
#include "ops/view/view.h"

namespace pt {

namespace {

void check_pixels(const char* name, const char* argument, const Tensor& self, int64_t factor) {
  PT_CHECK(self.dim() >= 3, name,
           " expects input to have at least 3 dimensions, but got input with ", self.dim(),
           " dimension(s)");
  PT_CHECK(factor > 0, name, " expects a positive ", argument, ", but got ", factor);
}

// The leading dimensions, then others.
Dims with_lead(const Tensor& self, int lead, std::initializer_list<int64_t> others) {
  Dims sizes(IntList(self.sizes().data(), static_cast<size_t>(lead)));
  for (const int64_t n : others) sizes.push_back(n);
  return sizes;
}

// The leading dimensions in place, then those named by their place after them.
Tensor permute_tail(const Tensor& t, int lead, std::initializer_list<int64_t> tail) {
  Dims order;
  for (int d = 0; d < lead; ++d) order.push_back(d);
  for (const int64_t d : tail) order.push_back(lead + d);
  return permute(t, IntList(order));
}

}  // namespace

PT_OP(pixel_shuffle)
    .composite([](const Tensor& self, int64_t factor) {
      check_pixels("pixel_shuffle", "upscale_factor", self, factor);
      const int lead = self.dim() - 3;
      const int64_t c = self->sizes[lead], h = self->sizes[lead + 1], w = self->sizes[lead + 2];
      // Divided twice: the square may be out of range.
      PT_CHECK(c % factor == 0 && c / factor % factor == 0,
               "pixel_shuffle expects its input's 'channel' dimension to be divisible by the "
               "square of upscale_factor, but input.size(-3)=",
               c, " is not divisible by ", factor, " * ", factor);
      const int64_t f = c == 0 ? 1 : factor;  // of no channels nothing is left but the sizes
      const Dims split = with_lead(self, lead, {c / f / f, f, f, h, w});
      const Dims joined = with_lead(self, lead, {c / f / f, h * factor, w * factor});
      checked_numel(joined);
      if (c == 0) return reshape(self, IntList(joined));
      const Tensor pixels = permute_tail(reshape(self, IntList(split)), lead, {0, 3, 1, 4, 2});
      return reshape(pixels, IntList(joined));
    })
    .function_only()
    .doc(
        "Channels become pixels: (*, C * r * r, H, W) becomes (*, C, H * r, W * r).\n\n"
        "Args:\n    upscale_factor (int): r\n\n"
        "Example:\n    >>> torch.pixel_shuffle(torch.arange(4.).reshape(4, 1, 1), 2)\n"
        "    tensor([[[0., 1.],\n             [2., 3.]]])")
    .sample("R(2, 8, 3, 2), 2")
    .sample("R(9, 2, 3), 3");

PT_OP(pixel_unshuffle)
    .composite([](const Tensor& self, int64_t factor) {
      check_pixels("pixel_unshuffle", "downscale_factor", self, factor);
      const int lead = self.dim() - 3;
      const int64_t c = self->sizes[lead], h = self->sizes[lead + 1], w = self->sizes[lead + 2];
      PT_CHECK(h % factor == 0,
               "pixel_unshuffle expects height to be divisible by "
               "downscale_factor, but input.size(-2)=",
               h, " is not divisible by ", factor);
      PT_CHECK(w % factor == 0,
               "pixel_unshuffle expects width to be divisible by "
               "downscale_factor, but input.size(-1)=",
               w, " is not divisible by ", factor);
      checked_numel(Dims{c, factor, factor});
      const Dims split = with_lead(self, lead, {c, h / factor, factor, w / factor, factor});
      const Dims joined = with_lead(self, lead, {c * factor * factor, h / factor, w / factor});
      checked_numel(joined);
      const Tensor pixels = permute_tail(reshape(self, IntList(split)), lead, {0, 2, 4, 1, 3});
      return reshape(pixels, IntList(joined));
    })
    .function_only()
    .doc(
        "Pixels become channels: (*, C, H * r, W * r) becomes (*, C * r * r, H, W).\n\n"
        "Args:\n    downscale_factor (int): r\n\n"
        "Example:\n    >>> torch.pixel_unshuffle(torch.ones(1, 4, 6), 2).shape\n"
        "    torch.Size([4, 2, 3])")
    .sample("R(2, 3, 4, 6), 2")
    .sample("R(2, 3, 6), 3");

PT_OP(channel_shuffle)
    .composite([](const Tensor& self, int64_t groups) {
      PT_CHECK(self.dim() > 2,
               "channel_shuffle expects input with > 2 dims, but got input with "
               "sizes ",
               to_text(self.sizes()));
      const int64_t c = self->sizes[1];
      PT_CHECK(groups > 0,
               "Number of groups to divide channels in must be positive. Value of "
               "groups:",
               groups);
      PT_CHECK(c % groups == 0, "Number of channels must be divisible by groups. Got ", c,
               " channels and ", groups, " groups.");
      Dims split = self.sizes();
      split[1] = groups;
      split.insert(2, c / groups);
      return reshape(transpose(reshape(self, IntList(split)), int64_t{1}, int64_t{2}),
                     IntList(self.sizes()));
    })
    .function_only()
    .alias("native_channel_shuffle")
    .doc(
        "The channels (dimension 1), read across groups: those of g groups of n become n groups\n"
        "of g.\n\n"
        "Args:\n    groups (int): number of groups; the channels are divisible by it\n\n"
        "Example:\n    >>> torch.channel_shuffle(torch.arange(4.).reshape(1, 4, 1), 2).flatten()\n"
        "    tensor([0., 2., 1., 3.])")
    .sample("R(2, 6, 3, 2), 2")
    .sample("R(2, 6, 3), 3");

}  // namespace pt
