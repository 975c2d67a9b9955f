#include "tarn/experiments/conform/golden_case.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/experiments/json.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace tarn {

namespace {

GoldenTensor read_golden_tensor(const h5::Dataset& data) {
  const h5::Type type = data.type();
  const bool real = type == h5::Type::f64 || type == h5::Type::f32 || type == h5::Type::f16;
  return {data.shape(), data.read<double>(), !real, real ? std::vector<Size>{} : data.read<Size>()};
}

/// Data sets below a group; names of nested groups are joined by '/'.
void read_tensors(const h5::Group& group, const std::string& prefix,
                  std::map<std::string, GoldenTensor>& into) {
  for (const std::string& name : group.children()) {
    if (group.kind(name) == h5::Kind::group) {
      read_tensors(group.group(name), prefix + name + "/", into);
    } else {
      into[prefix + name] = read_golden_tensor(group.dataset(name));
    }
  }
}

GoldenCase read_case(const std::string& file, const std::string& name, const h5::Group& group) {
  GoldenCase c;
  c.file = file;
  c.name = name;
  c.op = group.attribute<std::string>("operator");
  c.options = parse_json(group.attribute<std::string>("options"), c.where() + ": options");
  c.rtol = group.attribute<double>("rtol");
  c.atol = group.attribute<double>("atol");
  const std::pair<const char*, std::map<std::string, GoldenTensor>*> parts[] = {{"inputs", &c.inputs},
                                                                                {"parameters", &c.parameters},
                                                                                {"outputs", &c.outputs},
                                                                                {"cotangents", &c.cotangents},
                                                                                {"gradients", &c.gradients}};
  for (const auto& [part, tensors] : parts) {
    if (group.has(part)) read_tensors(group.group(part), "", *tensors);
  }
  return c;
}

}  // namespace

const GoldenTensor& GoldenCase::input(const std::string& input_name) const {
  const auto it = inputs.find(input_name);
  if (it == inputs.end())
    throw DataError(fmt::format("{}: no inputs/{}; expected by {}", where(), input_name, op));
  return it->second;
}

bool GoldenCase::training() const {
  const Value* v = options.find("training");
  return v != nullptr && v->boolean() != nullptr && *v->boolean();
}

Value GoldenCase::user_options() const {
  Value result{Value::Table{}};
  if (options.table() == nullptr) return result;
  for (const auto& [key, value] : *options.table()) {
    if (key != "training") result.set(key, value);
  }
  return result;
}

std::vector<GoldenCase> read_golden(const std::string& path) {
  const h5::File file = h5::File::open(path);
  const std::string shown = std::filesystem::path(path).filename().string();
  std::vector<GoldenCase> cases;
  for (const std::string& name : file.children()) cases.push_back(read_case(shown, name, file.group(name)));
  if (cases.empty()) throw DataError(fmt::format("{}: holds no cases; expected one group per case", path));
  return cases;
}

}  // namespace tarn
