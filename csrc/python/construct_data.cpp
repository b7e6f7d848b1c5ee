// tensor_from_data(): reads (nested) Python numbers, arrays and tensors into a new tensor. The
// shape is that of the first elements, the dtype that where all elements meet; both come before
// the single pass that stores the elements. Sequences may run foreign code, so nothing borrowed
// from a list is held over such a call.
#include <cstring>
#include <limits>

#include "op/copy.h"
#include "op/promote.h"
#include "python/buffer.h"
#include "python/tensor_type.h"

namespace pt::python {

namespace {

bool is_text(PyObject* o) { return PyUnicode_Check(o) || PyBytes_Check(o) || PyByteArray_Check(o); }
[[noreturn]] void raise_text(PyObject* o) {
  raise(ErrorKind::kType, "new(): invalid data type '", Py_TYPE(o)->tp_name, "'");
}

// The dtype of a NumPy scalar. Raises for those of unsupported types; false for other objects.
bool numpy_scalar_dtype(PyObject* o, DType& out) {
  struct Name {
    const char* name;
    DType dtype;
  };
  static constexpr Name kNames[] = {
      {"bool", DType::kBool},       {"bool_", DType::kBool},     {"uint8", DType::kUInt8},
      {"int8", DType::kInt8},       {"int16", DType::kInt16},    {"int32", DType::kInt32},
      {"int64", DType::kInt64},     {"longlong", DType::kInt64}, {"float16", DType::kFloat16},
      {"float32", DType::kFloat32}, {"float64", DType::kFloat64}};
  static PyTypeObject* last_type = nullptr;  // lists mostly hold scalars of one type
  static DType last_dtype;
  PyTypeObject* type = Py_TYPE(o);
  if (type == last_type) {
    out = last_dtype;
    return true;
  }
  const char* name = type->tp_name;
  if (std::strncmp(name, "numpy.", 6) != 0 || is_numpy_array(o)) return false;
  for (const Name& n : kNames) {
    if (std::strcmp(name + 6, n.name) != 0) continue;
    last_type = type;
    out = last_dtype = n.dtype;
    return true;
  }
  if (PyNumber_Check(o)) raise_unsupported_array(name);
  return false;
}

// A tensor over an array's memory; undefined if it has no such form (negative strides and the
// like), so that it is read as a sequence.
Tensor shared_array(PyObject* o) {
  try {
    return tensor_from_buffer(o);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kValue) throw;
    return {};
  }
}

// Lists and tuples themselves, other sequences as a new list.
py::object as_items(PyObject* o) {
  if (PyList_Check(o) || PyTuple_Check(o)) return py::reinterpret_borrow<py::object>(o);
  PT_CHECK_TYPE(PySequence_Check(o) && !is_text(o) && !(is_tensor(o) && as_tensor(o).dim() == 0),
                "not a sequence");
  return py::reinterpret_steal<py::object>(check(PySequence_List(o)));
}

struct Shape {
  int ndim = 0;
  int64_t sizes[kMaxDims];
  void push(int64_t n, PyObject* o) {
    PT_CHECK_VALUE(ndim < kMaxDims, "too many dimensions '", Py_TYPE(o)->tp_name, "'");
    sizes[ndim++] = n;
  }
};

// Follows the first elements down.
void find_shape(PyObject* data, Shape& shape) {
  auto o = py::reinterpret_borrow<py::object>(data);
  for (;;) {
    PyObject* p = o.ptr();
    if (PyFloat_Check(p) || PyLong_Check(p) || is_tensor(p)) return;
    if (is_text(p)) {
      PT_CHECK_VALUE(PySequence_Size(p) <= 0, "too many dimensions '", Py_TYPE(p)->tp_name, "'");
      return;
    }
    if (is_numpy_array(p)) {
      const py::tuple sizes = o.attr("shape");
      for (py::handle n : sizes) shape.push(n.cast<int64_t>(), p);
      return;
    }
    if (!PySequence_Check(p)) return;
    const Py_ssize_t n = PySequence_Size(p);
    if (n < 0) throw_python_error();
    shape.push(n, p);
    if (n == 0) return;
    o = py::reinterpret_steal<py::object>(check(PySequence_GetItem(p, 0)));
  }
}

// --- dtype ---------------------------------------------------------------------------------------

// Collects the types of all elements down to a depth.
class DTypeScan {
 public:
  explicit DTypeScan(int ndim) : ndim_(ndim) {}

