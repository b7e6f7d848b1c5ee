// What cudnn.cpp knows of tensors and convolutions, and convolutions by plain loops.
#pragma once

#include "fake.h"

namespace {

struct Tensor {
  explicit Tensor(bool filter) : is_filter(filter) {}
  const bool is_filter;
  int type = -1, dims = 0;
  int sizes[8];
  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < dims; ++d) n *= sizes[d];
    return n;
  }
};
struct Convolution {
  int dims = 0, compute = -1, math = -1, groups = -1;
  int padding[6], stride[6], dilation[6];
};
Kind kind_of(int type) { return type == 9 ? kBrain : static_cast<Kind>(type); }

// The roles of a way's operands.
enum { kForward, kBackwardData, kBackwardFilter };
struct Roles {
  const Tensor *image, *filter, *output;
};
Roles roles(int way, const Tensor* first, const Tensor* second, const Tensor* result) {
  if (way == kForward) return {first, second, result};
  if (way == kBackwardData) return {result, first, second};
  return {first, result, second};
}

struct Data {
  void *image, *filter, *output;
};
// Each product of an element of the image and one of the filter goes to an element of the output.
void convolve(int way, const Roles& r, const Convolution& c, const Data& data) {
  const Tensor *image = r.image, *filter = r.filter, *output = r.output;
  const Kind kind = kind_of(image->type);
  const Tensor* result = way == kForward ? output : way == kBackwardData ? image : filter;
  auto* sums = new double[result->numel()]();
  const auto at = [](const Tensor* t, const int* place) {
    int64_t i = 0;
    for (int d = 0; d < t->dims; ++d) i = i * t->sizes[d] + place[d];
    return i;
  };
  const int last = output->dims;
  for (int64_t o = 0; o < output->numel(); ++o) {
    int out[5];
    for (int64_t d = last - 1, rest = o; d >= 0; rest /= output->sizes[d--])
      out[d] = static_cast<int>(rest % output->sizes[d]);
    const int group = out[1] / (filter->sizes[0] / c.groups);
    const int64_t terms = filter->numel() / filter->sizes[0];
    for (int64_t t = 0; t < terms; ++t) {
      int tap[5] = {out[1]}, in[5] = {out[0]};
      for (int64_t d = last - 1, rest = t; d >= 1; rest /= filter->sizes[d--])
        tap[d] = static_cast<int>(rest % filter->sizes[d]);
      in[1] = group * filter->sizes[1] + tap[1];
      bool inside = true;
      for (int d = 2; d < last; ++d) {
        in[d] = out[d] * c.stride[d - 2] - c.padding[d - 2] + tap[d] * c.dilation[d - 2];
        inside = inside && in[d] >= 0 && in[d] < image->sizes[d];
      }
      if (!inside) continue;
      const int64_t x = at(image, in), w = at(filter, tap);
      if (way == kForward) sums[o] += read(data.image, x, kind) * read(data.filter, w, kind);
      if (way == kBackwardData) sums[x] += read(data.output, o, kind) * read(data.filter, w, kind);
      if (way == kBackwardFilter) sums[w] += read(data.output, o, kind) * read(data.image, x, kind);
    }
  }
  void* to = way == kForward ? data.output : way == kBackwardData ? data.image : data.filter;
  for (int64_t i = 0; i < result->numel(); ++i) write(to, i, kind, sums[i]);
  delete[] sums;
}

}  // namespace
