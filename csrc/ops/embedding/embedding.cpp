// Embeddings. See embedding.h.
#include "ops/embedding/embedding.h"

#include <optional>
#include <vector>

#include "cpu/embedding_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/embedding/device.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<GatherSumFn> kGatherSum{"gather_sum"};
const Kernel<GatherMaxFn> kGatherMax{"gather_max"};

void check_indices(const char* op, const char* name, const Tensor& t) {
  PT_CHECK(t.dtype() == DType::kInt64 || t.dtype() == DType::kInt32,
           "Expected tensor for argument #1 '", name,
           "' to have one of the following scalar types: Long, Int; but got ",
           legacy_type_name(t.dtype()), " instead (while checking arguments for ", op, ")");
}

// A copy of row numbers with one of them replaced by -1, to be left out.
Tensor without(const Tensor& rows, int64_t padding) {
  if (call_on_device) return device::without(rows, padding);
  const Tensor copy = contiguous_copy(rows);
  int64_t* r = copy.data<int64_t>();
  for (int64_t i = 0; i < copy.numel(); ++i)
    if (r[i] == padding) r[i] = -1;
  return copy;
}

// 1 / how often its row occurs, for each entry.
Tensor inverse_frequencies(const Tensor& rows, int64_t count) {
  if (call_on_device) return device::inverse_frequencies(rows, count);
  std::vector<int64_t> seen(static_cast<size_t>(count));
  const int64_t* r = rows.data<int64_t>();
  const Tensor out = zeros_tensor(rows.sizes(), DType::kFloat64);
  for (int64_t i = 0; i < rows.numel(); ++i)
    if (r[i] >= 0) ++seen[static_cast<size_t>(r[i])];
  for (int64_t i = 0; i < rows.numel(); ++i)
    if (r[i] >= 0) out.data<double>()[i] = 1 / static_cast<double>(seen[static_cast<size_t>(r[i])]);
  return out;
}

// Entries in the order of the rows they go to, by counting.
class Sorted {
 public:
  Sorted(const Tensor& from, const Tensor& to, int64_t entries, int64_t rows) {
    if (call_on_device) {
      device_.emplace(from, to, entries, rows);
    } else {
      count(from, to, entries, rows);
    }
  }
  const int64_t* order() const { return device_ ? device_->order.data<int64_t>() : order_.data(); }
  const int64_t* starts() const {
    return device_ ? device_->starts.data<int64_t>() : starts_.data();
  }

 private:
  void count(const Tensor& from, const Tensor& to, int64_t entries, int64_t rows) {
    order_.resize(static_cast<size_t>(entries));
    starts_.resize(static_cast<size_t>(rows) + 1);
    const int64_t* f = from.defined() ? from.data<int64_t>() : nullptr;
    const int64_t* t = to.defined() ? to.data<int64_t>() : nullptr;
    const auto row = [&](int64_t e) { return f && f[e] < 0 ? -1 : t ? t[e] : e; };
    for (int64_t e = 0; e < entries; ++e) {
      const int64_t r = row(e);
      PT_CHECK_INDEX(r < rows, "index out of range in self");
      if (r >= 0) ++starts_[static_cast<size_t>(r) + 1];
    }
    for (size_t r = 0; r < static_cast<size_t>(rows); ++r) starts_[r + 1] += starts_[r];
    std::vector<int64_t> next(starts_.begin(), starts_.end() - 1);
    for (int64_t e = 0; e < entries; ++e) {
      const int64_t r = row(e);
      if (r >= 0) order_[static_cast<size_t>(next[static_cast<size_t>(r)]++)] = e;
    }
  }

  std::vector<int64_t> order_, starts_;
  std::optional<device::Sorted> device_;
};

void check_rows(const Tensor& rows, int64_t count) {
  if (!rows.defined()) return;
  if (call_on_device) return device::check_rows(rows, count);
  const int64_t* r = rows.data<int64_t>();
  for (int64_t i = 0; i < rows.numel(); ++i)
    PT_CHECK_INDEX(r[i] < count, "index out of range in self");
}

Tensor row_numbers(const Tensor& t) {
  return t.defined() ? as_contiguous(cast_to(t, DType::kInt64)) : t;
}

// source[rows], with zeros for negative ones; differentiable.
Tensor rows_or_zeros(const Tensor& source, const Tensor& rows) {
  return rows.defined() ? gather_sum(source, rows, Tensor(), Tensor(), rows.numel()) : source;
}

