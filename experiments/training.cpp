#include "tarn/experiments/training.hpp"

#include "tarn/core/checkpoint.hpp"
#include "tarn/experiments/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tarn {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double seconds_between_checkpoints = 1;

EpochRecord read_record(const Value& value) {
  EpochRecord record;
  for (const auto& [name, entry] : *value.table()) {
    const double number = entry.number().value_or(std::nan(""));
    if (name == "epoch") {
      record.epoch = static_cast<Size>(number);
    } else if (name == "steps") {
      record.steps = static_cast<Size>(number);
    } else if (name == "loss") {
      record.loss = number;
    } else if (name == "seconds") {
      record.seconds = number;
    } else {
      record.metrics.set(name, number);
    }
  }
  return record;
}

std::vector<EpochRecord> read_history(const std::string& meta, const fs::path& path) {
  const Value value = parse_json(meta, path.string());
  const Value* epochs = value.find("epochs");
  if (epochs == nullptr || epochs->list() == nullptr) {
    throw DataError(fmt::format("{}: holds no epochs; expected the checkpoint of a training", path.string()));
  }
  std::vector<EpochRecord> history;
  for (const Value& record : *epochs->list()) history.push_back(read_record(record));
  return history;
}

std::string write_history(const Value& model, const std::vector<EpochRecord>& epochs) {
  Value::List records;
  for (const EpochRecord& record : epochs) records.push_back(record.value());
  Value meta;
  meta.set("model", model);
  meta.set("epochs", std::move(records));
  return to_json(meta);
}

const EpochRecord& best_of(const std::vector<EpochRecord>& epochs, std::string_view metric) {
  return *std::max_element(epochs.begin(), epochs.end(), [&](const EpochRecord& a, const EpochRecord& b) {
    return a.metrics.at(metric) < b.metrics.at(metric);
  });
}

}  // namespace

Value EpochRecord::value() const {
  Value result;
  result.set("epoch", epoch);
  result.set("steps", steps);
  result.set("loss", loss);
  result.set("seconds", seconds);
  for (const auto& [name, metric] : metrics.values()) result.set(name, metric);
  return result;
}

const EpochRecord& TrainingHistory::best(std::string_view metric) const {
  return best_of(epochs, metric);
}

const EpochRecord* TrainingHistory::first_above(std::string_view metric, double goal) const {
  const auto found = std::find_if(epochs.begin(), epochs.end(),
                                  [&](const EpochRecord& e) { return e.metrics.at(metric) > goal; });
  return found == epochs.end() ? nullptr : &*found;
}

double TrainingHistory::seconds_per_epoch() const {
  double total = 0;
  for (const EpochRecord& record : epochs) total += record.seconds;
  return total / static_cast<double>(epochs.size());
}

void TrainingHooks::check_interruption() const {
  if (!interrupted || !interrupted()) return;
  throw Interrupted("interrupted; the same command goes on from the last checkpoint");
}

void require_finite_loss(double loss, Size step, double lr) {
  if (std::isfinite(loss)) return;
  throw DivergedError(
      fmt::format("training: the loss is {} at step {}; expected a finite number (a lower lr "
                  "than {} may help)",
                  loss, step, lr));
}

void require_finite_predictions(std::span<const double> predictions, Size steps, double lr) {
  if (std::all_of(predictions.begin(), predictions.end(), [](double p) { return std::isfinite(p); })) return;
  throw DivergedError(
      fmt::format("training: the model leaves the finite numbers after step {}; expected finite "
                  "outputs (a lower lr than {} may help)",
                  steps, lr));
}

Size checkpointed_epochs(const fs::path& folder) {
  const fs::path path = folder / "last.h5";
  if (!fs::exists(path)) return 0;
  return static_cast<Size>(read_history(read_checkpoint_meta(path), path).size());
}

inline namespace TARN_PRECISION {

namespace {

class EpochRunner {
 public:
  EpochRunner(const EpochLoop& loop, const TrainingHooks& hooks) : loop_(loop), hooks_(hooks) {}

  std::vector<EpochRecord> run() {
    start();
    bool enough = ended();
    while (!enough) {
      records_.push_back(loop_.epoch(static_cast<Size>(records_.size()) + 1));
      if (hooks_.epoch_done) hooks_.epoch_done(records_.back());
      enough = ended();
      save(enough);
    }
    if (loop_.best == BestEpoch::restore && !is_best(records_.back())) restore_state();
    return std::move(records_);
  }

 private:
  [[nodiscard]] fs::path last() const { return hooks_.checkpoints / "last.h5"; }
  [[nodiscard]] fs::path best() const { return hooks_.checkpoints / "best.h5"; }
  [[nodiscard]] bool is_best(const EpochRecord& record) const {
    return &best_of(records_, loop_.best_metric) == &record;
  }

  void start() {
    if (hooks_.checkpoints.empty() || !fs::exists(last())) {
      loop_.init();
      return;
    }
    if (loop_.best == BestEpoch::restore && fs::exists(best())) {
      static_cast<void>(load_checkpoint(best(), loop_.model, nullptr));
      keep_state();
    }
    records_ = read_history(load_checkpoint(last(), loop_.model, &loop_.optimiser), last());
  }

  [[nodiscard]] bool ended() const {
    if (static_cast<Size>(records_.size()) >= loop_.epochs) return true;
    return loop_.enough && !records_.empty() && loop_.enough(records_);
  }

  void save(bool at_end) {
    const bool improved = loop_.best != BestEpoch::ignore && is_best(records_.back());
    if (improved && loop_.best == BestEpoch::restore) keep_state();
    if (hooks_.checkpoints.empty()) return;
    fs::create_directories(hooks_.checkpoints);
    if (improved) save_checkpoint(best(), loop_.model, nullptr, write_history(hooks_.model, records_));
    const double since = std::chrono::duration<double>(Clock::now() - saved_).count();
    if (!at_end && since < seconds_between_checkpoints) return;
    save_checkpoint(last(), loop_.model, &loop_.optimiser, write_history(hooks_.model, records_));
    saved_ = Clock::now();
  }

  void keep_state() {
    best_state_.clear();
    for (const auto& [name, p] : loop_.model.state()) best_state_.push_back(p->value.clone());
  }

  void restore_state() {
    std::size_t i = 0;
    for (const auto& [name, p] : loop_.model.state()) {
      const std::span<const Real> kept = best_state_[i++].flat();
      std::copy(kept.begin(), kept.end(), p->value.flat().begin());
    }
  }

  const EpochLoop& loop_;
  const TrainingHooks& hooks_;
  std::vector<EpochRecord> records_;
  std::vector<Tensor> best_state_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace

std::vector<EpochRecord> run_epochs(const EpochLoop& loop, const TrainingHooks& hooks) {
  return EpochRunner(loop, hooks).run();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
