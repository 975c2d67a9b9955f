#include "tarn/experiments/stress_report.hpp"

#include "tarn/experiments/sample_picture.hpp"
#include "tarn/experiments/statistics.hpp"
#include "tarn/experiments/stress_data.hpp"
#include "tarn/experiments/text_notes.hpp"

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

/// The first evaluation text of a setting.
SampleText make_sample(const StressPlan& plan, const StressCase& setting) {
  if (setting.encoder == StressEncoder::store) {
    const TokenStore store = TokenStore::open(stress_store_path(plan, setting));
    return read_sample(store.split("validation"), 0, LayerSelection::parse(plan.data.layers));
  }
  const StressText text = make_stress_texts(plan, setting).evaluation.front();
  SampleText sample{.x = make_stress_encoder(plan.options, setting.encoder).encode(text.words),
                    .tokens = token_names(text.words),
                    .marked = {},
                    .label = static_cast<double>(text.label)};
  for (const Size position : text.needle) sample.marked.push_back(token_row(position));
  return sample;
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
      standard_error_note(trials),
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

Value stress_sample(const StressPlan& plan, const RunDirectory& run) {
  const StressRunOptions& o = plan.options;
  const StressCase setting{o.mode, o.encoder, *std::max_element(o.ratios.begin(), o.ratios.end()),
                           o.seeds.front()};
  std::vector<SampleReadout> readouts;
  for (const StressTrial& trial : plan.trials) {
    if (!(trial.setting == setting) || trial.control || !learns(trial.plan, 8)) continue;
    readouts.push_back({trial.plan.readout, run.checkpoints(trial.axes()) / "last.h5"});
  }
  const SampleText sample = make_sample(plan, setting);
  return sample_picture(sample, readouts,
                        fmt::format("first evaluation text, ratio {}, seed {}, label {}", setting.ratio,
                                    setting.seed, sample.label));
}

}  // namespace tarn
