// dispatch(): the one way of every call. See dispatch.h.
#include "op/dispatch.h"

#include <algorithm>

#include "autograd/view_nodes.h"
#include "core/device_runtime.h"
#include "core/pinned.h"
#include "op/autocast.h"
#include "op/copy.h"
#include "op/pointwise.h"
#include "op/record.h"

namespace pt {

bool any_requires_grad(const OpInfo& op, const Value* args) {
  const int n = op.schema->num_params;
  for (int p = 0; p < n; ++p) {
    const Value& v = args[p];
    if (v.tag == Value::Tag::kTensor) {
      if (v.as_tensor().requires_grad()) return true;
    } else if (v.tag == Value::Tag::kTensorList) {
      for (const Tensor& t : v.as_tensors())
        if (t.defined() && t.requires_grad()) return true;
    }
  }
  return false;
}

namespace {

// A differentiable view remembers what it looks at, so that writing to it reaches its base.
void note_view(const Tensor& input, Tensor& output) {
  if (!output.defined() || output.same_as(input) || !thread_modes.grad || thread_modes.inference ||
      !is_floating(input.dtype()))
    return;
  TensorImpl* base = input->base ? input->base : input.impl();
  retain(base);
  output->base = base;
  output->view_version = output->storage->version;
}

void finish_view(const OpInfo& op, const Value* args, Result& result) {
  const Tensor& input = args[0].as_tensor();
  if (input->has(TensorImpl::kUntrackedVersion)) {
    for (int i = 0; i < result.count; ++i) result.t[i]->set(TensorImpl::kUntrackedVersion, true);
    for (Tensor& t : result.list) t->set(TensorImpl::kUntrackedVersion, true);
  }
  if (op.schema->return_type == ReturnType::kTensorList) {
    for (Tensor& t : result.list) note_view(input, t);
  } else {
    for (int i = 0; i < result.count; ++i) note_view(input, result.t[i]);
  }
}

void mark_inference(Result& result) {
  for (int i = 0; i < result.count; ++i)
    if (result.t[i].defined()) result.t[i]->set(TensorImpl::kInference, true);
  for (Tensor& t : result.list)
    if (t.defined()) t->set(TensorImpl::kInference, true);
}

// Writes a result computed without regard to its destination into it.
void copy_to_destination(const Out& out, Result& result) {
  for (int i = 0; i < result.count; ++i) {
    if (!out.dest[i]) continue;
    const Tensor dest = out.destination(i);
    if (!result.t[i].same_as(dest)) {
      Out one = out;
      one.dest[0] = out.dest[i];
      check_destination(one, result.t[i].dtype(), result.t[i].sizes());
      if (!out.inplace) resize_output(dest, result.t[i].sizes());
      check_no_internal_overlap(dest);
      copy_into(dest, result.t[i]);
    }
    result.t[i] = dest;
  }
}

// x.t_(): self takes the place in memory that the view has. The elements stay, so the history of
// the base of a view stays too.
void move_to_view(const Tensor& self, const Tensor& view, Ref<Node> node) {
  self->sizes = view.sizes();
  self->strides = view.strides();
  self->offset = view.offset();
  self->numel = view.numel();
  self->update_contiguous();
  bump_version(self.impl());
  if (!node) return;
  if (self->base) {
    set_history(self.impl(), make_view_node(Tensor::share(self->base), self), 0);
    self->view_version = self->storage->version;
  } else {
    node->set_meta(0, self);
    set_history(self.impl(), std::move(node), 0);
  }
}

// An in-place composite is computed out of place and copied back, both recorded.
void inplace_composite(const OpInfo& op, const Value* args, Result& result) {
  static const OpInfo* clone_op = Registry::get().find("clone")->ops[0];
  static const OpInfo* copy_op = Registry::get().find("copy_")->ops[0];
  const Tensor self = args[0].as_tensor();
  Value own[kMaxParams];
  std::copy(args, args + op.schema->num_params, own);
  Result kept;
  if (thread_modes.grad && any_requires_grad(op, args)) {
    // What the ops inside save must survive the copy back.
    const Value clone_args[] = {own[0], Value()};
    dispatch(*clone_op, clone_args, kept);
    own[0] = Value::of(kept.t[0]);
  }
  Out none;
  none.op = &op;
  op.functional->forward(none, own, result);
  Out target = none;
  target.dest[0] = self.impl();
  target.inplace = true;
  check_destination(target, result.t[0].dtype(), result.t[0].sizes());
  const Value copy_args[] = {Value::of(self), Value::of(result.t[0]), Value::of(false)};
  Result copied;
  dispatch(*copy_op, copy_args, copied);
  result.t[0] = self;
}

void dispatch_inplace(const OpInfo& op, const Value* args, Result& result) {
  const OpInfo& functional = *op.functional;
  const Tensor self = args[0].as_tensor();
  check_inplace(self, op.name.c_str());
  if (functional.composite) {
    inplace_composite(op, args, result);
    return;
  }
  // An op without a derivative still cuts self off from its old history: its node gives zeros.
  const bool record = thread_modes.grad && any_requires_grad(op, args);
  Ref<Node> node;
  if (record) {
    PT_CHECK(is_floating(self.dtype()), op.name, "(): a tensor of dtype ", dtype_name(self.dtype()),
             " can't be changed in place by values that require grad");
    node = Ref<Node>::adopt(new OpNode(functional, args, true));
  }
  {
    GradModeGuard off(false);
    Out out;
    out.op = &op;
    out.dest[0] = self.impl();
    out.inplace = true;
    functional.forward(out, args, result);
    if (!functional.writes_out && !functional.view) copy_to_destination(out, result);
  }
  if (functional.view) {
    move_to_view(self, result.t[0], std::move(node));
    result.t[0] = self;
    return;
  }
  bump_version(self.impl());
  result.count = 1;
  result.t[0] = self;
  if (record) {
    node->set_meta(0, self);
    rebase_history(self, node);
    static_cast<OpNode*>(node.get())->save_outputs(result);
  }
}

// --- where a call runs -------------------------------------------------------------------------

// The devices of a call's tensors. Tensors of the cpu without dimensions count apart: elementwise
// calls take them as numbers.
class Places {
 public:
  void add(const Tensor& t) {
    if (!t.defined()) return;
    if (t.device().is_cpu() && t.dim() == 0) {
      number_ = true;
    } else if (!first_) {
      first_ = t.device();
    } else if (*first_ != t.device() && !other_) {
      other_ = t.device();
    }
  }
  void add(const OpInfo& op, const Value* args) {
    for (int p = 0; p < op.schema->num_params; ++p) {
      if (args[p].tag == Value::Tag::kTensor) {
        add(args[p].as_tensor());
      } else if (args[p].tag == Value::Tag::kTensorList) {
        for (const Tensor& t : args[p].as_tensors()) add(t);
      }
    }
  }
  // Without tensors a call made by another one runs where that one does.
  Device device() const {
    if (first_ && other_ && first_->is_cpu()) return *other_;
    return first_ ? *first_ : number_ ? Device() : call_device();
  }
  void check(const OpInfo& op) const {
    if (op.composite || op.device_use == DeviceUse::kAnyMix) return;
    std::optional<Device> other = other_;
    const bool numbers_are_tensors = op.device_use != DeviceUse::kElementwise && !op.view;
    if (!other && number_ && first_ && !first_->is_cpu() && numbers_are_tensors) other = Device();
    if (!other) return;
    const bool cpu_second = other->is_cpu() || !first_->is_cpu();
    raise(ErrorKind::kRuntime,
          "Expected all tensors to be on the same device, but found at least two devices, ",
          to_text(cpu_second ? *first_ : *other), " and ", to_text(cpu_second ? *other : *first_),
          "! (in ", op.name, ")");
  }

