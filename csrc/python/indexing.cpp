// x[key] and x[key] = value: Python keys to views and index ops.
//
// A key's ints, slices, None and Ellipsis become one view of self however many they are; index
// tensors, masks and lists are left for the index ops, applied to that view.
#include "ops/core_ops.h"
#include "ops/index/index.h"
#include "python/object.h"

namespace pt::python {

namespace {

// What basic indices make of a tensor: see basic_index in ops/index/index.h.
class Key {
 public:
  Key(const Tensor& self, PyObject* key);

  // Index tensors of the view, as the index ops take them.
  TensorList tensors() const { return tensors_; }
  bool has_tensors() const { return num_tensors_ > 0; }
  // The only index tensor if it is a bool mask.
  const Tensor* single_mask() const {
    const Tensor* last = tensors_.empty() ? nullptr : &tensors_.back();
    return num_tensors_ == 1 && (*last).dtype() == DType::kBool ? last : nullptr;
  }
  // The only index tensor is a bool: all of the view is selected, or nothing.
  bool is_bool() const { return num_tensors_ == 1 && num_bools_ == 1; }
  bool selects_nothing() const { return is_bool() && any_false_; }
  bool changed() const { return changed_; }
  Tensor view() const;

 private:
  void item(PyObject* o);
  void add_int(int64_t i);
  void add_slice(PyObject* o);
  void add_bool(bool b);
  void add_tensor(const Tensor& t);
  void keep_dims(int count);
  void push_tensor(Tensor t, int dims);
  void check_room(int count) const {
    PT_CHECK_INDEX(dim_ + count <= self_.dim(), "too many indices for tensor of dimension ",
                   self_.dim());
  }
  void push(int64_t dim, int64_t step, int64_t size) {
    PT_CHECK_INDEX(num_out_ < kMaxDims, "too many indices: a tensor has at most ", kMaxDims,
                   " dimensions");
    dims_[num_out_] = dim;
    steps_[num_out_] = step;
    sizes_[num_out_++] = size;
  }

