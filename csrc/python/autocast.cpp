// The thread's autocast state for pytensor/amp: _C.autocast_state() and _C.set_autocast().
#include "op/autocast.h"
#include "python/autograd.h"
#include "python/method_args.h"

namespace pt::python {

namespace {

PyObject* get_state(PyObject*, PyObject*) {
  return guarded([]() -> PyObject* {
    const AutocastState& s = autocast_state();
    return py::make_tuple(s.enabled, s.dtype == DType::kBFloat16, s.cache_enabled, s.nesting)
        .release()
        .ptr();
  });
}

// set_autocast(enabled, is_bfloat16, cache_enabled, nesting): the outermost region's end empties
// the cache.
PyObject* set_state(PyObject*, PyObject* tuple) {
  return guarded([&]() -> PyObject* {
    int enabled, bfloat16, cache, nesting;
    if (!PyArg_ParseTuple(tuple, "pppi", &enabled, &bfloat16, &cache, &nesting))
      throw_python_error();
    set_autocast(
        {enabled != 0, cache != 0, bfloat16 ? DType::kBFloat16 : DType::kFloat16, nesting});
    if (nesting == 0) clear_autocast_cache();
    Py_RETURN_NONE;
  });
}

PyObject* clear_cache(PyObject*, PyObject*) {
  return guarded([]() -> PyObject* {
    clear_autocast_cache();
    Py_RETURN_NONE;
  });
}

PyMethodDef autocast_functions[] = {
    {"autocast_state", get_state, METH_NOARGS,
     "(enabled, is_bfloat16, cache_enabled, nesting) of this thread."},
    {"set_autocast", set_state, METH_VARARGS, nullptr},
    {"clear_autocast_cache", clear_cache, METH_NOARGS,
     "Forgets the casts of parameters kept for their next use."},
    {}};

}  // namespace

void init_autocast(py::module_& m) { add_functions(m, autocast_functions); }

}  // namespace pt::python