  void scan(PyObject* o, int depth) {
    PyTypeObject* type = Py_TYPE(o);
    if (type == &PyFloat_Type) {
      floats_ = true;
    } else if (type == &PyLong_Type) {
      ints_ = true;
    } else if (type == &PyBool_Type) {
      bools_ = true;
    } else if (type == &PyList_Type || type == &PyTuple_Type) {
      scan_items(o, depth);
    } else {
      scan_other(o, depth);
    }
  }

  DType result() const {
    std::optional<DType> t = other_;
    auto add = [&t](DType d) { t = t ? promote_types(*t, d) : d; };
    if (bools_) add(DType::kBool);
    if (ints_) add(DType::kInt64);
    if (floats_ || !t) add(default_dtype());
    return *t;
  }

 private:
  void merge(DType t) { other_ = other_ ? promote_types(*other_, t) : t; }

  void scan_items(PyObject* seq, int depth) {
    if (depth >= ndim_) return;  // deeper than the shape: storing it will raise
    if (PySequence_Fast_GET_SIZE(seq) == 0) floats_ = true;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(seq); ++i) {
      PyObject* item = Py_NewRef(PySequence_Fast_GET_ITEM(seq, i));
      const auto held = py::reinterpret_steal<py::object>(item);
      scan(item, depth + 1);
    }
  }

  void scan_other(PyObject* o, int depth) {
    DType t;
    if (is_tensor(o)) {
      merge(as_tensor(o).dtype());
    } else if (is_text(o)) {
      raise_text(o);
    } else if (numpy_scalar_dtype(o, t)) {
      merge(t);
    } else if (PyFloat_Check(o)) {
      floats_ = true;
    } else if (PyLong_Check(o)) {
      ints_ = true;
    } else if (PyComplex_Check(o)) {
      raise(ErrorKind::kType, "tensor(): complex numbers are not supported");
    } else {
      if (is_numpy_array(o)) {
        if (const Tensor array = shared_array(o); array.defined()) return merge(array.dtype());
      }
      PT_CHECK(PySequence_Check(o), "Could not infer dtype of ", Py_TYPE(o)->tp_name);
      if (depth < ndim_) scan_items(as_items(o).ptr(), depth);
    }
  }

  const int ndim_;
  bool bools_ = false, ints_ = false, floats_ = false;
  std::optional<DType> other_;
};

// --- elements ------------------------------------------------------------------------------------

template <class T>
[[noreturn]] void raise_overflow() {
  raise(ErrorKind::kRuntime, "value cannot be converted to type ", dtype_name(dtype_of<T>),
        " without overflow");
}

template <class T>
T from_double(double v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v != 0;
  } else if constexpr (is_half(dtype_of<T>)) {
    return T(static_cast<float>(v));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(v);
  } else {
    // 2^63 is a double, the largest int64 is not.
    constexpr T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    const bool fits = sizeof(T) == 8 ? v < 0x1p63 : v <= static_cast<double>(high);
    if (!fits || !(v >= static_cast<double>(low))) raise_overflow<T>();
    return static_cast<T>(v);
  }
}

template <class T>
T from_int(int64_t v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v != 0;
  } else if constexpr (is_floating(dtype_of<T>)) {
    return from_double<T>(static_cast<double>(v));
  } else if constexpr (sizeof(T) == 8) {
    return v;
  } else {
    constexpr int64_t high = std::numeric_limits<T>::max();
    constexpr int64_t low = std::is_signed_v<T> ? std::numeric_limits<T>::min() : -high;
    if (v < low || v > high) raise_overflow<T>();
    return static_cast<T>(v);
  }
}

template <class T>
T from_scalar_value(const Scalar& s) {
  return s.is_float() ? from_double<T>(s.to_double()) : from_int<T>(s.to_int());
}

template <class T>
T from_long(PyObject* o) {
  int overflow = 0;
  const int64_t v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (!overflow) [[likely]]
    return from_int<T>(v);
  if constexpr (std::is_same_v<T, bool>) {
    return true;
  } else if constexpr (is_floating(dtype_of<T>)) {
    const double d = PyLong_AsDouble(o);
    if (d == -1.0 && PyErr_Occurred()) throw_python_error();
    return from_double<T>(d);
  } else {
    raise(ErrorKind::kValue, "Overflow when unpacking long long");
  }
}

