// The buffer protocol in both directions: a Tensor as a buffer (what memoryview and numpy read)
// and tensors over the memory of numpy arrays and other buffers. NumPy's C API is never used and
// numpy is imported only when numpy() asks for an array.
#include "python/buffer.h"

#include <cstring>
#include <memory>

#include "op/copy.h"
#include "ops/core_ops.h"
#include "python/method_args.h"
#include "python/tensor_type.h"

namespace pt::python {

namespace {

constexpr const char* kNeedsDetach =
    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.";

// Format characters of Python's struct module; null where it has none.
const char* buffer_format(DType t) {
  static constexpr const char* kFormats[kNumDTypes] = {"?", "B",     "b", "h", "i",     "q",
                                                       "e", nullptr, "f", "d", nullptr, nullptr};
  return kFormats[static_cast<int>(t)];
}

// What one export keeps: the tensor may be given other memory while the buffer is in use.
struct Export {
  Ref<Storage> storage;
  Dims shape;
  Dims byte_strides;
};

bool is_fortran_contiguous(const Tensor& t) {
  int64_t step = 1;
  for (int i = 0; i < t.dim(); ++i) {
    if (t->sizes[i] != 1 && t->strides[i] != step) return false;
    step *= t->sizes[i];
  }
  return true;
}

bool layout_fits(const Tensor& t, int flags) {
  if (t.is_contiguous()) {
    return (flags & PyBUF_F_CONTIGUOUS) != PyBUF_F_CONTIGUOUS || is_fortran_contiguous(t);
  }
  if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES) return false;
  if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS) return false;
  const int contiguous = (PyBUF_ANY_CONTIGUOUS | PyBUF_F_CONTIGUOUS) & ~PyBUF_STRIDES;
  return !(flags & contiguous) || is_fortran_contiguous(t);
}

}  // namespace

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded([&] {
    const Tensor& t = as_tensor(self);
    const char* format = buffer_format(t.dtype());
    PT_CHECK_KIND(ErrorKind::kBuffer, !t.requires_grad(), kNeedsDetach);
    PT_CHECK_KIND(ErrorKind::kBuffer, t.device().is_cpu(),
                  "only tensors in the cpu's memory can be exported as a buffer");
    PT_CHECK_KIND(ErrorKind::kBuffer, format, "dtype ", dtype_name(t.dtype()),
                  " has no buffer format");
    PT_CHECK_KIND(ErrorKind::kBuffer, !(flags & PyBUF_WRITABLE) || !t->storage->read_only,
                  "the tensor's memory is read-only");
    PT_CHECK_KIND(ErrorKind::kBuffer, layout_fits(t, flags),
                  "the tensor's memory layout is not the one asked for; use contiguous()");
    t->storage->resizable = false;
    auto* kept = new Export{t->storage, t.sizes(), t.strides()};
    const auto item = static_cast<int64_t>(t.item_size());
    for (int64_t& s : std::span(kept->byte_strides.data(), static_cast<size_t>(t.dim()))) s *= item;
    view->internal = kept;
    view->buf = t.raw();
    view->len = static_cast<Py_ssize_t>(t.nbytes());
    view->itemsize = static_cast<Py_ssize_t>(item);
    view->readonly = t->storage->read_only;
    view->ndim = t.dim();
    view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format) : nullptr;
    view->shape = flags & PyBUF_ND ? reinterpret_cast<Py_ssize_t*>(kept->shape.data()) : nullptr;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES
                        ? reinterpret_cast<Py_ssize_t*>(kept->byte_strides.data())
                        : nullptr;
    view->suboffsets = nullptr;
    view->obj = Py_NewRef(self);
    return 0;
  });
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Export*>(view->internal); }

// --- tensors over buffers ------------------------------------------------------------------------

