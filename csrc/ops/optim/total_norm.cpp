// The norm of a list of tensors, for gradient clipping: the pieces of all tensors are one list of
// work, and their norms are combined in its order.
#include <cmath>

#include "core/parallel.h"
#include "op/copy.h"
#include "op/define.h"
#include "op/promote.h"
#include "op/reduction.h"
#include "ops/optim/optim.h"

namespace pt {

namespace {

constexpr int64_t kPiece = 1 << 16;  // elements

struct Piece {
  const char* data;
  int64_t n;
  size_t tensor;
  ReduceKernel::Fn fn;
  DType dtype;
};

double norm_of(const Piece& piece, double p) {
  alignas(8) char out[8];
  ReduceArgs a;
  a.in = piece.data;
  a.out = out;
  a.n = piece.n;
  a.in_n = a.in_inner = a.out_inner = 1;
  a.p = p;
  piece.fn(a);
  return Scalar::load(piece.dtype, out).to_double();
}

// Adds up norms so that the result is the norm of all their elements together.
class Combined {
 public:
  explicit Combined(double p) : p_(p), total_(p == -INFINITY ? INFINITY : 0) {}
  void add(double norm) {
    if (std::isinf(p_)) {
      const bool further = p_ > 0 ? norm > total_ : norm < total_;
      if (further || std::isnan(norm)) total_ = norm;
    } else if (p_ == 0) {
      total_ += norm;
    } else {
      total_ += p_ == 1 ? norm : p_ == 2 ? norm * norm : std::pow(norm, p_);
    }
  }
  double norm() const {
    if (std::isinf(p_) || p_ == 0 || p_ == 1) return total_;
    return p_ == 2 ? std::sqrt(total_) : std::pow(total_, 1 / p_);
  }

 private:
  double p_, total_;
};

// Norms of each tensor, and of those, without waiting for any.
Tensor norm_on_device(const std::vector<Tensor>& tensors, double p, DType dtype) {
  static const ReduceKernel kernel{"norm"};
  const auto count = static_cast<int64_t>(tensors.size());
  const Tensor norms = zeros_tensor(Dims{count}, dtype);
  for (int64_t i = 0; i < count; ++i) {
    const Tensor& t = tensors[static_cast<size_t>(i)];
    const ReduceCall call{.kernel = kernel, .compute = t.dtype(), .result = t.dtype(), .p = p};
    copy_into(make_view(norms, Dims(), Dims(), i),
              run_reduction(call, t, all_dims(t.dim()), false));
  }
  const ReduceCall call{.kernel = kernel, .compute = dtype, .result = dtype, .p = p};
  return run_reduction(call, norms, all_dims(1), false);
}

}  // namespace

PT_OP(optim_total_norm)
    .impl([](TensorList tensors, double p) {
      static const ReduceKernel kernel{"norm"};
      DType dtype = tensors.empty() ? default_dtype() : tensors[0].dtype();
      std::vector<Tensor> kept;
      std::vector<Piece> pieces;
      for (size_t i = 0; i < tensors.size(); ++i) {
        const DType t = tensors[i].dtype();
        PT_CHECK(is_floating(t),
                 "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
                 dtype_name(t));
        PT_CHECK(tensors[i].numel() > 0 || (p >= 0 && !std::isinf(p)),
                 "linalg.vector_norm cannot compute the ", p,
                 " norm on an empty tensor because the operation does not have an identity");
        dtype = promote_types(dtype, t);
        const bool dense = is_non_overlapping_and_dense(tensors[i].impl());
        kept.push_back(dense ? tensors[i] : contiguous_copy(tensors[i]));
        if (call_on_device) continue;
        const auto item = static_cast<int64_t>(item_size(t));
        const char* data = static_cast<const char*>(kept[i].raw());
        for (int64_t at = 0; at < kept[i].numel(); at += kPiece)
          pieces.push_back(
              {data + at * item, std::min(kPiece, kept[i].numel() - at), i, kernel.get(t), t});
      }
      if (call_on_device) return norm_on_device(kept, p, dtype);
      std::vector<double> norms(pieces.size());
      auto run = [&](int64_t begin, int64_t end) {
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
          norms[i] = norm_of(pieces[i], p);
      };
      // Small tensors share a piece of work: elements, not tensors, take time.
      int64_t elements = 0;
      for (const Piece& piece : pieces) elements += piece.n;
      const auto count = static_cast<int64_t>(pieces.size());
      parallel_for(0, count, elements < kPiece ? std::max<int64_t>(count, 1) : 1, run);

      Combined total(p);
      for (size_t i = 0, at = 0; i < tensors.size(); ++i) {
        Combined one(p);
        for (; at < pieces.size() && pieces[at].tensor == i; ++at) one.add(norms[at]);
        total.add(p == 0 ? static_cast<double>(one.norm() != 0) : one.norm());
      }
      return scalar_tensor(total.norm(), dtype);
    })
    .on_device()
    .nondifferentiable()
    .internal()
    .doc("The p-norm of the p-norms of the tensors.")
    .sample("[R(3, 4), R(5)], 2.0")
    .sample("[R(3, 4), R(5)], float('inf')")
    .sample("[P(3, 4), P(5)], 1.5");

}  // namespace pt
