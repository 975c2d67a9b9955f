#include "tarn/experiments/stress_report.hpp"

#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/stress_data.hpp"
#include "tarn/experiments/trained_readout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tarn {

namespace {

constexpr double reached = 0.97;
constexpr double near_chance = 0.56;
constexpr double clear_fall = 0.03;

std::string percent(double share) {
  return fmt::format("{:.1f}", 100 * share);
}

/// Trials of one part of the run, asked by readout, graph and ratio.
class Part {
 public:
  Part(const TrialSet& set, const StressPlan& plan, StressMode mode, StressEncoder encoder) {
    const auto is = [](const Trial& trial, const char* axis, auto value) {
      return axis_text(trial.axis(axis)) == enum_names(value)[static_cast<std::size_t>(value)];
    };
    for (const Trial& trial : set.trials) {
      if (is(trial, "mode", mode) && is(trial, "encoder", encoder)) trials_.push_back(&trial);
    }
    for (const StressTrial& trial : plan.trials) {
      if (!trial.control && !learns(trial.plan, 8)) fixed_.push_back(trial.plan.readout);
    }
  }

  /// Mean over seeds, and over ratios unless one is given; nothing where a trial lacks the metric.
  [[nodiscard]] std::optional<double> mean_of(const std::string& readout, const std::string& metric,
                                              std::optional<double> ratio = {},
                                              const std::string& graph = "") const {
    std::vector<double> values;
    for (const Trial* trial : trials_) {
      if (axis_text(trial->axis("readout")) != readout) continue;
      if (ratio && trial->axis("ratio").number() != ratio) continue;
      if (!graph.empty() && axis_text(trial->axis("graph")) != graph) continue;
      const std::optional<double> value = trial->metric(metric);
      if (!value) return std::nullopt;
      values.push_back(*value);
    }
    if (values.empty()) return std::nullopt;
    return mean(values);
  }

  /// Readouts without parameters, each once.
  [[nodiscard]] std::vector<std::string> fixed() const {
    std::vector<std::string> names;
    for (const Trial* trial : trials_) {
      const std::string name = axis_text(trial->axis("readout"));
      const bool known = std::find(names.begin(), names.end(), name) != names.end();
      if (!known && std::find(fixed_.begin(), fixed_.end(), name) != fixed_.end()) names.push_back(name);
    }
    return names;
  }
  [[nodiscard]] const std::vector<const Trial*>& trials() const { return trials_; }

