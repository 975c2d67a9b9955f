#include "tarn/core/errors.hpp"
#include "tarn/datasets/graphs/chord_graphs.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/stress_texts.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/verbs/catalogue.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <array>

namespace tarn::verbs {

int generate(const GenerateArguments& arguments, Console& console) {
  static const std::array<std::string, 2> kinds = {"stress", "graphs"};
  Value given{Value::Table{}};
  apply_overrides(given, arguments.overrides);
  if (arguments.kind == "stress") {
    const std::vector<StressText> texts =
        generate_stress_texts(read_options<StressOptions>(given, "generate stress"));
    write_stress_texts(texts, std::filesystem::path(arguments.out));
    console.note(fmt::format("{}: {} texts written", arguments.out, texts.size()));
  } else if (arguments.kind == "graphs") {
    const GraphRecords records =
        generate_chord_graphs(read_options<ChordGraphOptions>(given, "generate graphs"));
    write_graph_store(arguments.out, records);
    console.note(fmt::format("{}: {} graphs written", arguments.out, records.num_graphs()));
  } else {
    throw ConfigError(
        fmt::format("generate: unknown kind '{}'{}", arguments.kind, suggestion(arguments.kind, kinds)));
  }
  return 0;
}

std::string generate_keys() {
  return "stress, " + key_lines(describe_options<StressOptions>()) + "graphs, " +
         key_lines(describe_options<ChordGraphOptions>());
}

}  // namespace tarn::verbs
