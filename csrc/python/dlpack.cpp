// DLPack in both directions: Tensor.__dlpack__ and from_dlpack(). Memory is shared; each side keeps
// the other's alive through the capsule's deleter.
#include "python/dlpack.h"

#include <memory>

#include "core/device_runtime.h"
#include "op/copy.h"
#include "ops/core_ops.h"
#include "python/buffer.h"
#include "python/method_args.h"

namespace pt::python {

namespace {

template <class M>
constexpr bool kVersioned = std::is_same_v<M, dlpack::ManagedVersioned>;
template <class M>
constexpr const char* kName = kVersioned<M> ? "dltensor_versioned" : "dltensor";
template <class M>
constexpr const char* kUsedName = kVersioned<M> ? "used_dltensor_versioned" : "used_dltensor";

// --- export --------------------------------------------------------------------------------------

template <class M>
struct Export {
  M managed{};
  Ref<Storage> storage;
  Dims sizes, strides;
};

dlpack::DataType data_type(DType t) {
  const auto bits = static_cast<uint8_t>(8 * item_size(t));
  if (t == DType::kBool) return {dlpack::kBool, bits, 1};
  if (t == DType::kUInt8) return {dlpack::kUInt, bits, 1};
  if (t == DType::kBFloat16) return {dlpack::kBfloat, bits, 1};
  if (is_complex(t)) return {dlpack::kComplex, bits, 1};
  return {is_floating(t) ? dlpack::kFloat : dlpack::kInt, bits, 1};
}

dlpack::Device dlpack_device(Device d) {
  return d.is_cpu() ? dlpack::Device{dlpack::kCpu, 0} : dlpack::Device{dlpack::kCuda, d.index};
}

// A capsule that nobody consumed still owns its tensor.
template <class M>
void destroy_capsule(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, kName<M>)) return;
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, kName<M>));
  m->deleter(m);
}

template <class M>
PyObject* export_capsule(const Tensor& t, bool copied) {
  auto kept = std::make_unique<Export<M>>();
  kept->storage = t->storage;
  kept->storage->resizable = false;
  kept->sizes = t.sizes();
  kept->strides = t.strides();
  M& m = kept->managed;
  m.array.data = t.raw();
  m.array.device = dlpack_device(t.device());
  m.array.ndim = t.dim();
  m.array.dtype = data_type(t.dtype());
  m.array.shape = kept->sizes.data();
  m.array.strides = kept->strides.data();
  if constexpr (kVersioned<M>) {
    m.major = dlpack::kMajorVersion;
    m.minor = dlpack::kMinorVersion;
    m.flags = (t->storage->read_only ? dlpack::kReadOnly : 0) | (copied ? dlpack::kIsCopied : 0);
  }
  m.context = kept.get();
  m.deleter = [](M* self) { delete static_cast<Export<M>*>(self->context); };
  PyObject* capsule = check(PyCapsule_New(&m, kName<M>, destroy_capsule<M>));
  kept.release();
  return capsule;
}

// (1, 0) of (major, minor) or (type, id)
bool read_pair(PyObject* o, int64_t& a, int64_t& b) {
  return PyTuple_Check(o) && PyTuple_GET_SIZE(o) == 2 && to_int(PyTuple_GET_ITEM(o, 0), a) &&
         to_int(PyTuple_GET_ITEM(o, 1), b);
}

// The consumer's stream waits for what this thread has queued. None and 1 stand for the default
// stream; after -1 the consumer takes care itself.
void let_wait(PyObject* stream, Device device) {
  int64_t number = 1;
  PT_CHECK_TYPE(!stream || to_int(stream, number), "stream must be ``int`` or ``none``");
  if (number == -1) return;
  PT_CHECK_KIND(ErrorKind::kBuffer, number != 0 && number != 2, "__dlpack__(): unsupported stream ",
                number, number == 2 ? ": the default stream of a thread" : "");
  const DeviceApi& api = device_api();
  const CallDeviceGuard guard(device);
  const auto other = number == 1 ? nullptr : reinterpret_cast<StreamHandle>(number);
  const StreamHandle mine = api.current_stream(device.index);
  if (mine == other) return;
  EventHandle e = nullptr;
  check_device(api.event_create(&e, 0), "__dlpack__");
  const int recorded = api.event_record(e, mine);
  const int status = recorded ? recorded : api.stream_wait(other, e);
  api.event_destroy(e);
  check_device(status, "__dlpack__");
}