 private:
  std::vector<const Trial*> trials_;
  std::vector<std::string> fixed_;
};

std::string error_note(const TrialSet& set) {
  std::size_t count = 0;
  for (const Trial& trial : set.trials)
    count = std::max(count, unpack_correct(trial.correct.empty() ? "0:" : trial.correct).size());
  if (count == 0) return "";
  const auto error = [&](double p) { return 100 * std::sqrt(p * (1 - p) / static_cast<double>(count)); };
  return fmt::format(
      "Accuracy after the last epoch. {} evaluation texts: one standard error is {:.1f} points at 50 %, "
      "{:.1f} at 99 %. "
      "The best epoch is chosen on the evaluation texts, which is worth about 2 points at chance level.",
      count, error(0.5), error(0.99));
}

std::string dilution_note(const Part& part, double low, double high) {
  std::string falls;
  for (const std::string& readout : part.fixed()) {
    const auto before = part.mean_of(readout, "accuracy", low),
               after = part.mean_of(readout, "accuracy", high);
    if (!before || !after || *before - *after < clear_fall) continue;
    falls += fmt::format("{}{} from {} to {} %", falls.empty() ? "" : ", ", readout, percent(*before),
                         percent(*after));
  }
  if (falls.empty()) return "";
  return fmt::format("On these texts dilution hurts fixed readouts badly. From ratio {} to {}: {}.", low,
                     high, falls);
}

std::string learned_note(const Part& part, double high) {
  const auto adapool = part.mean_of("adapool", "accuracy", high),
             glot = part.mean_of("glot", "accuracy", high);
  if (adapool >= reached) {
    return fmt::format(
        "A learned token weight is enough to undo it when states are contextual and training is long enough: "
        "adapool "
        "reaches {} % at ratio {}.",
        percent(*adapool), high);
  }
  if (!adapool || !glot || *glot >= reached) return "";
  return fmt::format(
      "With this budget neither adapool ({} %) nor glot ({} %) passes 97 % at ratio {}: it cannot tell which "
      "of them is "
      "better.",
      percent(*adapool), percent(*glot), high);
}

std::string speed_note(const Part& part) {
  const auto adapool = part.mean_of("adapool", "epochs_to_97"), glot = part.mean_of("glot", "epochs_to_97");
  const auto cheap = part.mean_of("adapool", "seconds_per_epoch"),
             dear = part.mean_of("glot", "seconds_per_epoch");
  if (!adapool || !glot || *glot >= *adapool) return "";
  return fmt::format("glot passes 97 % in fewer epochs than adapool ({:.1f} against {:.1f} on average){}.",
                     *glot, *adapool, *dear > 2 * *cheap ? ", each several times dearer" : "");
}

std::string structure_note(const Part& part) {
  const auto window = part.mean_of("glot", "accuracy", {}, "window");
  double low = 1, high = 0;
  for (const Trial* trial : part.trials()) {
    if (axis_text(trial->axis("graph")) == "window") continue;
    const auto value =
        part.mean_of(axis_text(trial->axis("readout")), "accuracy", {}, axis_text(trial->axis("graph")));
    low = std::min(low, value.value_or(0));
    high = std::max(high, value.value_or(1));
  }
  if (!(window >= reached) || high > near_chance) return "";
  return fmt::format(
      "A graph was needed only where the relation was not inside single states: in the structure test glot "
      "over a "
      "window reaches {} %, all other rows stay between {} and {} %. One window, one tau and one learning "
      "rate were "
      "tried.",
      percent(*window), percent(low), percent(high));
}

Value::List numbers(const std::vector<double>& values) {
  Value::List list;
  for (const double v : values) list.emplace_back(std::round(v * 1e5) / 1e5);
  return list;
}

/// A text with its states, as the pictures want it.
struct Sample {
  Tensor x;
  std::vector<std::string> tokens;
  std::vector<Size> needle;
  Size label = 0;
};

Sample make_sample(const StressPlan& plan, const StressCase& setting) {
  if (setting.encoder != StressEncoder::store) {
    const StressText text = make_stress_texts(plan, setting).evaluation.front();
    Sample sample{make_stress_encoder(plan.options, setting.encoder).encode(text.words),
                  token_names(text.words),
                  {},
                  text.label};
    for (const Size position : text.needle) sample.needle.push_back(token_row(position));
    return sample;
  }
  const TokenStore store = TokenStore::open(stress_store_path(plan, setting));
  const TokenSplit split = store.split("validation");
  const std::vector<Size> first{0};
  Sample sample{split.read(first, 0, LayerSelection::parse(plan.data.layers)).x,
                split.tokens(0),
                {},
                static_cast<Size>(split.label(0))};
  sample.tokens.resize(static_cast<std::size_t>(sample.x.shape().rows()), "?");
  const std::vector<std::uint8_t> flags = split.flags(0);
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if ((flags[i] & 4U) != 0) sample.needle.push_back(static_cast<Size>(i));
  }
  return sample;
}

/// Vectors of the width of a token, drawn beside the tokens: [MEAN], [MAX], and under a readout's name the
/// mean of the tokens by its weights.
struct PooledRows {
  std::vector<std::string> names;
  std::vector<Real> values;

  void add(const std::string& name, const std::vector<double>& row) {
    names.push_back(name);
    values.insert(values.end(), row.begin(), row.end());
  }
};

