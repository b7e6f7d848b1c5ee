// Whether the call that this thread runs is on a device other than the cpu. Set by
// CallDeviceGuard (core/device.h); apart from it because kernel tables read it, whose header is
// compiled for every instruction set.
#pragma once

namespace pt {

extern thread_local constinit bool call_on_device;

}  // namespace pt
