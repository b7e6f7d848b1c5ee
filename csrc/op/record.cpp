// OpNode: saving arguments, unpacking them for the backward formula. See record.h.
#include "op/record.h"

#include <algorithm>

#include "core/free_list.h"
#include "op/copy.h"

namespace pt {

void* OpNode::operator new(size_t) { return FreeList<OpNode>::get(); }
void OpNode::operator delete(void* p) { FreeList<OpNode>::put(p); }

OpNode::OpNode(const OpInfo& op, const Value* args, bool inplace) : op_(op) {
  const Schema& schema = *op.schema;
  int next = 0;
  edges.reserve(2);
  for (int p = 0; p < schema.num_params; ++p) {
    slots_[p] = -1;
    if (schema.params[p].type == Type::kTensor) {
      slots_[p] = static_cast<int16_t>(next++);
      edges.push_back(args[p].is_none() ? Edge{} : gradient_edge(args[p].as_tensor()));
    } else if (schema.params[p].type == Type::kTensorList) {
      slots_[p] = static_cast<int16_t>(next);
      for (const Tensor& t : args[p].as_tensors()) {
        edges.push_back(t.defined() ? gradient_edge(t) : Edge{});
        ++next;
      }
    }
  }
  auto wants = [&](int p) {
    const int first = slots_[p];
    const bool list = schema.params[p].type == Type::kTensorList;
    const int last = list ? first + static_cast<int>(args[p].length) : first + 1;
    for (int i = first; i < last; ++i)
      if (needs(static_cast<size_t>(i))) return true;
    return false;
  };
  auto keep = [&](const Tensor& t, const SaveRule& rule, bool detach) {
    if (num_saved_ >= kInlineSaved) more_saved_.emplace_back();
    SavedTensor& s = saved(num_saved_++);
    if (rule.needs >= 0 && !wants(rule.needs)) return;
    if (rule.shape_only) {
      s.save_shape(t);
    } else {
      s.save(t, false, detach);
    }
  };
  for (const SaveRule& rule : op.saves) {
    if (rule.param < 0) continue;
    const Value& v = args[rule.param];
    if (v.tag == Value::Tag::kTensorList) {
      for (const Tensor& t : v.as_tensors()) keep(t, rule, false);
    } else if (v.is_none()) {
      keep(Tensor(), rule, false);
    } else if (inplace && !rule.shape_only && v.as_tensor().same_as(args[0].as_tensor()) &&
               (rule.needs < 0 || wants(rule.needs))) {
      // The op overwrites self, but its formula needs the old values; with their history, for the
      // formula's own gradient.
      Tensor old = copy_of(v.as_tensor());
      const Edge& from = edges[static_cast<size_t>(slots_[0])];
      if (from.node) set_history(old.impl(), from.node, from.nr);
      keep(old, rule, false);
    } else {
      keep(v.as_tensor(), rule, false);
    }
  }
  keep_lists(args);
}

void OpNode::keep_lists(const Value* args) {
  const int n = op_.schema->num_params;
  int first_plain = n;
  size_t num_ints = 0, num_floats = 0, num_chars = 0;
  for (int p = 0; p < n; ++p) {
    const Type type = op_.schema->params[p].type;
    if (type == Type::kTensor) continue;
    first_plain = std::min(first_plain, p);
    if (args[p].tag == Value::Tag::kIntList) num_ints += args[p].length;
    if (args[p].tag == Value::Tag::kFloatList) num_floats += args[p].length;
    if (args[p].tag == Value::Tag::kString) num_chars += args[p].length;
  }
  if (first_plain == n) return;
  args_ = std::make_unique<Value[]>(static_cast<size_t>(n));
  ints_.reserve(num_ints);
  floats_.reserve(num_floats);
  chars_.reserve(num_chars);
  for (int p = first_plain; p < n; ++p) {
    const Type type = op_.schema->params[p].type;
    if (type == Type::kTensor || type == Type::kGenerator) continue;
    Value v = args[p];
    if (v.tag == Value::Tag::kIntList) {
      const size_t at = ints_.size();
      ints_.insert(ints_.end(), v.ints, v.ints + v.length);
      v.ints = ints_.data() + at;
    } else if (v.tag == Value::Tag::kFloatList) {
      const size_t at = floats_.size();
      floats_.insert(floats_.end(), v.floats, v.floats + v.length);
      v.floats = floats_.data() + at;
    } else if (v.tag == Value::Tag::kString) {
      const size_t at = chars_.size();
      chars_.append(v.chars, v.length);
      v.chars = chars_.data() + at;
    } else if (v.tag == Value::Tag::kTensorList) {
      v.tensors = nullptr;  // length stays: the number of edges
    }
    args_[p] = v;
  }
}

void OpNode::save_outputs(const Result& result) {
  for (const SaveRule& rule : op_.saves) {
    if (rule.param >= 0) continue;
    if (num_saved_ >= kInlineSaved) more_saved_.emplace_back();
    SavedTensor& s = saved(num_saved_++);
    if (rule.needs >= 0 && !needs(static_cast<size_t>(slots_[rule.needs]))) continue;
    const Tensor& t = result.t[-1 - rule.param];
    if (rule.shape_only) {
      s.save_shape(t);
    } else {
      s.save(t, true);
    }
  }
}

void OpNode::release_saved() {
  // Shapes stay: a node that keeps nothing else may run again.
  int at = 0;
  auto drop = [&](const SaveRule& rule, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      SavedTensor& s = saved(at++);
      if (rule.shape_only || !s.defined()) continue;
      s.reset();
      released_ = true;
    }
  };
  for (const SaveRule& rule : op_.saves) {
    if (rule.param < 0) continue;
    const bool list = op_.schema->params[rule.param].type == Type::kTensorList;
    drop(rule, list ? args_[static_cast<size_t>(rule.param)].length : 1);
  }
  for (const SaveRule& rule : op_.saves)
    if (rule.param < 0) drop(rule, 1);
}