std::vector<double> weighted_mean(ConstMatrixView x, const std::vector<double>& weights) {
  std::vector<double> row(static_cast<std::size_t>(x.cols), 0);
  for (Size i = 0; i < x.rows; ++i) {
    for (Size j = 0; j < x.cols; ++j)
      row[static_cast<std::size_t>(j)] += weights[static_cast<std::size_t>(i)] * x(i, j);
  }
  return row;
}

PooledRows fixed_rows(ConstMatrixView x) {
  const auto rows = static_cast<std::size_t>(x.rows);
  std::vector<double> highest(x.row(0), x.row(0) + x.cols);
  for (Size i = 1; i < x.rows; ++i) {
    for (Size j = 0; j < x.cols; ++j) {
      double& value = highest[static_cast<std::size_t>(j)];
      value = std::max<double>(value, x(i, j));
    }
  }
  PooledRows pooled;
  pooled.add("[MEAN]", weighted_mean(x, std::vector<double>(rows, 1 / static_cast<double>(rows))));
  pooled.add("[MAX]", highest);
  return pooled;
}

/// The tokens' states with the pooled rows below them.
Tensor with_pooled(const Tensor& x, const PooledRows& pooled) {
  const std::span<const Real> flat = x.flat();
  std::vector<Real> values(flat.begin(), flat.end());
  values.insert(values.end(), pooled.values.begin(), pooled.values.end());
  return {{x.shape().rows() + static_cast<Size>(pooled.names.size()), x.shape().cols()}, values};
}

Value::List cosines_of(ConstMatrixView x) {
  Value::List rows;
  for (Size i = 0; i < x.rows; ++i) {
    std::vector<double> row;
    for (Size j = 0; j < x.rows; ++j) {
      row.push_back(row_cosines(x.row_block(i, i + 1), x.row_block(j, j + 1)).front());
    }
    rows.emplace_back(numbers(row));
  }
  return rows;
}

/// What a readout weighs; empty for one without weights.
std::vector<double> weights_of(Readout& readout, const Tensor& x) {
  Tape tape;
  const Pooled pooled = readout.forward({.x = tape.input(x), .sets = Segments::uniform(1, x.shape().rows())});
  if (!pooled.weights.given()) return {};
  const std::span<const Real> flat = pooled.weights.value().flat();
  return {flat.begin(), flat.end()};
}

}  // namespace

std::string stress_self_check(const StressPlan& plan) {
  if (plan.options.encoder == StressEncoder::store) return "";
  std::string out;
  std::vector<StressCase> seen;
  for (const StressTrial& trial : plan.trials) {
    const StressCase& setting = trial.setting;
    if (setting.seed != plan.options.seeds.front() ||
        std::find(seen.begin(), seen.end(), setting) != seen.end())
      continue;
    seen.push_back(setting);
    const StressTexts texts = make_stress_texts(plan, setting);
    out += fmt::format("{} {}, seed {}: {}", enum_names(setting.mode)[static_cast<std::size_t>(setting.mode)],
                       setting.ratio, setting.seed, check_stress_texts(texts.train, texts.evaluation).text());
  }
  return out;
}

std::vector<std::string> stress_warnings(const StressPlan& plan, const TrialSet& trials) {
  if (plan.options.mode != StressMode::official) return {};
  const Part part(trials, plan, plan.options.mode, plan.options.encoder);
  std::string reached_by_length;
  for (const double ratio : plan.options.ratios) {
    const auto value = part.mean_of("length-only", "accuracy", ratio);
    if (value)
      reached_by_length +=
          fmt::format("{}{} % at ratio {}", reached_by_length.empty() ? "" : ", ", percent(*value), ratio);
  }
  return {fmt::format(
      "mode official gives its label away by the length of the text: knowing the number of tokens alone is "
      "right for {}; no accuracy below shows that a readout found the clause",
      reached_by_length)};
}