PyObject* method_dlpack(PyObject* o, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&] {
    const MethodArgs a("__dlpack__", {"stream", "max_version", "dl_device", "copy"}, 0, args, nargs,
                       kwnames);
    const Tensor& self = as_tensor(o);
    PT_CHECK_KIND(ErrorKind::kBuffer, !self.requires_grad(),
                  "Can't export tensors that require gradient, use tensor.detach()");
    const dlpack::Device own = dlpack_device(self.device());
    int64_t major = 0, minor = 0, type = own.type, id = own.id;
    PT_CHECK_TYPE(!a.given(1) || read_pair(a[1], major, minor),
                  "__dlpack__(): argument 'max_version' must be a tuple of two ints");
    PT_CHECK_TYPE(!a.given(2) || read_pair(a[2], type, id),
                  "__dlpack__(): argument 'dl_device' must be a tuple of two ints");
    const std::optional<bool> wished = a.optional_flag(3);
    const bool moves = type != own.type || id != own.id;
    PT_CHECK_KIND(ErrorKind::kBuffer, !moves || (type == dlpack::kCpu && wished.value_or(true)),
                  "__dlpack__(): the tensor is on ", to_text(self.device()), ", not on device ",
                  type, ":", id, moves && type == dlpack::kCpu ? ", and may not be copied" : "");
    const bool copy = moves || wished.value_or(false);
    const Tensor t = moves ? copy_to(self, self.dtype(), {}) : copy ? copy_of(self) : self;
    if (t.device().is_cpu()) {
      PT_CHECK_KIND(ErrorKind::kAssertion, !a.given(0), "stream should be None on cpu.");
    } else {
      let_wait(a.given(0) ? a[0] : nullptr, t.device());
    }
    if (major >= dlpack::kMajorVersion) return export_capsule<dlpack::ManagedVersioned>(t, copy);
    PT_CHECK_KIND(ErrorKind::kBuffer, !t->storage->read_only,
                  "__dlpack__(): a read-only tensor needs max_version=(1, 0)");
    return export_capsule<dlpack::Managed>(t, copy);
  });
}

PyObject* method_dlpack_device(PyObject* o, PyObject*) {
  const dlpack::Device d = dlpack_device(as_tensor(o).device());
  return Py_BuildValue("ii", static_cast<int>(d.type), static_cast<int>(d.id));
}

// --- import --------------------------------------------------------------------------------------

DType dtype_of_array(const dlpack::DataType& d) {
  PT_CHECK(d.lanes == 1, "from_dlpack(): arrays with lanes are not supported");
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    const dlpack::DataType own = data_type(t);
    if (!is_complex(t) && own.code == d.code && own.bits == d.bits) return t;
  }
  raise(ErrorKind::kBuffer, "from_dlpack(): unsupported element type: code ",
        static_cast<int>(d.code), ", ", static_cast<int>(d.bits), " bits");
}

template <class M>
void delete_managed(void* context) {
  auto* m = static_cast<M*>(context);
  if (m->deleter) m->deleter(m);
}

template <class M>
Tensor import_capsule(PyObject* capsule) {
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, kName<M>));
  if (!m) throw_python_error();
  bool read_only = false;
  if constexpr (kVersioned<M>) {
    PT_CHECK_KIND(ErrorKind::kBuffer, m->major == dlpack::kMajorVersion,
                  "from_dlpack(): unsupported DLPack version ", m->major, ".", m->minor);
    read_only = (m->flags & dlpack::kReadOnly) != 0;
  }
  const dlpack::Array& a = m->array;
  const bool on_host = a.device.type == dlpack::kCpu || a.device.type == dlpack::kCudaHost;
  PT_CHECK_KIND(ErrorKind::kBuffer, on_host || a.device.type == dlpack::kCuda,
                "from_dlpack(): unsupported device type ", a.device.type);
  const Device device =
      on_host ? Device() : resolve_device({DeviceType::kCuda, static_cast<int8_t>(a.device.id)});
  const DType dtype = dtype_of_array(a.dtype);
  PT_CHECK(a.ndim >= 0 && a.ndim <= kMaxDims, "a tensor has at most ", kMaxDims,
           " dimensions, got ", a.ndim);
  const IntList shape(a.shape, static_cast<size_t>(a.ndim));
  Dims sizes(shape);
  Dims strides = a.strides ? Dims(IntList(a.strides, shape.size())) : contiguous_strides(sizes);
  int64_t extent = checked_numel(sizes) ? 1 : 0;
  for (int i = 0; extent && i < a.ndim; ++i) {
    PT_CHECK_VALUE(strides[i] >= 0, "from_dlpack(): negative strides are not supported");
    extent += (sizes[i] - 1) * strides[i];
  }
  auto storage =
      Storage::wrap(static_cast<char*>(a.data) + a.byte_offset,
                    static_cast<size_t>(extent) * item_size(dtype), device, delete_managed<M>, m);
  if (!on_host) storage->resizable = false;
  storage->read_only = read_only;
  PyCapsule_SetName(capsule, kUsedName<M>);
  return tensor_over(std::move(storage), std::move(sizes), std::move(strides), dtype);
}

