// Which ops autocast casts for, the casts, and the cache of cast parameters. See autocast.h.
#include "op/autocast.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "cpu/bfloat16_unit.h"

namespace pt {

std::atomic<int> autocasting_threads{0};

namespace {

enum class Rule : uint8_t {
  kLower,           // inputs to the region's dtype
  kFloat32,         // inputs of half precision to float32
  kFloat32Volumes,  // the same for images of three spatial dimensions
};

// Products, where half precision units are many times as fast, and a few ops that are made of them.
constexpr std::string_view kLower =
    "mm bmm matmul addmm addbmm baddbmm linear conv1d conv2d conv3d conv_transpose1d "
    "conv_transpose2d conv_transpose3d conv_tbc scaled_dot_product_attention prelu lstm "
    "rnn_tanh rnn_relu rnn_tanh_cell rnn_relu_cell";

// Losses, decompositions, products of many numbers, and what PyTorch has no half precision for.
constexpr std::string_view kFloat32 =
    "_mse_loss _l1_loss _smooth_l1_loss _huber_loss _binary_cross_entropy "
    "binary_cross_entropy_with_logits _soft_margin_loss hinge_embedding_loss kl_div "
    "poisson_nll_loss cross_entropy_loss nll_loss_nd _nll_loss ctc_loss "
    "margin_ranking_loss cosine_embedding_loss triplet_margin_loss _multi_margin_loss "
    "_multilabel_margin_loss prod trace grid_sampler grid_sampler_2d grid_sampler_3d "
    "_repeat_pad avg_pool3d max_pool3d max_pool3d_with_indices adaptive_avg_pool3d "
    "_fractional_max_pool _max_unpool linalg_cholesky cholesky cholesky_inverse "
    "cholesky_solve linalg_inv inverse linalg_qr qr linalg_svd svd linalg_eigh "
    "linalg_lstsq linalg_solve";

// Where there is no unit: ops that read bfloat16 and float32 alike and round as they store.
constexpr std::pair<std::string_view, std::string_view> kRounded[] = {
    {"mm", "mm_rounded"}, {"matmul", "mm_rounded"}, {"linear", "linear_rounded"}};

constexpr std::string_view kFloat32Volumes = "_adaptive_max_pool";

struct Entry {
  Rule rule;
  const OpInfo* rounded = nullptr;  // the op with one more argument, the dtype of its result
};

const std::unordered_map<const OpInfo*, Entry>& rules() {
  static const auto* table = [] {
    auto* t = new std::unordered_map<const OpInfo*, Entry>;
    const auto add = [&](std::string_view names, Rule rule) {
      while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find(' '));
        names.remove_prefix(std::min(names.size(), name.size() + 1));
        const OverloadSet* set = Registry::get().find(name);
        PT_CHECK(set, "autocast: there is no op '", name, "'");
        for (const OpInfo* op : set->ops) t->emplace(op, Entry{rule});
      }
    };
    add(kLower, Rule::kLower);
    add(kFloat32, Rule::kFloat32);
    add(kFloat32Volumes, Rule::kFloat32Volumes);
    for (const auto& [name, rounded] : kRounded) {
      (*t)[Registry::get().find(name)->ops[0]].rounded = Registry::get().find(rounded)->ops[0];
    }
    return t;
  }();
  return *table;
}

struct Cached {
  Tensor source;  // kept, so that its address stays its own
  uint32_t version;
  Tensor cast;
};

struct ThreadState : AutocastState {
  std::unordered_map<const TensorImpl*, Cached> cache;
  ~ThreadState() {
    if (enabled) autocasting_threads.fetch_sub(1, std::memory_order_relaxed);
  }
};
thread_local ThreadState state;

Tensor cast_recorded(const Tensor& t, DType dtype) {
  static const OpInfo* to_copy = Registry::get().find("_to_copy")->ops[0];
  Value args[kMaxParams];
  args[0] = Value::of(t);
  args[1] = Value::of(dtype);
  Result r;
  dispatch(*to_copy, args, r);
  return std::move(r.t[0]);
}

