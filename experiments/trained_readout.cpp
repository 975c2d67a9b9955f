#include "tarn/experiments/trained_readout.hpp"

#include "tarn/core/checkpoint.hpp"
#include "tarn/core/errors.hpp"
#include "tarn/experiments/json.hpp"

#include <fmt/format.h>

namespace tarn {

Value ReadoutRecord::value() const {
  Value result;
  result.set("readout", readout);
  result.set("options", options);
  result.set("dim", dim);
  result.set("layer", layer);
  return result;
}

ReadoutRecord read_readout_record(const std::filesystem::path& checkpoint) {
  const Value meta = parse_json(read_checkpoint_meta(checkpoint), checkpoint.string());
  const Value* readout = meta.find_path("model.readout");
  const Value* options = meta.find_path("model.options");
  const Value* dim = meta.find_path("model.dim");
  const Value* layer = meta.find_path("model.layer");
  if (readout == nullptr || readout->string() == nullptr || options == nullptr || dim == nullptr ||
      dim->integer() == nullptr || layer == nullptr || layer->string() == nullptr) {
    throw DataError(fmt::format("{}: does not say which readout it holds; expected a checkpoint of a run",
                                checkpoint.string()));
  }
  return {*readout->string(), *options, *dim->integer(), *layer->string()};
}

inline namespace TARN_PRECISION {

std::unique_ptr<Readout> load_readout(const std::filesystem::path& checkpoint) {
  const ReadoutRecord record = read_readout_record(checkpoint);
  std::unique_ptr<Readout> readout = make_readout(record.readout, record.dim, record.options);
  load_checkpoint_part(checkpoint, "readout.", *readout);
  return readout;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