// The bag of each index, from where bags begin.
struct Bags {
  Tensor bag, sizes;  // int64
  int64_t count = 0;
};

Tensor copy_of_host(const Tensor& t) {
  return t.device().is_cpu() ? t : copy_to(t, t.dtype(), Device());
}

Bags bags_of(const Tensor& offsets, const Tensor& indices, bool include_last_offset,
             int64_t padding) {
  // On a device, too, the host checks where bags begin.
  const Tensor given_offsets = row_numbers(offsets);
  const Tensor o = copy_of_host(given_offsets);
  const int64_t* begin = o.data<int64_t>();
  const int64_t n = indices.numel(), given = offsets.numel();
  PT_CHECK(!include_last_offset || given >= 1,
           "include_last_offset: number of offset should be at least 1");
  Bags b;
  b.count = include_last_offset ? given - 1 : given;
  if (given > 0) {
    PT_CHECK(begin[0] == 0,
             "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
             "position 0. However, got ",
             begin[0]);
    PT_CHECK(begin[given - 1] <= n, "offsets[-1] can not be greater than input's length ", n,
             " but got offsets[-1] of ", begin[given - 1]);
  }
  for (int64_t k = 0; k < b.count; ++k) {
    const int64_t end = k + 1 < given ? begin[k + 1] : n;
    PT_CHECK(begin[k] >= 0 && begin[k] <= end && end <= n,
             "embedding_bag(): offsets must not decrease");
  }
  if (call_on_device) {
    b.bag = device::bags(given_offsets, b.count, n);
    b.sizes = device::bag_sizes(b.bag, indices, b.count, padding);
    return b;
  }
  b.bag = empty_tensor({{n}}, DType::kInt64);
  b.sizes = zeros_tensor({{b.count}}, DType::kInt64);
  const int64_t* rows = indices.data<int64_t>();
  int64_t* bag = b.bag.data<int64_t>();
  for (int64_t i = 0; i < n; ++i) bag[i] = -1;
  for (int64_t k = 0; k < b.count; ++k) {
    const int64_t end = k + 1 < given ? begin[k + 1] : n;
    for (int64_t i = begin[k]; i < end; ++i) {
      bag[i] = k;
      if (rows[i] != padding) ++b.sizes.data<int64_t>()[k];
    }
  }
  return b;
}

Tensor inverse_sizes(const Bags& b) {
  if (call_on_device) return device::inverse_sizes(b.bag, b.sizes);
  const Tensor out = zeros_tensor(b.bag.sizes(), DType::kFloat64);
  for (int64_t i = 0; i < b.bag.numel(); ++i) {
    const int64_t bag = b.bag.data<int64_t>()[i];
    if (bag < 0) continue;
    const int64_t size = b.sizes.data<int64_t>()[bag];
    out.data<double>()[i] = size > 0 ? 1 / static_cast<double>(size) : 0;
  }
  return out;
}

}  // namespace

PT_OP(embedding)
    .impl([](const Tensor& weight, const Tensor& indices, int64_t, bool, bool) {
      PT_CHECK(weight.dim() == 2, "'weight' must be 2-D");
      check_indices("embedding", "indices", indices);
      const Tensor rows = index_select(weight, 0, reshape(indices, Dims{indices.numel()}));
      Dims shape = indices.sizes();
      shape.push_back(weight->sizes[1]);
      return make_view(rows, shape, contiguous_strides(shape), rows.offset());
    })
    .on_device()
    .saves("shape:weight, indices")
    .backward([](BackwardCall& g, const Tensor& weight, const Tensor& indices, int64_t padding_idx,
                 bool scale_grad_by_freq, bool) {
      const int64_t n = indices.numel(), rows = weight->sizes[0];
      Tensor to = reshape(row_numbers(indices), Dims{n});
      if (padding_idx >= 0) to = without(to, padding_idx);
      const Tensor factors = scale_grad_by_freq ? inverse_frequencies(to, rows) : Tensor();
      g[0] = gather_sum(reshape(g.grad(), Dims{n, weight->sizes[1]}), Tensor(), to, factors, rows);
    })
    .function_only()
    .out()
    .doc(
        "The rows of weight that indices name.\n\n"
        "Args:\n    padding_idx (int): a row without gradient\n"
        "    scale_grad_by_freq (bool): divides a row's gradient by how often it is named\n"
        "    sparse (bool): without effect: gradients are dense")
    .sample("R(5, 3), J(5, 4)")
    .sample("R(5, 3), torch.tensor([[1, 0, 4], [1, 1, 3]]), 2");