namespace {

struct ReleaseView {
  void operator()(Py_buffer* v) const {
    PyBuffer_Release(v);
    delete v;
  }
};
using View = std::unique_ptr<Py_buffer, ReleaseView>;

bool interpreter_usable() {
  if (!Py_IsInitialized()) return false;
#if PY_VERSION_HEX >= 0x030D0000
  const bool finalizing = Py_IsFinalizing();
#else
  const bool finalizing = _Py_IsFinalizing();
#endif
  return !finalizing || PyGILState_Check();
}

// The deleter of storages over a buffer; runs on whatever thread drops the last tensor. When the
// interpreter is going away the buffer is left to the end of the process.
void release_view(void* context) {
  if (!interpreter_usable()) return;
  const PyGILState_STATE gil = PyGILState_Ensure();
  ReleaseView{}(static_cast<Py_buffer*>(context));
  PyGILState_Release(gil);
}

// Null, with a Python error, if `o` does not give such a buffer.
View acquire(PyObject* o, int flags) {
  auto* v = new Py_buffer;
  if (PyObject_GetBuffer(o, v, flags) == 0) return View(v);
  delete v;
  return nullptr;
}

Tensor over_view(View view, char* data, size_t bytes, Dims sizes, Dims strides, DType dtype) {
  const bool read_only = view->readonly != 0;
  auto storage = Storage::wrap(data, bytes, {}, release_view, view.get());
  view.release();
  storage->read_only = read_only;
  return tensor_over(std::move(storage), std::move(sizes), std::move(strides), dtype);
}

enum class Format { kKnown, kForeignOrder, kUnknown };

Format parse_format(const char* format, Py_ssize_t item, DType& out) {
  if (!format) format = "B";
  constexpr bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
  bool foreign = false;
  if (*format && std::strchr("@=<>!|^", *format)) {
    foreign = item > 1 && (*format == '<' ? !little : (*format == '>' || *format == '!') && little);
    ++format;
  }
  if (!format[0] || format[1]) return Format::kUnknown;
  const char c = format[0];
  auto known = [&](DType t) {
    if (static_cast<Py_ssize_t>(item_size(t)) != item) return Format::kUnknown;
    out = t;
    return foreign ? Format::kForeignOrder : Format::kKnown;
  };
  if (c == '?') return known(DType::kBool);
  if (c == 'B') return known(DType::kUInt8);
  if (c == 'e') return known(DType::kFloat16);
  if (c == 'f') return known(DType::kFloat32);
  if (c == 'd') return known(DType::kFloat64);
  if (!std::strchr("bhilqn", c)) {
    // Other types in foreign order are refused for their order first, as by PyTorch.
    return foreign ? Format::kForeignOrder : Format::kUnknown;
  }
  return known(item == 1   ? DType::kInt8
               : item == 2 ? DType::kInt16
               : item == 4 ? DType::kInt32
                           : DType::kInt64);
}

// "numpy.float64" of an array
std::string array_type_name(PyObject* array) {
  const py::object type = py::handle(array).attr("dtype").attr("type");
  return py::str(type.attr("__module__")).cast<std::string>() + "." +
         py::str(type.attr("__name__")).cast<std::string>();
}

}  // namespace

bool is_numpy_array(PyObject* o) {
  static PyTypeObject* array_type = nullptr;
  if (!array_type) {
    auto numpy = py::reinterpret_steal<py::object>(PyImport_GetModule(py::str("numpy").ptr()));
    if (numpy) {
      array_type = reinterpret_cast<PyTypeObject*>(PyObject_GetAttrString(numpy.ptr(), "ndarray"));
    }
    PyErr_Clear();  // numpy may be half imported
    if (!array_type) return false;
  }
  return PyObject_TypeCheck(o, array_type);
}

void raise_unsupported_array(const std::string& type_name) {
  raise(ErrorKind::kType, "can't convert np.ndarray of type ", type_name,
        ". The only supported types are: float64, float32, float16, int64, int32, int16, int8, "
        "uint8, and bool.");
}

Tensor tensor_over(Ref<Storage> storage, Dims sizes, Dims strides, DType dtype) {
  Tensor t = Tensor::adopt(TensorImpl::create());
  t->dtype = dtype;
  t->numel = checked_numel(sizes);
  t->sizes = std::move(sizes);
  t->strides = std::move(strides);
  t->storage = std::move(storage);
  t->device = t->storage->device;
  t->set(TensorImpl::kInference, thread_modes.inference);
  t->update_contiguous();
  return t;
}

Tensor tensor_from_buffer(PyObject* o) {
  const bool array = is_numpy_array(o);
  View view = acquire(o, PyBUF_STRIDES | PyBUF_FORMAT);
  if (!view) {
    if (!array) throw_python_error();
    PyErr_Clear();
    raise_unsupported_array(array_type_name(o));
  }
  DType dtype;
  const Format format = parse_format(view->format, view->itemsize, dtype);
  PT_CHECK_VALUE(format != Format::kForeignOrder,
                 "given numpy array has byte order different from the native byte order. "
                 "Conversion between byte orders is currently not supported.");
  if (format == Format::kUnknown) {
    if (array) raise_unsupported_array(array_type_name(o));
    raise(ErrorKind::kType, "can't convert a buffer of format '", view->format, "' to a tensor");
  }
  const int n = view->ndim;
  PT_CHECK(n <= kMaxDims, "a tensor has at most ", kMaxDims, " dimensions, got ", n);
  const int64_t item = view->itemsize;
  Dims sizes(n), strides(n);
  int64_t extent = item;
  bool empty = false;
  for (int i = 0; i < n; ++i) {
    sizes[i] = view->shape[i];
    empty |= sizes[i] == 0;
    const int64_t step = view->strides[i];
    PT_CHECK_VALUE(step >= 0,
                   "At least one stride in the given numpy array is negative, and tensors with "
                   "negative strides are not currently supported. (You can probably work around "
                   "this by making a copy of your array  with array.copy().) ");
    PT_CHECK_VALUE(step % item == 0,
                   "given numpy array strides not a multiple of the element byte size. Copy the "
                   "numpy array to reallocate the memory.");
    strides[i] = step / item;
    extent += (sizes[i] - 1) * step;
  }
  if (empty) {
    extent = 0;
    strides = contiguous_strides(sizes);
  }
  char* data = static_cast<char*>(view->buf);
  return over_view(std::move(view), data, static_cast<size_t>(extent), std::move(sizes),
                   std::move(strides), dtype);
}