// o.__dlpack__(max_version=(1, 0)[, copy=copy]); producers older than DLPack 1.0 take no arguments.
py::object request_capsule(py::handle o, std::optional<bool> copy) {
  py::dict options;
  options["max_version"] = py::make_tuple(dlpack::kMajorVersion, dlpack::kMinorVersion);
  if (copy) options["copy"] = *copy;
  // A producer on a device lets the current stream wait.
  int64_t type = dlpack::kCpu, id = 0;
  if (py::hasattr(o, "__dlpack_device__")) {
    const py::object pair = o.attr("__dlpack_device__")();
    if (PyTuple_Check(pair.ptr()) && PyTuple_GET_SIZE(pair.ptr()) == 2) {
      type = py::cast<int64_t>(py::int_(pair[py::int_(0)]));
      id = py::cast<int64_t>(py::int_(pair[py::int_(1)]));
    }
  }
  if (type == dlpack::kCuda) {
    resolve_device({DeviceType::kCuda, static_cast<int8_t>(id)});
    const auto stream =
        reinterpret_cast<int64_t>(device_api().current_stream(static_cast<int>(id)));
    options["stream"] = stream == 0 ? 1 : stream;
  }
  try {
    return o.attr("__dlpack__")(**options);
  } catch (py::error_already_set& e) {
    if (!e.matches(PyExc_TypeError)) throw;
  }
  return options.contains("stream") ? o.attr("__dlpack__")(options["stream"])
                                    : o.attr("__dlpack__")();
}

PyObject* function_from_dlpack(PyObject*, PyObject* const* args, Py_ssize_t nargs,
                               PyObject* kwnames) {
  return guarded([&] {
    const MethodArgs a("from_dlpack", {"ext_tensor", "device", "copy"}, 1, args, nargs, kwnames);
    const std::optional<Device> device = a.device(1);
    const Tensor t = tensor_from_dlpack(a.required(0), a.optional_flag(2));
    return wrap(device && *device != t.device() ? to_copy(t, t.dtype(), *device) : t);
  });
}

PyMethodDef dlpack_methods[] = {
    fast_method("__dlpack__", method_dlpack, "A DLPack capsule over the tensor's memory."),
    {"__dlpack_device__", method_dlpack_device, METH_NOARGS, nullptr},
    {}};
PyMethodDef dlpack_functions[] = {
    fast_method("from_dlpack", function_from_dlpack,
                "A tensor over the memory of an object with __dlpack__ or of a capsule."),
    {}};

}  // namespace

bool is_dlpack(PyObject* o) {
  return PyCapsule_CheckExact(o) || PyObject_HasAttrString(o, "__dlpack__");
}

Tensor tensor_from_dlpack(PyObject* o, std::optional<bool> copy) {
  auto capsule = py::reinterpret_borrow<py::object>(o);
  bool copied = !copy.value_or(false);
  if (!PyCapsule_CheckExact(o) && is_dlpack(o)) capsule = request_capsule(o, copy);
  const bool versioned = PyCapsule_IsValid(capsule.ptr(), kName<dlpack::ManagedVersioned>);
  PT_CHECK(versioned || PyCapsule_IsValid(capsule.ptr(), kName<dlpack::Managed>),
           "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed "
           "only once, so you might have already constructed a tensor from it once.");
  if (versioned) {
    auto* m = static_cast<dlpack::ManagedVersioned*>(
        PyCapsule_GetPointer(capsule.ptr(), kName<dlpack::ManagedVersioned>));
    copied = copied || (m->flags & dlpack::kIsCopied);
  }
  const Tensor t = versioned ? import_capsule<dlpack::ManagedVersioned>(capsule.ptr())
                             : import_capsule<dlpack::Managed>(capsule.ptr());
  // A producer that does not know `copy` shares its memory.
  return copied ? t : copy_of(t);
}

void init_dlpack(py::module_& m) {
  add_tensor_methods(dlpack_methods);
  add_functions(m, dlpack_functions);
}

}  // namespace pt::python
