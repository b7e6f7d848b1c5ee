// The registry: collects definitions, derives in-place variants and aliases, and finishes what a
// definition left to be derived from its schema (defaults, node name, save rules).
#include <charconv>
#include <cmath>
#include <map>

#include "op/define.h"

namespace pt {

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Lists in defaults live as long as the process.
Value default_list(std::string_view text) {
  auto* numbers = new std::vector<int64_t>;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto item = trim(text.substr(0, comma));
    int64_t n = 0;
    std::from_chars(item.data(), item.data() + item.size(), n);
    numbers->push_back(n);
    text = comma == text.npos ? std::string_view{} : text.substr(comma + 1);
  }
  return Value::of(IntList(*numbers));
}

Value default_value(const Param& p) {
  const std::string_view t = p.default_text;
  if (!p.has_default || t == "None") return Value();
  if (t == "True") return Value::of(true);
  if (t == "False") return Value::of(false);
  if (t == "inf") return Value::of(INFINITY);
  if (t.front() == '\'') return Value::of(t.substr(1, t.size() - 2));
  if (t.front() == '[') return default_list(t);
  if (p.type == Type::kIntList) {
    int64_t n = 0;
    std::from_chars(t.data(), t.data() + t.size(), n);
    auto* numbers = new std::vector<int64_t>(static_cast<size_t>(std::max(1, p.list_size)), n);
    return Value::of(IntList(*numbers));
  }
  if (p.type == Type::kFloat || t.find_first_of(".e") != t.npos) {
    return Value::of(std::stod(std::string(t)));
  }
  int64_t n = 0;
  const auto r = std::from_chars(t.data(), t.data() + t.size(), n);
  PT_CHECK(r.ec == std::errc() && r.ptr == t.data() + t.size(), "schema: bad default '", t, "'");
  return Value::of(n);
}

std::string camel_case(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      out += upper ? static_cast<char>(std::toupper(c)) : c;
      upper = false;
    }
  }
  return out;
}

std::map<std::string, OverloadSet*, std::less<>>& by_name() {
  static std::map<std::string, OverloadSet*, std::less<>> names;
  return names;
}

}  // namespace

namespace define_detail {

void finish(OpInfo& op, const Schema& schema) {
  op.schema = &schema;
  op.name = schema.name;
  for (int i = 0; i < schema.num_params; ++i) {
    op.defaults[i] = default_value(schema.params[i]);
    op.takes_device |= schema.params[i].type == Type::kDevice;
  }
}

void set_saves(OpInfo& op, const char* rules) {
  std::string_view text = rules;
  auto index_of = [&](std::string_view name) -> int8_t {
    for (int i = 0; i < op.schema->num_params; ++i)
      if (op.schema->params[i].name == name) return static_cast<int8_t>(i);
    if (name.starts_with("result")) {
      const auto digit = name.substr(6);
      return static_cast<int8_t>(-1 - (digit.empty() ? 0 : digit[0] - '0'));
    }
    raise(ErrorKind::kRuntime, "op ", op.name, ": saves(\"", rules, "\") names no parameter '",
          name, "'");
  };
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto item = trim(text.substr(0, comma));
    text = comma == text.npos ? std::string_view{} : text.substr(comma + 1);
    SaveRule rule;
    if (item.starts_with("shape:")) {
      rule.shape_only = true;
      item = item.substr(6);
    }
    const auto at = item.find('@');
    if (at != item.npos) rule.needs = index_of(item.substr(at + 1));
    rule.param = index_of(item.substr(0, at));
    op.saves.push_back(rule);
  }
}

}  // namespace define_detail

Registry& Registry::get() {
  static Registry registry;
  return registry;
}

void Registry::add_to_set(const std::string& name, const OpInfo* op) {
  OverloadSet*& set = by_name()[name];
  if (!set) {
    set = new OverloadSet{name, {}};
    sets_.push_back(set);
  }
  set->ops.push_back(op);
}

void Registry::add(OpInfo* op) {
  if (op->node_name.empty()) {
    const OverloadSet* set = find(op->name);
    op->node_name = camel_case(op->name) + "Backward" + std::to_string(set ? set->ops.size() : 0);
  }
  add_to_set(op->name, op);
  for (const std::string& alias : op->aliases) add_to_set(alias, op);
  if (op->has_inplace) {
    auto* variant = new OpInfo(*op);
    variant->variant = Variant::kInplace;
    variant->functional = op;
    variant->name = op->inplace_name.empty() ? op->name + "_" : op->inplace_name;
    variant->has_inplace = variant->has_out = false;
    variant->samples.clear();
    if (op->inplace_only) {
      variant->internal = false;
      variant->as_method = true;
    }
    op->inplace = variant;
    add_to_set(variant->name, variant);
    for (const std::string& alias : op->aliases) add_to_set(alias + "_", variant);
  }
}

const OverloadSet* Registry::find(std::string_view name) const {
  const auto it = by_name().find(name);
  return it == by_name().end() ? nullptr : it->second;
}

}  // namespace pt
