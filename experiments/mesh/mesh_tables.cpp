#include "tarn/experiments/mesh/mesh_tables.hpp"

#include "tarn/experiments/mesh/mesh_trials.hpp"
#include "tarn/experiments/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tarn {

namespace {

constexpr std::array<const char*, 2> class_metrics = {"accuracy", "macro_f1"};
constexpr std::array<const char*, 3> part_metrics = {"face_accuracy", "area_weighted_accuracy", "mean_iou"};

std::span<const char* const> metrics_of(MeshTask task) {
  return task == MeshTask::classification ? std::span<const char* const>(class_metrics) : part_metrics;
}

std::vector<const Trial*> trials_of(const TrialSet& trials, const std::string& problem,
                                    const std::string& method) {
  std::vector<const Trial*> own;
  for (const Trial& trial : trials.trials) {
    if (axis_text(trial.axis("dataset")) == problem && axis_text(trial.axis("readout")) == method)
      own.push_back(&trial);
  }
  return own;
}

std::vector<double> column(const std::vector<const Trial*>& trials, const std::string& metric) {
  std::vector<double> values;
  for (const Trial* trial : trials) {
    if (const auto value = trial->metric(metric)) values.push_back(*value);
  }
  return values;
}

/// "83.1 ± 2.0", shares in percent.
std::string mean_and_deviation(const std::vector<double>& values) {
  if (values.empty()) return "-";
  const auto deviation = standard_deviation(values, Divisor::sample);
  const std::string centre = format_fixed(100 * mean(values), 1);
  return deviation ? centre + " ± " + format_fixed(100 * *deviation, 1) : centre;
}

std::string mean_text(const std::vector<double>& values, int decimals) {
  return values.empty() ? "-" : format_fixed(mean(values), decimals);
}

/// Scores of two methods on the partitions and seeds that both have.
struct Pairs {
  std::vector<double> method, baseline;
};

Pairs pairs_of(const std::vector<const Trial*>& method, const std::vector<const Trial*>& baseline,
               const std::string& metric) {
  Pairs pairs;
  for (const Trial* a : method) {
    for (const Trial* b : baseline) {
      if (!(a->axis("seed") == b->axis("seed")) || !(a->axis("fold") == b->axis("fold"))) continue;
      const auto x = a->metric(metric), y = b->metric(metric);
      if (!x || !y) continue;
      pairs.method.push_back(*x);
      pairs.baseline.push_back(*y);
    }
  }
  return pairs;
}

/// Test over training meshes of the first partition.
double test_share(const MeshProblem& problem) {
  const Fold& fold = problem.folds.front();
  return static_cast<double>(fold.test.size()) / static_cast<double>(fold.train.size());
}

class MeshTable {
 public:
  MeshTable(const TrialSet& trials, const MeshPlan& plan, const MeshRunData& data, MeshTask task)
      : trials_(trials),
        plan_(plan),
        data_(data),
        task_(task),
        baseline_(task == MeshTask::classification ? forest_baseline : majority_baseline),
        table_(
            fmt::format("{}, split {}: percent of the test meshes' {}, mean ± standard deviation over trials",
                        data.set.name, data.split, task == MeshTask::classification ? "number" : "faces"),
            columns()) {}

  Table make() {
    for (const MeshProblem& problem : data_.problems) {
      for (const std::string& method : plan_.run.readouts) add_row(problem, method);
    }
    if (data_.problems.size() > 1) add_means();
    table_.add_note(fmt::format(
        "p: corrected resampled t test against {} over seeds and partitions, with n_test/n_train = {} for "
        "shared training meshes. The scores of one partition are not independent, the test is "
        "approximate.",
        baseline_, format_number(test_share(data_.problems.front()))));
    return std::move(table_);
  }

 private:
  [[nodiscard]] std::vector<Column> columns() const {
    std::vector<Column> all{{task_ == MeshTask::classification ? "set" : "class", Align::left},
                            {"readout", Align::left}};
    for (const char* metric : metrics_of(task_)) all.push_back({metric});
    for (const char* title : {"trials", "difference", "t", "p", "parameters", "epochs", "s/epoch"})
      all.push_back({title});
    return all;
  }

  void add_row(const MeshProblem& problem, const std::string& method) {
    const std::vector<const Trial*> own = trials_of(trials_, problem.name, method);
    std::vector<Cell> cells{problem.name, method};
    for (const char* metric : metrics_of(task_)) cells.emplace_back(mean_and_deviation(column(own, metric)));
    cells.emplace_back(fmt::format("{}", own.size()));
    const Pairs pairs = method == baseline_
                            ? Pairs{}
                            : pairs_of(own, trials_of(trials_, problem.name, baseline_), mesh_metric(task_));
    add_test(cells, pairs, test_share(problem));
    cells.emplace_back(mean_text(column(own, "parameters"), 0));
    cells.emplace_back(mean_text(column(own, "epochs"), 0));
    cells.emplace_back(mean_text(column(own, "seconds_per_epoch"), 2));
    table_.add_row(std::move(cells));
  }

  static void add_test(std::vector<Cell>& cells, const Pairs& pairs, double share) {
    if (pairs.method.empty()) {
      for (int i = 0; i < 3; ++i) cells.emplace_back("-");
      return;
    }
    cells.emplace_back(format_fixed(100 * (mean(pairs.method) - mean(pairs.baseline)), 1));
    if (pairs.method.size() < 2) {
      cells.emplace_back("-");
      cells.emplace_back("-");
      return;
    }
    const PairedTest test = corrected_resampled_t_test(pairs.method, pairs.baseline, share);
    cells.emplace_back(test.statistic ? format_fixed(*test.statistic, 2) : "-");
    cells.emplace_back(format_p(test.p));
  }

  /// Means over the classes of their means.
  void add_means() {
    table_.add_rule();
    for (const std::string& method : plan_.run.readouts) {
      std::vector<Cell> cells{fmt::format("mean of {}", data_.problems.size()), method};
      for (const char* metric : metrics_of(task_)) {
        std::vector<double> means;
        for (const MeshProblem& problem : data_.problems) {
          const std::vector<double> values = column(trials_of(trials_, problem.name, method), metric);
          if (!values.empty()) means.push_back(mean(values));
        }
        cells.emplace_back(mean_and_deviation(means));
      }
      while (cells.size() < columns().size()) cells.emplace_back("-");
      table_.add_row(std::move(cells));
    }
    table_.add_note("The last rows are means of the classes' means, ± the standard deviation over classes.");
  }

  const TrialSet& trials_;
  const MeshPlan& plan_;
  const MeshRunData& data_;
  MeshTask task_;
  std::string baseline_;
  Table table_;
};

}  // namespace

Table mesh_table(const TrialSet& trials, const MeshPlan& plan, const MeshRunData& data, MeshTask task) {
  return MeshTable(trials, plan, data, task).make();
}

}  // namespace tarn