PT_OP(gather_sum)
    .impl([](const Tensor& source, const Tensor& source_rows, const Tensor& out_rows,
             const Tensor& factors, int64_t rows, bool) {
      PT_CHECK(source.dim() == 2 && rows >= 0, "_gather_sum(): source must be 2-D");
      const Tensor x = as_contiguous(source);
      const Tensor from = row_numbers(source_rows), to = row_numbers(out_rows);
      const Tensor f =
          factors.defined() ? as_contiguous(cast_to(factors, DType::kFloat64)) : factors;
      check_rows(from, source->sizes[0]);
      const int64_t entries = from.defined() ? from.numel() : source->sizes[0];
      PT_CHECK(!to.defined() || to.numel() == entries, "_gather_sum(): expected ", entries,
               " out_rows, one for each entry, but got ", to.numel());
      PT_CHECK(!f.defined() || f.numel() == entries, "_gather_sum(): expected ", entries,
               " factors, one for each entry, but got ", f.numel());
      if (call_on_device) check_rows(to, rows);
      const Sorted sorted(from, to, entries, rows);
      const Tensor out = empty_tensor({{rows, source->sizes[1]}}, source.dtype());
      GatherSumArgs a;
      a.source = x.raw();
      a.source_rows = source->sizes[0];
      a.rows = rows;
      a.width = source->sizes[1];
      a.order = sorted.order();
      a.starts = sorted.starts();
      a.from = from.defined() ? from.data<int64_t>() : nullptr;
      a.factors = f.defined() ? f.data<double>() : nullptr;
      a.out = out.raw();
      GatherSumFn* fn = kGatherSum.get(source.dtype());
      PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"embedding\" not implemented for '",
                    scalar_type_name(source.dtype()), "'");
      fn(a);
      return out;
    })
    .on_device()
    .saves("source, source_rows, out_rows, factors")
    .backward([](BackwardCall& g, const Tensor& source, const Tensor& source_rows,
                 const Tensor& out_rows, const Tensor& factors, int64_t, bool scale_grad_by_freq) {
      if (g.needs(0)) {
        const int64_t rows = source->sizes[0];
        Tensor f = factors;
        if (scale_grad_by_freq && source_rows.defined()) {
          const Tensor inverse = inverse_frequencies(row_numbers(source_rows), rows);
          f = f.defined() ? mul(f, inverse) : inverse;
        }
        g[0] = gather_sum(g.grad(), out_rows, source_rows, f, rows);
      }
      if (g.needs(3)) {
        const int64_t last[] = {1};
        const Tensor product =
            mul(rows_or_zeros(source, source_rows), rows_or_zeros(g.grad(), out_rows));
        g[3] = sum_dim(product, IntList(last), false);
      }
    })
    .node_name("EmbeddingBagBackward0")
    .internal()
    .sample("R(5, 3), torch.tensor([0, 4, 4, -1]), torch.tensor([1, 0, 1, 2]), R(4), 3")
    .sample("R(4, 3), None, torch.tensor([1, 0, 1, -1]), None, 3")
    .sample("R(4, 3), torch.tensor([1, 0, -1, 1]), None, None, 4");