void OpNode::apply(GradVector& grads, GradVector& out) {
  if (!op_.differentiable) return;  // constant: zero gradients
  PT_CHECK(op_.backward, "derivative for ", op_.name, " is not implemented");
  if (released_) raise_freed_graph();
  // A formula's own tensors are where the gradients are.
  const auto any = std::find_if(grads.begin(), grads.end(), [](auto& g) { return g.defined(); });
  const CallDeviceGuard place(any == grads.end() ? call_device() : any->device(), op_.name.c_str());
  const Schema& schema = *op_.schema;
  Value args[kMaxParams];
  Tensor held[kMaxParams];
  std::vector<Tensor> lists;
  std::vector<std::pair<int, size_t>> list_starts;
  if (args_)
    for (int p = 0; p < schema.num_params; ++p) args[p] = args_[p];

  BackwardCall call(*this, grads, out);
  int at = 0;
  for (const SaveRule& rule : op_.saves) {
    if (rule.param < 0) continue;
    if (schema.params[rule.param].type == Type::kTensorList) {
      list_starts.emplace_back(rule.param, lists.size());
      for (uint32_t i = 0; i < args[rule.param].length; ++i)
        lists.push_back(saved(at++).unpack(this));
    } else {
      held[rule.param] = saved(at++).unpack(this);
      args[rule.param] = Value::of(held[rule.param]);
    }
  }
  for (const auto& [p, start] : list_starts) args[p].tensors = lists.data() + start;
  for (const SaveRule& rule : op_.saves)
    if (rule.param < 0) call.results_[-1 - rule.param] = saved(at++).unpack(this);
  op_.backward(call, args);
}

std::vector<std::pair<std::string, Tensor>> OpNode::saved_tensors() {
  if (released_) raise_freed_graph();
  std::vector<std::pair<std::string, Tensor>> all;
  int at = 0;
  for (const SaveRule& rule : op_.saves) {
    if (rule.param < 0) continue;
    if (op_.schema->params[rule.param].type == Type::kTensorList) {
      at += static_cast<int>(args_[static_cast<size_t>(rule.param)].length);
      continue;
    }
    const Tensor t = saved(at++).unpack(this);
    if (!rule.shape_only) all.emplace_back(std::string(op_.schema->params[rule.param].name), t);
  }
  for (const SaveRule& rule : op_.saves)
    if (rule.param < 0) all.emplace_back("result", saved(at++).unpack(this));
  return all;
}

Tensor BackwardCall::grad_or_zeros(int i) const {
  if (grad(i).defined()) return grad(i);
  const OutputMeta& m = node_.meta(static_cast<uint32_t>(i));
  return zeros_tensor(m.sizes, m.dtype, m.device);
}

void record_call(const OpInfo& op, const Value* args, Result& result) {
  auto node = Ref<Node>::adopt(new OpNode(op, args, false));
  auto attach = [&](Tensor& t, uint32_t nr) {
    if (!t.defined()) return;
    node->set_meta(nr, t);
    if (is_floating(t.dtype()) && !(op.nondifferentiable_outputs >> std::min(nr, 31u) & 1))
      set_history(t.impl(), node, nr);
  };
  if (op.schema->return_type == ReturnType::kTensorList) {
    node->set_num_outputs(static_cast<uint32_t>(result.list.size()));
    for (size_t i = 0; i < result.list.size(); ++i)
      attach(result.list[i], static_cast<uint32_t>(i));
  } else {
    if (result.count > 1) node->set_num_outputs(static_cast<uint32_t>(result.count));
    for (int i = 0; i < result.count; ++i) attach(result.t[i], static_cast<uint32_t>(i));
  }
  static_cast<OpNode*>(node.get())->save_outputs(result);
}

}  // namespace pt
