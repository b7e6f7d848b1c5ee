// See sweep.h. Tensors that do not lie in memory like their parameter, or have another dtype, are
// worked on as copies.
#include "ops/optim/sweep.h"

#include <algorithm>

#include "autograd/node.h"
#include "core/parallel.h"
#include "op/copy.h"

namespace pt {

namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of one piece of work
constexpr int64_t kAlign = 64;       // where a parameter may begin in the common range

struct Entry {
  OptimArgs args;
  int64_t begin;
  size_t item_size;
  OptimKernel::Fn fn;
};

bool lies_like(const Tensor& t, const Tensor& like) {
  return t.dtype() == like.dtype() &&
         ((t.is_contiguous() && like.is_contiguous()) || t.strides() == like.strides());
}

// `like` has no gaps.
Tensor fitting(const Tensor& t, const Tensor& like) {
  if (lies_like(t, like)) return t;
  const Tensor copy = empty_strided_tensor(like.sizes(), like.strides(), like.dtype());
  copy_into(copy, t);
  return copy;
}

class Work {
 public:
  Work(const OptimKernel& kernel, const ParamLists& lists, const char* numbers, size_t stride) {
    entries_.reserve(lists.params.size());
    for (size_t i = 0; i < lists.params.size(); ++i) {
      const Tensor& param = lists.params[i];
      if (param.numel() == 0) continue;
      const Tensor like =
          is_non_overlapping_and_dense(param.impl()) ? param : contiguous_copy(param);
      Entry e;
      e.args.param = written(param, like);
      e.args.grad = read(lists.grads[i], like);
      for (size_t k = 0; k < lists.states.size(); ++k)
        if (!lists.states[k].empty()) e.args.state[k] = written(lists.states[k][i], like);
      e.args.numbers = numbers + i * stride;
      if (lists.live) e.args.live = lists.live + i;
      e.args.n = param.numel();
      e.begin = end_;
      e.item_size = like.item_size();
      e.fn = kernel.get(like.dtype());
      entries_.push_back(e);
      end_ += (e.args.n + kAlign - 1) / kAlign * kAlign;
    }
  }

  void run() {
    if (call_on_device) {
      run_on_device();
    } else {
      run_on_host();
    }
    for (const auto& [target, copy] : write_back_) copy_into(target, copy);
  }

 private:
  void run_on_host() {
    parallel_for(0, end_, kGrain, [this](int64_t begin, int64_t end) { run_range(begin, end); });
  }
  // A call for each run of parameters of one dtype.
  void run_on_device() {
    std::vector<OptimArgs> args;
    for (size_t i = 0; i < entries_.size(); ++i) {
      args.push_back(entries_[i].args);
      if (i + 1 < entries_.size() && entries_[i + 1].fn == entries_[i].fn) continue;
      const auto fn = reinterpret_cast<DeviceOptimFn*>(reinterpret_cast<AnyFn>(entries_[i].fn));
      fn({args.data(), static_cast<int64_t>(args.size())});
      args.clear();
    }
  }
  const void* read(const Tensor& t, const Tensor& like) {
    const Tensor fit = fitting(t, like);
    if (!fit.same_as(t)) kept_.push_back(fit);
    return fit.raw();
  }
  void* written(const Tensor& t, const Tensor& like) {
    const Tensor fit = t.same_as(like) ? t : fitting(t, like);
    if (!fit.same_as(t)) write_back_.emplace_back(t, fit);
    return fit.raw();
  }

  void run_range(int64_t begin, int64_t end) const {
    auto e = std::upper_bound(entries_.begin(), entries_.end(), begin,
                              [](int64_t at, const Entry& x) { return at < x.begin; }) -
             1;
    for (; e != entries_.end() && e->begin < end; ++e) {
      const int64_t from = std::max<int64_t>(begin - e->begin, 0);
      OptimArgs a = e->args;
      a.n = std::min(end - e->begin, a.n) - from;
      if (a.n <= 0) continue;
      const int64_t bytes = from * static_cast<int64_t>(e->item_size);
      a.param = static_cast<char*>(a.param) + bytes;
      a.grad = static_cast<const char*>(a.grad) + bytes;
      for (void*& s : a.state)
        if (s) s = static_cast<char*>(s) + bytes;
      e->fn(a);
    }
  }

  std::vector<Entry> entries_;
  std::vector<Tensor> kept_;
  std::vector<std::pair<Tensor, Tensor>> write_back_;  // target, copy
  int64_t end_ = 0;
};

void check_writable(const char* op, const char* what, const Tensor& t) {
  PT_CHECK(is_floating(t.dtype()), op, "(): ", what, " must have a floating point dtype, got ",
           dtype_name(t.dtype()));
  PT_CHECK(!t->storage->read_only, op, "(): a tensor of ", what, " is read-only");
}

}  // namespace

void check_lists(const ParamLists& lists) {
  const size_t n = lists.params.size();
  PT_CHECK(lists.grads.size() == n, lists.op, "(): expected ", n, " grads, got ",
           lists.grads.size());
  for (const TensorList& s : lists.states)
    PT_CHECK(s.empty() || s.size() == n, lists.op, "(): expected ", n, " tensors of state, got ",
             s.size());
  for (size_t i = 0; i < n; ++i) {
    const Dims& sizes = lists.params[i].sizes();
    check_writable(lists.op, "params", lists.params[i]);
    PT_CHECK(lists.grads[i].sizes() == sizes, lists.op, "(): the gradient of parameter ", i,
             " has size ", IntList(lists.grads[i].sizes()), ", the parameter ", IntList(sizes));
    for (const TensorList& s : lists.states) {
      if (s.empty()) continue;
      check_writable(lists.op, "the state", s[i]);
      PT_CHECK(s[i].sizes() == sizes, lists.op, "(): the state of parameter ", i, " has size ",
               IntList(s[i].sizes()), ", the parameter ", IntList(sizes));
    }
  }
}

void sweep_raw(const OptimKernel& kernel, const ParamLists& lists, const char* numbers,
               size_t stride) {
  Work(kernel, lists, numbers, stride).run();
  for (size_t i = 0; i < lists.params.size(); ++i) {
    bump_version(lists.params[i].impl());
    for (const TensorList& s : lists.states)
      if (!s.empty()) bump_version(s[i].impl());
  }
}

double read_number(const Tensor& t) {
  if (t.dtype() == DType::kFloat32 && t.numel() == 1 && t.device().is_cpu())
    return static_cast<double>(*t.data<float>());
  return t.item().to_double();
}

void write_number(const Tensor& t, double value) {
  if (t.dtype() == DType::kFloat32 && t.numel() == 1 && t.device().is_cpu()) {
    *t.data<float>() = static_cast<float>(value);
  } else {
    fill_with(t, value);
  }
  bump_version(t.impl());
}

double advance(const ParamLists& lists, TensorList steps, size_t i) {
  PT_CHECK(steps.size() == lists.params.size(), lists.op, "(): expected ", lists.params.size(),
           " steps, got ", steps.size());
  check_writable(lists.op, "steps", steps[i]);
  write_number(steps[i], read_number(steps[i]) + 1);
  return read_number(steps[i]);
}

}  // namespace pt
