// Parts of matrices, and where the rows of a layer's steps lie. Used by layer.cpp and device.cpp.
#pragma once

#include <vector>

#include "ops/rnn/layer.h"
#include "ops/view/view.h"

namespace pt::rnn {

inline Tensor transposed(const Tensor& m) {
  return make_view(m, Dims{m->sizes[1], m->sizes[0]}, Dims{m->strides[1], m->strides[0]},
                   m.offset());
}
inline Tensor columns(const Tensor& m, int64_t first, int64_t count) {
  return make_view(m, Dims{m->sizes[0], count}, Dims{m->strides[0], m->strides[1]},
                   m.offset() + first * m->strides[1]);
}
inline Tensor rows(const Tensor& m, int64_t first, int64_t count) {
  return make_view(m, Dims{count, m->sizes[1]}, Dims{m->strides[0], m->strides[1]},
                   m.offset() + first * m->strides[0]);
}
inline Tensor elements(const Tensor& v, int64_t first, int64_t count) {
  return make_view(v, Dims{count}, Dims{v->strides[0]}, v.offset() + first * v->strides[0]);
}
inline void* raw_or_null(const Tensor& t) { return t.defined() ? t.raw() : nullptr; }

struct Geometry {
  RnnShape shape;
  std::vector<int64_t> offsets;
  int64_t total = 0;

  explicit Geometry(const Layer& l) {
    for (const int64_t n : l.batch_sizes) {
      offsets.push_back(total);
      total += n;
    }
    shape.mode = l.mode;
    shape.reverse = l.reverse;
    shape.steps = static_cast<int64_t>(l.batch_sizes.size());
    shape.batch = shape.steps ? l.batch_sizes[0] : 0;
    shape.width = l.h0->sizes[1];
    shape.hidden = l.w_hh->sizes[0] / shape.gates();
    shape.batch_sizes = l.batch_sizes.data();
    shape.offsets = offsets.data();
  }
  bool regular() const { return shape.batch_sizes[shape.steps - 1] == shape.batch; }
};

}  // namespace pt::rnn
