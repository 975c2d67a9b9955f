#include "tarn/core/checkpoint.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr const char* format_name = "tarn-checkpoint";
constexpr std::int64_t format_version = 1;

using Tensors = std::vector<std::pair<std::string, Tensor*>>;

Tensors tensors_of(Module& module) {
  Tensors result;
  for (const auto& [name, parameter] : module.state()) result.emplace_back(name, &parameter->value);
  return result;
}

void write_tensors(h5::File& file, const std::string& group_name, const Tensors& tensors) {
  h5::Group group = file.create_group(group_name);
  for (const auto& [name, tensor] : tensors) h5::write_tensor(group, name, *tensor);
}

/// Reads the tensors of a group whose names begin with `prefix`, all of which must be wanted.
void read_tensors(const h5::File& file, const std::string& group_name, const Tensors& tensors,
                  const std::string& prefix = {}) {
  const h5::Group group = file.group(group_name);
  const std::vector<std::string> stored = group.children();
  for (const std::string& name : stored) {
    const bool known =
        !name.starts_with(prefix) ||
        std::any_of(tensors.begin(), tensors.end(), [&](const auto& t) { return prefix + t.first == name; });
    if (!known)
      throw DataError(
          fmt::format("{}/{}: unknown here; expected the tensors of this model", group.where(), name));
  }
  for (const auto& [name, tensor] : tensors) {
    const h5::Dataset data = group.dataset(prefix + name);
    if (!(data.shape() == tensor->shape())) {
      throw DataError(fmt::format("{}: has shape {}; expected {}", data.where(), data.shape().text(),
                                  tensor->shape().text()));
    }
    const Tensor read = h5::read_tensor(data);
    std::copy(read.flat().begin(), read.flat().end(), tensor->flat().begin());
  }
}

h5::File open_checkpoint(const std::filesystem::path& path) {
  h5::File file = h5::File::open(path);
  if (h5::format_of(file) != format_name) {
    throw DataError(
        fmt::format("{}: is no checkpoint; expected attribute format = {}", path.string(), format_name));
  }
  const auto version = file.attribute<std::int64_t>("version");
  if (version > format_version) {
    throw DataError(
        fmt::format("{}: has version {}; expected at most {}", path.string(), version, format_version));
  }
  return file;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, Module& module, Optimiser* optimiser,
                     const std::string& meta) {
  h5::write_atomically(path, [&](h5::File& file) {
    file.set_attribute("format", format_name);
    file.set_attribute("version", format_version);
    file.set_attribute("meta", meta);
    write_tensors(file, "parameters", tensors_of(module));
    if (optimiser != nullptr) {
      write_tensors(file, "optimiser", optimiser->state());
      file.set_attribute("steps", std::int64_t{optimiser->steps()});
    }
  });
}

std::string read_checkpoint_meta(const std::filesystem::path& path) {
  return open_checkpoint(path).attribute<std::string>("meta");
}

std::string load_checkpoint(const std::filesystem::path& path, Module& module, Optimiser* optimiser) {
  const h5::File file = open_checkpoint(path);
  read_tensors(file, "parameters", tensors_of(module));
  if (optimiser != nullptr) {
    read_tensors(file, "optimiser", optimiser->state());
    optimiser->set_steps(file.attribute<std::int64_t>("steps"));
  }
  return file.attribute<std::string>("meta");
}

void load_checkpoint_part(const std::filesystem::path& path, const std::string& prefix, Module& module) {
  read_tensors(open_checkpoint(path), "parameters", tensors_of(module), prefix);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
