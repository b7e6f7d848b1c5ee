// Calls on a device that the host computes (DeviceUse::kThroughHost): copies of the arguments go to
// the cpu, the op's own forward function runs there, and copies of the results go back. Autograd
// records the call like any other; the copies are queued on the current stream, and the first of
// them waits for it.
#include "core/device_runtime.h"
#include "op/copy.h"
#include "op/define.h"

namespace pt::define_detail {

namespace {

Tensor on_host(const Tensor& t) {
  return t.defined() && !t.device().is_cpu() ? copy_to(t, t.dtype(), Device()) : t;
}

void send_back(Tensor& t, Device device) {
  if (t.defined() && t.device().is_cpu()) t = copy_to(t, t.dtype(), device);
}

}  // namespace

void forward_through_host(const Out& out, const Value* args, Result& result) {
  const OpInfo& op = *out.op;
  if (!call_on_device) return op.host_forward(out, args, result);
  const int n = op.schema->num_params;
  Value host[kMaxParams];
  Tensor tensors[kMaxParams];
  std::vector<Tensor> lists[kMaxParams];
  for (int p = 0; p < n; ++p) {
    host[p] = args[p];
    if (args[p].tag == Value::Tag::kTensor) {
      tensors[p] = on_host(args[p].as_tensor());
      host[p] = Value::of(tensors[p]);
    } else if (args[p].tag == Value::Tag::kTensorList) {
      for (const Tensor& t : args[p].as_tensors()) lists[p].push_back(on_host(t));
      host[p] = Value::of(TensorList(lists[p]));
    }
  }
  {
    const CallDeviceGuard cpu(Device{});
    Out plain;
    plain.op = out.op;
    op.host_forward(plain, host, result);
  }
  const Device device = call_device();
  for (int i = 0; i < result.count; ++i) send_back(result.t[i], device);
  for (Tensor& t : result.list) send_back(t, device);
}

void set_through_host(OpInfo& op) {
  PT_CHECK(op.forward && !op.writes_out && !op.composite && !op.view, "op ", op.name,
           ": through_host() follows an impl() that takes no Out");
  op.host_forward = op.forward;
  op.forward = forward_through_host;
  op.device_use = DeviceUse::kThroughHost;
}

}  // namespace pt::define_detail