PT_OP(gather_max)
    .impl([](const Tensor& source, const Tensor& source_rows, const Tensor& out_rows,
             int64_t rows) {
      const Tensor x = as_contiguous(source);
      const Tensor from = row_numbers(source_rows), to = row_numbers(out_rows);
      check_rows(from, source->sizes[0]);
      const Sorted sorted(from, to, from.numel(), rows);
      const Dims shape{rows, source->sizes[1]};
      const Tensor out = empty_tensor(shape, source.dtype());
      const Tensor chosen = empty_tensor(shape, DType::kInt64);
      GatherMaxArgs m;
      m.rows.source = x.raw();
      m.rows.source_rows = source->sizes[0];
      m.rows.rows = rows;
      m.rows.width = source->sizes[1];
      m.rows.order = sorted.order();
      m.rows.starts = sorted.starts();
      m.rows.from = from.data<int64_t>();
      m.rows.out = out.raw();
      m.chosen = chosen.data<int64_t>();
      GatherMaxFn* fn = kGatherMax.get(source.dtype());
      PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"embedding_bag\" not implemented for '",
                    scalar_type_name(source.dtype()), "'");
      fn(m);
      return std::tuple(out, chosen);
    })
    .on_device()
    .saves("shape:source, result1")
    .backward([](BackwardCall& g, const Tensor& source, const Tensor&, const Tensor&, int64_t) {
      const Tensor& chosen = g.result(1);
      const Tensor kept = mul(g.grad(), ge(chosen, 0));
      const Tensor zeros = zeros_tensor(source.sizes(), source.dtype());
      g[0] = scatter_add(zeros, 0, clamp(chosen, 0), kept);
    })
    .nondifferentiable_output(1)
    .node_name("EmbeddingBagBackward0")
    .internal()
    .sample("R(5, 3), torch.tensor([0, 4, 3, -1]), torch.tensor([1, 0, 1, 2]), 3");

PT_OP(embedding_bag)
    .composite([](const Tensor& weight, const Tensor& indices, const Tensor& offsets,
                  bool scale_grad_by_freq, int64_t mode, bool, const Tensor& per_sample_weights,
                  bool include_last_offset, std::optional<int64_t> padding_idx) {
      check_indices("embedding_bag", "indices", indices);
      check_indices("embedding_bag", "offsets", offsets);
      PT_CHECK(weight.dim() == 2 && indices.dim() == 1 && offsets.dim() == 1,
               "embedding_bag(): expected a 2-D weight, 1-D indices and 1-D offsets");
      PT_CHECK(mode >= 0 && mode <= 2, "embedding_bag(): mode must be 0, 1 or 2, got ", mode);
      PT_CHECK(!per_sample_weights.defined() || mode == 0,
               "embedding_bag: per_sample_weights only supported with mode='sum'");
      PT_CHECK(!per_sample_weights.defined() || per_sample_weights.numel() == indices.numel(),
               "expected per_sample_weights to have as many elements as indices");
      const int64_t rows = weight->sizes[0];
      int64_t padding = padding_idx.value_or(-1);
      if (padding_idx && padding < 0) padding += rows;
      PT_CHECK(!padding_idx || (padding >= 0 && padding < rows),
               "padding_idx must be within the number of embeddings, ", -rows, " through ",
               rows - 1, ", but got ", padding_idx.value_or(0));
      Tensor from = row_numbers(indices);
      if (call_on_device) device::check_rows(from, rows, false);
      for (int64_t i = 0; i < from.numel() && !call_on_device; ++i) {
        const int64_t r = from.data<int64_t>()[i];
        PT_CHECK(r >= 0 && r < rows, "Index ", i, " of input takes value ", r,
                 " which is not in the valid range [0, ", rows, ")");
      }
      const Bags bags = bags_of(offsets, from, include_last_offset, padding);
      if (padding >= 0) from = without(from, padding);
      if (mode == 2) {
        auto [out, chosen] = gather_max(weight, from, bags.bag, bags.count);
        return std::tuple(out, bags.bag, bags.sizes, chosen);
      }
      const Tensor factors = mode == 1 ? inverse_sizes(bags) : per_sample_weights;
      const Tensor out =
          gather_sum(weight, from, bags.bag, factors, bags.count, scale_grad_by_freq);
      return std::tuple(out, bags.bag, bags.sizes, bags.sizes);
    })
    .function_only()
    .doc(
        "Reduces bags of rows of weight: the rows that indices name, from each of the offsets to "
        "the next.\n\n"
        "Args:\n    mode (int): 0 sum, 1 mean, 2 max\n"
        "    per_sample_weights (optional): factors of the rows, for sums\n"
        "    include_last_offset (bool): the last offset is the end of the last bag\n"
        "    padding_idx (int, optional): a row that does not count\n\n"
        "Returns the reduced rows, the bag of each index, the sizes of the bags, and for max the "
        "chosen rows.")
    .sample("R(5, 3), torch.tensor([0, 4, 4, 1]), torch.tensor([0, 3]), False, 1")
    .sample("R(5, 3), torch.tensor([0, 4, 3, 1]), torch.tensor([0, 2]), False, 2");

}  // namespace pt