// Parameters are cast once for all their uses within the outermost region.
Tensor cast_for(const Tensor& t, DType dtype) {
  const bool keep = state.cache_enabled && state.nesting > 0 && dtype == state.dtype &&
                    t.dtype() == DType::kFloat32 && t.requires_grad() && t.is_leaf() && !t->base;
  if (!keep) return cast_recorded(t, dtype);
  const auto it = state.cache.find(t.impl());
  if (it != state.cache.end()) {
    const Cached& c = it->second;
    // One that was made without recording serves only calls that are not recorded either.
    if (c.version == t->storage->version && c.cast.dtype() == dtype &&
        c.cast.requires_grad() >= thread_modes.grad) {
      return c.cast;
    }
  }
  Tensor cast = cast_recorded(t, dtype);
  state.cache[t.impl()] = {t, static_cast<uint32_t>(t->storage->version), cast};
  return cast;
}

// Numbers that take part in casting: float64 and integers never do, nor what is not on the cpu.
bool is_castable(const Tensor& t, DType to) {
  return t.defined() && t.device().is_cpu() && t.dtype() != to &&
         (is_half(t.dtype()) || t.dtype() == DType::kFloat32);
}

// Without units: the call by the op that rounds its result itself, from inputs as they are.
bool dispatch_rounded(const OpInfo& op, const OpInfo& rounded, const Value* args, Result& result) {
  if (state.dtype != DType::kBFloat16) return false;
  const int n = op.schema->num_params;
  const bool matrices = n == 2;  // mm, and matmul of those
  Value all[kMaxParams];
  for (int p = 0; p < n; ++p) {
    all[p] = args[p];
    if (args[p].tag != Value::Tag::kTensor || !args[p].as_tensor().defined()) continue;
    const Tensor& t = args[p].as_tensor();
    const bool bias = p >= 2;
    if (matrices && t.dim() != 2) return false;
    const bool fits = t.dtype() == DType::kFloat32 || (t.dtype() == DType::kBFloat16 && !bias);
    if (!fits || !t.device().is_cpu()) return false;
  }
  all[n] = Value::of(state.dtype);
  const NoAutocast off;
  dispatch(rounded, all, result);
  return true;
}

}  // namespace

const AutocastState& autocast_state() { return state; }

void set_autocast(const AutocastState& next) {
  if (next.enabled != state.enabled)
    autocasting_threads.fetch_add(next.enabled ? 1 : -1, std::memory_order_relaxed);
  static_cast<AutocastState&>(state) = next;
}

void clear_autocast_cache() { state.cache.clear(); }

bool dispatch_autocast(const OpInfo& op, const Value* args, Result& result) {
  if (!state.enabled) return false;
  const auto found = rules().find(&op);
  if (found == rules().end()) return false;
  const auto& [rule, rounded] = found->second;
  if (rule == Rule::kFloat32Volumes && args[0].as_tensor().dim() != 5) return false;
  const bool lower = rule == Rule::kLower;
  // Without units for the dtype, products are computed from float32 inputs, parameters as they are,
  // and only their results are rounded: casting all inputs would make a program slower.
  const bool has_unit = state.dtype == DType::kBFloat16 && bfloat16_unit() != BFloat16Unit::kNone;
  if (rounded && !has_unit && dispatch_rounded(op, *rounded, args, result)) return true;
  const DType dtype = lower && has_unit ? state.dtype : DType::kFloat32;

  const int n = op.schema->num_params;
  Value cast[kMaxParams];
  Tensor tensors[kMaxParams];
  std::vector<Tensor> lists[kMaxParams];
  for (int p = 0; p < n; ++p) {
    cast[p] = args[p];
    if (args[p].tag == Value::Tag::kTensor) {
      const Tensor& t = args[p].as_tensor();
      if (!is_castable(t, dtype)) continue;
      tensors[p] = cast_for(t, dtype);
      cast[p] = Value::of(tensors[p]);
    } else if (args[p].tag == Value::Tag::kTensorList) {
      for (const Tensor& t : args[p].as_tensors())
        lists[p].push_back(is_castable(t, dtype) ? cast_for(t, dtype) : t);
      cast[p] = Value::of(lists[p]);
    }
  }
  const DType wanted = state.dtype;
  const NoAutocast off;
  dispatch(op, cast, result);
  if (lower && !has_unit) {
    for (int i = 0; i < result.count; ++i)
      if (is_castable(result.t[i], wanted)) result.t[i] = cast_recorded(result.t[i], wanted);
  }
  return true;
}

}  // namespace pt