  bool empty() const { return !first_ && !number_; }

 private:
  std::optional<Device> first_, other_;
  bool number_ = false;
};

// A Device argument decides; otherwise the tensors do.
Device place_of(const OpInfo& op, const Value* args, std::span<const Tensor> dest = {}) {
  if (op.takes_device) {
    for (int p = 0; p < op.schema->num_params; ++p)
      if (args[p].tag == Value::Tag::kDevice) return resolve_device(args[p].device);
  }
  if (!device_in_use) return {};
  Places places;
  places.add(op, args);
  for (const Tensor& t : dest) places.add(t);
  places.check(op);
  if (op.takes_device && places.empty() && !call_place.op) return default_device();
  return places.device();
}

void refuse_on_device(const OpInfo& op, Device device) {
  if (device.is_cpu() || op.composite || op.view || op.device_use != DeviceUse::kHost) return;
  raise(ErrorKind::kNotImplemented, "Could not run 'aten::", op.name,
        "' with arguments from the 'CUDA' backend: this operator has no kernel for it.");
}

__attribute__((always_inline)) inline void run(const OpInfo& op, const Value* args,
                                               Result& result) {
  if (op.variant == Variant::kInplace) {
    const NoAutocast off;
    dispatch_inplace(op, args, result);
    return;
  }
  if (autocast_possible() && dispatch_autocast(op, args, result)) [[unlikely]]
    return;
  Out out;
  out.op = &op;
  if (op.composite) {
    op.forward(out, args, result);
    return;
  }
  if (thread_modes.grad && any_requires_grad(op, args)) {
    {
      GradModeGuard off(false);  // what a forward function composes is not recorded
      op.forward(out, args, result);
    }
    if (op.view) finish_view(op, args, result);
    if (op.differentiable) record_call(op, args, result);
    return;
  }
  op.forward(out, args, result);
  if (op.view) finish_view(op, args, result);
  if (thread_modes.inference) [[unlikely]]
    mark_inference(result);
}

// dtype and sizes of the tensors of a call, for messages.
std::string tensors_of(const OpInfo& op, const Value* args) {
  std::string text;
  const auto add = [&text](const Tensor& t) {
    if (!t.defined() || text.size() > 300) return;
    text +=
        concat(text.empty() ? ", called with " : ", ", dtype_name(t.dtype()), to_text(t.sizes()));
  };
  for (int p = 0; p < op.schema->num_params; ++p) {
    if (args[p].tag == Value::Tag::kTensor) add(args[p].as_tensor());
    if (args[p].tag != Value::Tag::kTensorList) continue;
    for (const Tensor& t : args[p].as_tensors()) add(t);
  }
  return text;
}

// Whether a call that makes a tensor is given pin_memory=True.
bool asks_for_pinned(const OpInfo& op, const Value* args) {
  for (int p = op.schema->num_params - 1; p >= 0; --p)
    if (args[p].tag == Value::Tag::kBool && args[p].i != 0 &&
        op.schema->params[p].name == "pin_memory")
      return true;
  return false;
}
void pin(Result& result) {
  for (int i = 0; i < result.count; ++i) {
    PT_CHECK(result.t[i].device().is_cpu(), "Only dense CPU tensors can be pinned");
    const Tensor pinned =
        empty_pinned(result.t[i].sizes(), result.t[i].strides(), result.t[i].dtype());
    copy_into(pinned, result.t[i]);
    result.t[i] = pinned;
  }
}

// The part of dispatch() that knows devices; calls on the cpu skip it until one is used.
__attribute__((noinline)) void run_in_place(const OpInfo& op, const Value* args, Result& result) {
  const Device device = place_of(op, args);
  refuse_on_device(op, device);
  const CallDeviceGuard guard(device, op.name.c_str());
  run(op, args, result);
  if (op.takes_device && asks_for_pinned(op, args)) pin(result);
  if (!device.is_cpu() && !op.composite && !op.view)
    check_launches(op.name.c_str(), [&] { return tensors_of(op, args); });
}

bool needs_a_device(const OpInfo& op, const Value* args) {
  for (int p = op.schema->num_params - 1; p >= 0; --p)
    if (args[p].tag == Value::Tag::kDevice && !args[p].device.is_cpu()) return true;
  return asks_for_pinned(op, args);
}

}  // namespace

void dispatch(const OpInfo& op, const Value* args, Result& result) {
  if (device_in_use || (op.takes_device && needs_a_device(op, args))) [[unlikely]] {
    run_in_place(op, args, result);
  } else {
    run(op, args, result);
  }
}

void dispatch_out(const OpInfo& op, const Value* args, std::span<const Tensor> dest,
                  Result& result) {
  const int n = op.schema->num_outputs;
  PT_CHECK(static_cast<int>(dest.size()) == n, op.name, "(): argument 'out' must have ", n,
           " tensors, got ", dest.size());
  if (thread_modes.grad) {
    bool grad = any_requires_grad(op, args);
    for (const Tensor& t : dest) grad = grad || t.requires_grad();
    PT_CHECK(!grad, op.name,
             "(): functions with out=... arguments don't support automatic differentiation, but "
             "one of the arguments requires grad.");
  }
  Out out;
  out.op = &op;
  for (int i = 0; i < n; ++i) {
    out.dest[i] = dest[static_cast<size_t>(i)].impl();
    PT_CHECK(!out.dest[i]->storage->read_only, op.name, "(): argument 'out' is read-only");
  }
  const NoAutocast off;
  const Device device = place_of(op, args, dest);
  refuse_on_device(op, device);
  const CallDeviceGuard guard(device, op.name.c_str());
  op.forward(out, args, result);
  if (!op.writes_out) copy_to_destination(out, result);
  for (int i = 0; i < n; ++i) {
    result.t[i] = dest[static_cast<size_t>(i)];
    bump_version(out.dest[i]);
  }
}

}  // namespace pt