Tensor tensor_from_bytes(PyObject* buffer, DType dtype, int64_t count, int64_t offset) {
  PT_CHECK_VALUE(PyObject_CheckBuffer(buffer), "object does not implement Python buffer protocol.");
  View view = acquire(buffer, PyBUF_WRITABLE);
  if (!view) {
    PyErr_Clear();
    view = acquire(buffer, PyBUF_SIMPLE);
  }
  if (!view) {
    PyErr_Clear();
    raise(ErrorKind::kRuntime, "could not retrieve buffer from object");
  }
  const int64_t length = view->len, item = static_cast<int64_t>(item_size(dtype));
  PT_CHECK_VALUE(length > 0 && count != 0, "both buffer length (", length, ") and count (", count,
                 ") must not be 0");
  PT_CHECK_VALUE(offset >= 0 && offset < length, "offset (", offset,
                 " bytes) must be non-negative and no greater than buffer length (", length,
                 " bytes) minus 1");
  const int64_t rest = length - offset;
  if (count < 0) {
    PT_CHECK_VALUE(rest % item == 0, "buffer length (", rest, " bytes) after offset (", offset,
                   " bytes) must be a multiple of element size (", item, ")");
    count = rest / item;
  }
  PT_CHECK_VALUE(count <= rest / item, "requested buffer length (", count, " * ", item,
                 " bytes) after offset (", offset,
                 " bytes) must not be greater than actual buffer length (", length, " bytes)");
  char* data = static_cast<char*>(view->buf) + offset;
  return over_view(std::move(view), data, static_cast<size_t>(count * item), Dims{count}, Dims{1},
                   dtype);
}

// --- methods -------------------------------------------------------------------------------------

namespace {

PyObject* numpy_function(const char* name) {
  return check(PyObject_GetAttrString(
      py::reinterpret_steal<py::object>(check(PyImport_ImportModule("numpy"))).ptr(), name));
}

// An array over the tensor's memory.
py::object as_array(PyObject* o, bool force) {
  static PyObject* const asarray = numpy_function("asarray");
  const Tensor& t = as_tensor(o);
  PT_CHECK(force || !t.requires_grad(), kNeedsDetach);
  if (force && !t.device().is_cpu()) {
    const auto here = py::reinterpret_steal<py::object>(wrap(copy_to(t, t.dtype(), {})));
    return as_array(here.ptr(), false);
  }
  PT_CHECK_TYPE(t.device().is_cpu(), "can't convert ", to_text(t.device()),
                " device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
                "first.");
  PT_CHECK_TYPE(t.dtype() != DType::kBFloat16, "Got unsupported ScalarType BFloat16");
  auto plain = t.requires_grad() ? py::reinterpret_steal<py::object>(wrap(alias(t)))
                                 : py::reinterpret_borrow<py::object>(o);
  auto view = py::reinterpret_steal<py::object>(check(PyMemoryView_FromObject(plain.ptr())));
  return py::reinterpret_steal<py::object>(check(PyObject_CallOneArg(asarray, view.ptr())));
}

PyObject* method_numpy(PyObject* o, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&] {
    const MethodArgs a("numpy", {"force"}, 0, args, nargs, kwnames);
    return as_array(o, a.flag(0)).release().ptr();
  });
}

PyObject* method_array(PyObject* o, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&] {
    const MethodArgs a("__array__", {"dtype", "copy"}, 2, args, nargs, kwnames);
    const std::optional<bool> copy = a.optional_flag(1);
    const py::object shared = as_array(o, false);
    py::object out = shared;
    if (a.given(0)) {
      static PyObject* const asarray = numpy_function("asarray");
      out = py::reinterpret_steal<py::object>(
          check(PyObject_CallFunctionObjArgs(asarray, shared.ptr(), a[0], nullptr)));
    }
    const bool copied = !out.is(shared);
    PT_CHECK_VALUE(copy.value_or(true) || !copied,
                   "__array__(): the tensor's dtype differs, so a copy cannot be avoided");
    if (copy.value_or(false) && !copied) out = out.attr("copy")();
    return out.release().ptr();
  });
}

// NumPy functions of tensors return tensors.
PyObject* method_array_wrap(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&] {
    const MethodArgs a("__array_wrap__", {"array", "context", "return_scalar"}, 3, args, nargs,
                       kwnames);
    return wrap(tensor_from_buffer(a.required(0)));
  });
}

PyMethodDef buffer_methods[] = {
    fast_method("numpy", method_numpy, "An array that shares the tensor's memory."),
    fast_method("__array__", method_array, nullptr),
    fast_method("__array_wrap__", method_array_wrap, nullptr),
    {}};

}  // namespace

void init_buffer(py::module_& m) {
  add_tensor_methods(buffer_methods);
  // Above numpy's own, so that array scalars leave operators to the tensor.
  py::handle(reinterpret_cast<PyObject*>(tensor_type)).attr("__array_priority__") = 1000;
  init_dlpack(m);
}

}  // namespace pt::python