// Everything that is neither float nor int.
template <class T>
__attribute__((noinline)) T from_other(PyObject* o) {
  Scalar s;
  if (is_tensor(o)) {
    const Tensor& t = as_tensor(o);
    PT_CHECK_VALUE(t.numel() == 1, "only one element tensors can be converted to Python scalars");
    return from_scalar_value<T>(t.item());
  }
  if (is_numpy_array(o)) {
    const Tensor t = tensor_from_buffer(o);
    PT_CHECK_TYPE(t.dim() == 0, "only 0-dimensional arrays can be converted to Python scalars");
    return from_scalar_value<T>(t.item());
  }
  if (to_scalar(o, s)) return from_scalar_value<T>(s);
  if constexpr (is_floating(dtype_of<T>)) {
    const double d = PyFloat_AsDouble(o);
    if (d == -1.0 && PyErr_Occurred()) throw_python_error();
    return from_double<T>(d);
  } else {
    return from_long<T>(py::reinterpret_steal<py::object>(check(PyNumber_Index(o))).ptr());
  }
}

template <class T>
T element(PyObject* o) {
  if (PyFloat_Check(o)) return from_double<T>(PyFloat_AS_DOUBLE(o));
  if (PyLong_Check(o)) return from_long<T>(o);
  const auto held = py::reinterpret_borrow<py::object>(o);
  return from_other<T>(o);
}

// Stores the elements in row-major order.
template <class T>
class Reader {
 public:
  Reader(const Shape& shape, const Tensor& out)
      : shape_(shape), tensor_(out), out_(out.data<T>()) {}

  void read(PyObject* o, int depth) {
    if (depth == shape_.ndim) {
      *out_++ = element<T>(o);
      return;
    }
    if (!PyList_Check(o) && !PyTuple_Check(o) && is_numpy_array(o) && read_array(o, depth)) return;
    const py::object items = as_items(o);
    PyObject* seq = items.ptr();
    const int64_t n = shape_.sizes[depth];
    check_size(PySequence_Fast_GET_SIZE(seq), depth);
    const bool last = depth + 1 == shape_.ndim;
    for (Py_ssize_t i = 0; i < n; ++i) {
      check_size(PySequence_Fast_GET_SIZE(seq), depth);  // foreign code may have changed it
      PyObject* item = PySequence_Fast_GET_ITEM(seq, i);
      if (last) {
        *out_++ = element<T>(item);
      } else {
        const auto held = py::reinterpret_borrow<py::object>(item);
        read(item, depth + 1);
      }
    }
  }

 private:
  void check_size(int64_t got, int depth) const {
    PT_CHECK_VALUE(got == shape_.sizes[depth], "expected sequence of length ", shape_.sizes[depth],
                   " at dim ", depth, " (got ", got, ")");
  }

  bool read_array(PyObject* o, int depth) {
    const Tensor src = shared_array(o);
    if (!src.defined()) return false;
    const int rest = shape_.ndim - depth;
    PT_CHECK_TYPE(src.dim() >= rest, "not a sequence");
    PT_CHECK_TYPE(src.dim() == rest,
                  "only 0-dimensional arrays can be converted to Python scalars");
    for (int i = 0; i < rest; ++i) check_size(src->sizes[i], depth + i);
    if (src.numel() == 0) return true;
    copy_into(
        make_view(tensor_, src.sizes(), contiguous_strides(src.sizes()), out_ - tensor_.data<T>()),
        src);
    out_ += src.numel();
    return true;
  }

  const Shape& shape_;
  const Tensor& tensor_;
  T* out_;
};

// A copy in the dtype asked for; memory is never shared.
Tensor copied_as(const Tensor& t, std::optional<DType> dtype) {
  return dtype && *dtype != t.dtype() ? cast_to(t, *dtype) : copy_of(t);
}

Tensor read_data(PyObject* data, std::optional<DType> dtype) {
  if (is_tensor(data)) return copied_as(as_tensor(data), dtype);
  if (is_text(data)) raise_text(data);
  if (is_numpy_array(data)) return copied_as(tensor_from_buffer(data), dtype);
  Shape shape;
  find_shape(data, shape);
  if (!dtype) {
    DTypeScan scan(shape.ndim);
    scan.scan(data, 0);
    dtype = scan.result();
  }
  PT_CHECK_TYPE(!is_complex(*dtype), "tensor(): dtype ", dtype_name(*dtype), " is not supported");
  Tensor out = empty_tensor({shape.sizes, static_cast<size_t>(shape.ndim)}, *dtype);
  visit_dtype(*dtype, [&](auto tag) {
    // Nothing to store; a sequence may still be ragged below an empty one, which PyTorch accepts.
    if (out.numel() > 0) Reader<decltype(tag)>(shape, out).read(data, 0);
  });
  return out;
}

}  // namespace

Tensor tensor_from_data(PyObject* data, std::optional<DType> dtype) {
  Tensor t = read_data(data, dtype);
  t->set(TensorImpl::kInference, thread_modes.inference);
  return t;
}

}  // namespace pt::python
