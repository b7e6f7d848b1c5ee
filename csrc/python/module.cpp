// The extension module pytensor._C. pybind11 serves what is not hot; Tensor, its methods and the
// op functions are raw CPython (tensor_type.cpp, ops.cpp).
#include "core/parallel.h"
#include "core/precision.h"
#include "core/storage.h"
#include "cpu/bfloat16_unit.h"
#include "cpu/kernel_table.h"
#include "op/promote.h"
#include "python/tensor_type.h"

namespace pt::python {
namespace {

void init_settings(py::module_& m) {
  m.def("get_num_threads", &get_num_threads);
  m.def("set_num_threads", [](int n) {
    PT_CHECK(n >= 1, "set_num_threads expects a positive integer, got ", n);
    set_num_threads(n);
  });
  m.def("active_isa", [] { return isa_name(active_isa()); });
  m.def("bfloat16_unit", [] { return bfloat16_unit_name(bfloat16_unit()); });
  m.def("set_float32_precision",
        [](int level) { set_float32_precision(static_cast<Float32Precision>(level)); });
  m.def("convolution_tf32", &convolution_tf32);
  m.def("set_convolution_tf32", &set_convolution_tf32);
  m.def("cudnn_switch", [](int which) { return cudnn_switch(static_cast<CudnnSwitch>(which)); });
  m.def("set_cudnn_switch",
        [](int which, bool on) { set_cudnn_switch(static_cast<CudnnSwitch>(which), on); });
  m.def("set_winograd_tiles",
        [](int setting) { set_winograd_tiles(static_cast<WinogradTiles>(setting)); });
  m.def("get_default_dtype",
        [] { return py::reinterpret_steal<py::object>(dtype_object(default_dtype())); });
  m.def("set_default_dtype", [](py::object o) {
    DType t;
    PT_CHECK_TYPE(to_dtype(o.ptr(), t),
                  "invalid dtype object: only floating-point types are "
                  "supported as the default type");
    PT_CHECK_TYPE(is_floating(t), "only floating-point types are supported as the default type");
    set_default_dtype(t);
  });
  m.def("promote_types", [](py::object a, py::object b) {
    DType x, y;
    PT_CHECK_TYPE(to_dtype(a.ptr(), x) && to_dtype(b.ptr(), y),
                  "promote_types(): arguments must be torch.dtype");
    return py::reinterpret_steal<py::object>(dtype_object(promote_types(x, y)));
  });
  m.def("can_cast", [](py::object a, py::object b) {
    DType x, y;
    PT_CHECK_TYPE(to_dtype(a.ptr(), x) && to_dtype(b.ptr(), y),
                  "can_cast(): arguments must be torch.dtype");
    return can_cast(x, y);
  });
  m.def("result_type", [](py::object a, py::object b) {
    Value v[2];
    Tensor numbers[2];
    py::object* objects[] = {&a, &b};
    for (int i = 0; i < 2; ++i) {
      Scalar s;
      if (is_tensor(objects[i]->ptr())) {
        v[i] = Value::of(as_tensor(objects[i]->ptr()));
      } else {
        PT_CHECK_TYPE(to_scalar(objects[i]->ptr(), s),
                      "result_type(): arguments must be Tensor or Number");
        numbers[i] = wrapped_number(s);
        v[i] = Value::of(numbers[i]);
      }
    }
    return py::reinterpret_steal<py::object>(dtype_object(result_type(v)));
  });
}

}  // namespace
}  // namespace pt::python

PYBIND11_MODULE(_C, m) {
  using namespace pt::python;
  m.doc() = "The compiled core of pytensor.";
  m.attr("__version__") = PT_VERSION;
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const pt::Error&) {
      set_python_error();
    }
  });
  linalg_error = PyErr_NewException("pytensor.linalg.LinAlgError", PyExc_RuntimeError, nullptr);
  m.attr("LinAlgError") = py::handle(linalg_error);
  out_of_memory_error =
      PyErr_NewException("pytensor.OutOfMemoryError", PyExc_RuntimeError, nullptr);
  m.attr("OutOfMemoryError") = py::handle(out_of_memory_error);
  init_tensor_type(m);
  init_value_types(m);
  init_generator(m);
  init_ops(m);
  init_construct(m);
  init_buffer(m);
  init_autograd(m);
  init_device(m);
  init_files(m);
  init_settings(m);
}