std::vector<std::string> stress_notes(const StressPlan& plan, const TrialSet& trials) {
  const Part dilution(trials, plan, plan.options.mode, plan.options.encoder);
  const Part structure(trials, plan, StressMode::relational, StressEncoder::raw);
  const auto [low, high] = std::minmax_element(plan.options.ratios.begin(), plan.options.ratios.end());
  std::vector<std::string> notes{
      error_note(trials),
      "length-only and bag-of-words read no states: what they reach needs no readout.",
  };
  if (plan.options.encoder != StressEncoder::store) {
    notes.emplace_back(
        "States come from the embedded synthetic encoder, whose scope head is put in by hand: accuracy here "
        "says "
        "nothing about language.");
  }
  notes.push_back(dilution_note(dilution, *low, *high));
  notes.push_back(learned_note(dilution, *high));
  notes.push_back(speed_note(dilution));
  if (plan.options.structure.value_or(false)) notes.push_back(structure_note(structure));
  notes.erase(std::remove(notes.begin(), notes.end(), ""), notes.end());
  return notes;
}

std::string ceiling_table(const TrialSet& trials) {
  std::string out;
  for (const Comparison& comparison : compare(trials, "accuracy")) {
    std::vector<Column> columns{{"readout", Align::left}};
    for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
      columns.push_back({fmt::format("{} {}", comparison.column_axis, comparison.column_title(c))});
    }
    Table table(fmt::format("linear head, in brackets the best linear head, percent: {}", comparison.title),
                columns);
    for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
      std::vector<Cell> row{comparison.methods[m]};
      for (const ComparedCell& cell : comparison.cells[m]) {
        const std::vector<double> trained = cell.values("accuracy"), best = cell.values("logistic_accuracy");
        if (trained.empty() || best.empty() || cell.values("steps").empty()) break;
        row.emplace_back(fmt::format("{} ({})", percent(mean(trained)), percent(mean(best))));
      }
      if (row.size() == columns.size()) table.add_row(std::move(row));
    }
    if (table.num_rows() == 0) continue;
    table.add_note(
        "The best linear head is a converged logistic regression on standardised features: the fair ceiling "
        "of a "
        "readout without parameters.");
    out += table.text() + "\n";
  }
  return out;
}

Value stress_sample(const StressPlan& plan, const RunDirectory& run) {
  const StressRunOptions& o = plan.options;
  const StressCase setting{o.mode, o.encoder, *std::max_element(o.ratios.begin(), o.ratios.end()),
                           o.seeds.front()};
  Sample sample = make_sample(plan, setting);
  PooledRows pooled = fixed_rows(sample.x.matrix());
  std::vector<std::pair<std::string, std::vector<double>>> shares;
  for (const StressTrial& trial : plan.trials) {
    if (!(trial.setting == setting) || trial.control || !learns(trial.plan, 8)) continue;
    const std::filesystem::path checkpoint = run.checkpoints(trial.axes()) / "last.h5";
    if (!std::filesystem::exists(checkpoint)) continue;
    const std::vector<double> own = weights_of(*load_readout(checkpoint), sample.x);
    if (own.empty()) continue;
    pooled.add(trial.plan.readout, weighted_mean(sample.x.matrix(), own));
    shares.emplace_back(trial.plan.readout, own);
  }
  Value::List pooled_rows;
  for (const std::string& name : pooled.names) {
    pooled_rows.emplace_back(static_cast<Size>(sample.tokens.size()));
    sample.tokens.push_back(name);
  }
  Value weights{Value::Table{}};
  for (auto& [readout, own] : shares) {
    own.resize(sample.tokens.size(), 0);
    weights.set(readout, numbers(own));
  }
  Value result;
  result.set("title", fmt::format("first evaluation text, ratio {}, seed {}, label {}", setting.ratio,
                                  setting.seed, sample.label));
  result.set("tokens", Value::List(sample.tokens.begin(), sample.tokens.end()));
  result.set("needle", Value::List(sample.needle.begin(), sample.needle.end()));
  result.set("pooled", pooled_rows);
  result.set("cosine", cosines_of(with_pooled(sample.x, pooled).matrix()));
  result.set("weights", weights);
  return result;
}

}  // namespace tarn