  const Tensor& self_;
  int dim_ = 0;          // next dimension of self
  int num_out_ = 0;      // dimensions of the view so far
  int num_covered_ = 0;  // of them, those with an entry in tensors_
  int num_tensors_ = 0, num_bools_ = 0;
  bool any_false_ = false;
  bool changed_ = false;
  int64_t starts_[kMaxDims], dims_[kMaxDims], steps_[kMaxDims], sizes_[kMaxDims];
  std::vector<Tensor> tensors_;
};

bool is_plain_int(PyObject* o) { return PyLong_Check(o) && !PyBool_Check(o); }

int64_t int_value(PyObject* o) {
  int overflow = 0;
  const int64_t v = PyLong_AsLongLongAndOverflow(o, &overflow);
  PT_CHECK_VALUE(!overflow, "Overflow when unpacking long long");
  return v;
}

[[noreturn]] void raise_zero_dim() {
  raise(ErrorKind::kIndex,
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in "
        "C++ to convert a 0-dim tensor to a number");
}

int64_t checked_index(int64_t i, int64_t dim, int64_t size) {
  PT_CHECK_INDEX(i >= -size && i < size, "index ", i, " is out of bounds for dimension ", dim,
                 " with size ", size);
  return i < 0 ? i + size : i;
}

// One bound of a slice: integers of any size are clipped to int64.
int64_t slice_bound(PyObject* o) {
  PyObject* i = nullptr;
  if (PyLong_Check(o)) {
    i = Py_NewRef(o);
  } else if (PyIndex_Check(o)) {
    i = PyNumber_Index(o);
  }
  if (!i) {
    PyErr_Clear();
    raise(ErrorKind::kType, "slice indices must be integers or None or have an __index__ method");
  }
  int overflow = 0;
  const int64_t v = PyLong_AsLongLongAndOverflow(i, &overflow);
  Py_DECREF(i);
  return overflow > 0 ? INT64_MAX : overflow < 0 ? INT64_MIN : v;
}

struct SliceSpec {
  int64_t start, step, size;
};

SliceSpec read_slice(PyObject* o, int64_t n) {
  const auto* s = reinterpret_cast<PySliceObject*>(o);
  SliceSpec r{0, 1, 0};
  if (s->step != Py_None) {
    r.step = slice_bound(s->step);
    PT_CHECK_VALUE(r.step != 0, "slice step cannot be zero");
    PT_CHECK_VALUE(r.step > 0, "step must be greater than zero");
  }
  auto limit = [n](int64_t v) { return v < 0 ? (v + n < 0 ? 0 : v + n) : (v > n ? n : v); };
  if (s->start != Py_None) r.start = limit(slice_bound(s->start));
  const int64_t stop = s->stop != Py_None ? limit(slice_bound(s->stop)) : n;
  if (stop > r.start) r.size = (stop - r.start - 1) / r.step + 1;
  return r;
}

// What lists, arrays and ranges stand for as an index.
Tensor index_tensor(PyObject* o) {
  PT_CHECK_TYPE(!PyUnicode_Check(o) && !PyBytes_Check(o), "new(): invalid data type '",
                Py_TYPE(o)->tp_name, "'");
  Tensor t;
  if (PyRange_Check(o)) {
    PyObject* list = check(PySequence_List(o));
    const py::object owner = py::reinterpret_steal<py::object>(list);
    t = tensor_from_data(list, std::nullopt);
  } else {
    t = tensor_from_data(o, std::nullopt);
  }
  if (t.dtype() != DType::kBool && t.dtype() != DType::kUInt8 && t.dtype() != DType::kInt64)
    t = to_dtype(t, DType::kInt64);
  return t;
}

// A list that holds lists, slices, tensors... stands for the tuple of its items.
bool is_tuple_like(PyObject* o) {
  if (PyTuple_Check(o)) return true;
  if (!PyList_Check(o)) return false;
  const Py_ssize_t n = PyList_GET_SIZE(o);
  if (n >= 32) return false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PyList_GET_ITEM(o, i);
    if (is_tensor(item) || PyList_Check(item) || PyTuple_Check(item) || PySlice_Check(item) ||
        item == Py_Ellipsis || item == Py_None)
      return true;
  }
  return false;
}

bool is_mask(const Tensor& t) { return t.dtype() == DType::kBool || t.dtype() == DType::kUInt8; }

// Dimensions of self that an item of a key uses up.
int width(PyObject* o) {
  if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) return 0;
  if (!is_tensor(o)) return 1;
  const Tensor& t = as_tensor(o);
  return is_mask(t) ? t.dim() : 1;
}

// Keeps converted items alive while a key is read.
struct Items {
  std::vector<py::object> owned;
  std::vector<PyObject*> all;
};

// The items of a tuple key, lists and arrays replaced by tensors where they count as masks.
Items items_of(PyObject* key) {
  Items items;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(key);
  items.all.reserve(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(key, i);
    int64_t unused;
    const bool plain =
        is_tensor(o) || PyLong_Check(o) || PySlice_Check(o) || o == Py_None || o == Py_Ellipsis;
    if (!plain &&
        (PyUnicode_Check(o) || PyBytes_Check(o) || PySequence_Check(o) ||
         PyObject_CheckBuffer(o)) &&
        !to_int(o, unused)) {
      items.owned.push_back(py::reinterpret_steal<py::object>(wrap(index_tensor(o))));
      o = items.owned.back().ptr();
    }
    items.all.push_back(o);
  }
  return items;
}

Key::Key(const Tensor& self, PyObject* key) : self_(self) {
  if (!is_tuple_like(key)) {
    item(key);
    keep_dims(self_.dim() - dim_);
    return;
  }
  const Items items = items_of(key);
  int used = 0;
  for (PyObject* o : items.all) used += width(o);
  PT_CHECK_INDEX(used <= self_.dim(), "too many indices for tensor of dimension ", self_.dim());
  bool ellipsis = false;
  for (PyObject* o : items.all) {
    if (o == Py_Ellipsis) {
      if (!ellipsis) keep_dims(self_.dim() - used);
      ellipsis = true;
    } else {
      item(o);
    }
  }
  keep_dims(self_.dim() - dim_);
}

void Key::keep_dims(int count) {
  for (int i = 0; i < count; ++i, ++dim_) {
    starts_[dim_] = 0;
    push(dim_, 1, self_->sizes[dim_]);
  }
}

void Key::add_int(int64_t i) {
  if (self_.dim() == 0) raise_zero_dim();
  check_room(1);
  starts_[dim_] = checked_index(i, dim_, self_->sizes[dim_]);
  ++dim_;
  changed_ = true;
}

void Key::add_slice(PyObject* o) {
  PT_CHECK_INDEX(self_.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  check_room(1);
  const SliceSpec s = read_slice(o, self_->sizes[dim_]);
  starts_[dim_] = s.size ? s.start : 0;
  push(dim_, s.step, s.size);
  changed_ = true;
  ++dim_;
}

// Index tensor for the next `dims` dimensions of the view.
void Key::push_tensor(Tensor t, int dims) {
  tensors_.resize(tensors_.size() + static_cast<size_t>(num_out_ - num_covered_));
  tensors_.push_back(std::move(t));
  num_covered_ = num_out_ + dims;
  ++num_tensors_;
}

// A bool selects all or nothing of a new dimension of size 1.
void Key::add_bool(bool b) {
  Tensor t = empty_tensor(Dims{b ? 1 : 0}, DType::kInt64, Device());
  if (b) *t.data<int64_t>() = 0;
  push_tensor(std::move(t), 1);
  push(-1, 1, 1);
  changed_ = true;
  ++num_bools_;
  any_false_ = any_false_ || !b;
}

void Key::add_tensor(const Tensor& t) {
  if (t.dim() == 0 && is_integral(t.dtype(), true)) {
    if (is_mask(t)) {
      add_bool(t.item().to_bool());
      return;
    }
    PT_CHECK_INDEX(self_.dim() > 0, "too many indices for tensor of dimension 0");
    add_int(t.item().to_int());
    return;
  }
  PT_CHECK_INDEX(is_mask(t) || t.dtype() == DType::kInt64 || t.dtype() == DType::kInt32,
                 "tensors used as indices must be long, int, byte or bool tensors");
  const int count = is_mask(t) ? t.dim() : 1;
  check_room(count);
  push_tensor(t, count);
  keep_dims(count);
}

void Key::item(PyObject* o) {
  if (is_plain_int(o)) return add_int(int_value(o));
  if (PySlice_Check(o)) return add_slice(o);
  if (o == Py_Ellipsis) return keep_dims(self_.dim() - dim_);
  if (o == Py_None) {
    push(-1, 1, 1);
    changed_ = true;
    return;
  }
  if (PyBool_Check(o)) return add_bool(o == Py_True);
  if (is_tensor(o)) return add_tensor(as_tensor(o));
  int64_t i;
  if (to_int(o, i)) return add_int(i);
  PT_CHECK_INDEX(PyList_Check(o) || PyTuple_Check(o) || PyRange_Check(o) || PyUnicode_Check(o) ||
                     PyBytes_Check(o) || (PyObject_CheckBuffer(o) && PySequence_Check(o)),
                 "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables "
                 "are valid indices (got ",
                 Py_TYPE(o)->tp_name, ")");
  add_tensor(index_tensor(o));
}

Tensor Key::view() const {
  const auto n = static_cast<size_t>(num_out_);
  return basic_index(self_, IntList(starts_, static_cast<size_t>(self_.dim())), IntList(dims_, n),
                     IntList(steps_, n), IntList(sizes_, n));
}

Tensor select_first(const Tensor& self, PyObject* key) {
  if (self.dim() == 0) raise_zero_dim();
  return select(self, 0, int_value(key));
}

Tensor slice_first(const Tensor& self, PyObject* key) {
  PT_CHECK_INDEX(self.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  const SliceSpec s = read_slice(key, self->sizes[0]);
  return slice(self, 0, s.start, s.start + s.size * s.step, s.step);
}

// `value` without its leading dimensions of size 1.
Tensor without_leading_ones(const Tensor& value) {
  int ones = 0;
  while (ones < value.dim() && value->sizes[ones] == 1) ++ones;
  if (ones == 0) return value;
  return reshape(value, IntList(value.sizes()).subspan(static_cast<size_t>(ones)));
}

void assign(const Tensor& view, const Tensor& value) {
  const Tensor v = value.dim() > view.dim() ? without_leading_ones(value) : value;
  if (v.dim() == 0 || v->sizes == view->sizes) {
    copy_(view, v);
  } else {
    copy_(view, expand(v, IntList(view.sizes())));
  }
}

// A mask over dimensions in front of others, shaped to broadcast over these.
Tensor broadcastable(const Tensor& mask, const Tensor& view, int at) {
  for (int i = 0; i < mask.dim(); ++i)
    PT_CHECK_INDEX(mask->sizes[i] == view->sizes[at + i], "The shape of the mask ",
                   to_text(mask.sizes()), " at index ", i,
                   " does not match the shape of the indexed tensor ", to_text(view.sizes()),
                   " at index ", at + i);
  const int rest = view.dim() - at - mask.dim();
  if (rest == 0) return mask;
  Dims sizes(mask.dim() + rest, 1);
  for (int i = 0; i < mask.dim(); ++i) sizes[i] = mask->sizes[i];
  return reshape(mask, IntList(sizes));
}

// self[key] = value; `number` if value is not a tensor.
void assign_key(const Tensor& self, const Key& key, const Tensor* value, const Scalar& number) {
  if (key.selects_nothing()) return;
  const Tensor view = key.changed() ? key.view() : self;
  if (!key.has_tensors() || key.is_bool()) {
    if (value) {
      assign(view, *value);
    } else {
      fill_(view, number);
    }
    return;
  }
  const Tensor* mask = key.single_mask();
  if (mask && (!value || value->numel() == 1)) {
    const Tensor where = broadcastable(*mask, view, static_cast<int>(key.tensors().size()) - 1);
    if (value) {
      masked_fill_tensor_(view, where, without_leading_ones(*value));
    } else {
      masked_fill_(view, where, number);
    }
    return;
  }
  index_put_(view, key.tensors(),
             value ? without_leading_ones(*value) : scalar_tensor(number, self.dtype()));
}

}  // namespace

PyObject* index_get(PyObject* object, PyObject* key) {
  return guarded([&]() -> PyObject* {
    const Tensor& self = as_tensor(object);
    if (is_plain_int(key)) return wrap(select_first(self, key));
    if (PySlice_Check(key)) return wrap(slice_first(self, key));
    const Key k(self, key);
    if (k.has_tensors()) return wrap(index(k.changed() ? k.view() : self, k.tensors()));
    return wrap(k.changed() ? k.view() : alias_op(self));
  });
}

int index_set(PyObject* object, PyObject* key, PyObject* value) {
  return guarded([&]() -> int {
    const Tensor& self = as_tensor(object);
    PT_CHECK_TYPE(value, "Tensor does not support deleting items");
    Scalar number;
    const Tensor* tensor = is_tensor(value) ? &as_tensor(value) : nullptr;
    PT_CHECK_TYPE(tensor || to_scalar(value, number), "can't assign a ", Py_TYPE(value)->tp_name,
                  " to a ", legacy_type_name(self.dtype()));
    if (is_plain_int(key) || PySlice_Check(key)) {
      const Tensor view = PySlice_Check(key) ? slice_first(self, key) : select_first(self, key);
      if (tensor) {
        assign(view, *tensor);
      } else {
        fill_(view, number);
      }
      return 0;
    }
    assign_key(self, Key(self, key), tensor, number);
    return 0;
  });
}

}  // namespace pt::python
