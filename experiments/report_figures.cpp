#include "tarn/experiments/report_figures.hpp"

#include "tarn/experiments/plot/interval_plot.hpp"
#include "tarn/experiments/plot/line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tarn {

namespace {

double scale_of(const std::string& metric) {
  return is_share(metric) ? 100 : 1;
}

std::string axis_title(const std::string& metric) {
  return is_share(metric) ? metric + " in percent" : metric;
}

std::string titled(const std::string& what, const std::string& where) {
  return where.empty() ? what : fmt::format("{} ({})", what, where);
}

bool numeric_columns(const Comparison& comparison) {
  return comparison.columns.size() > 1 && std::all_of(comparison.columns.begin(), comparison.columns.end(),
                                                      [](const Value& v) { return v.number().has_value(); });
}

plot::Series metric_line(const Comparison& comparison, std::size_t method, Styles& styles) {
  plot::Series line{.name = comparison.methods[method], .style = styles.of(comparison.methods[method])};
  const double scale = scale_of(comparison.metric);
  for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
    const std::vector<double> values = comparison.cells[method][c].values(comparison.metric);
    if (values.empty()) continue;
    line.x.push_back(*comparison.columns[c].number());
    line.y.push_back(scale * mean(values));
    line.low.push_back(scale * *std::min_element(values.begin(), values.end()));
    line.high.push_back(scale * *std::max_element(values.begin(), values.end()));
  }
  return line;
}

/// Which x a line of metrics.jsonl stands at.
std::string step_axis(const TrialSet& epochs) {
  for (const char* name : {"steps", "step", "epoch"}) {
    if (std::find(epochs.metrics.begin(), epochs.metrics.end(), name) != epochs.metrics.end()) return name;
  }
  return "";
}

/// Mean over the trials at each step, band from the lowest to the highest.
plot::Series training_line(const ComparedCell& cell, const std::string& step, const std::string& metric) {
  std::map<double, std::vector<double>> at;
  for (const Trial* line : cell.trials) {
    const auto x = line->metric(step), y = line->metric(metric);
    if (x && y) at[*x].push_back(*y);
  }
  plot::Series series;
  for (const auto& [x, values] : at) {
    series.x.push_back(x);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    series.y.push_back(scale_of(metric) * mean(values));
    series.low.push_back(scale_of(metric) * *low);
    series.high.push_back(scale_of(metric) * *high);
  }
  return series;
}

/// Readouts trained for 600 steps and heads trained for 12,000 share one picture only on a logarithmic axis.
plot::Scale step_scale(const std::vector<plot::Series>& lines) {
  double shortest = INFINITY, longest = 0;
  for (const plot::Series& line : lines) {
    if (line.x.empty()) continue;
    if (line.x.front() <= 0) return plot::Scale::linear;
    shortest = std::min(shortest, line.x.back());
    longest = std::max(longest, line.x.back());
  }
  return longest > 5 * shortest ? plot::Scale::logarithmic : plot::Scale::linear;
}

/// More lines than one picture can show become several pictures of about as many lines each.
std::vector<plot::LineChart> split_lines(plot::LineChart chart) {
  constexpr std::size_t most_lines = 12;
  const std::vector<plot::Series> lines = std::move(chart.series);
  const std::size_t parts = (lines.size() + most_lines - 1) / most_lines;
  chart.x_scale = step_scale(lines);
  std::vector<plot::LineChart> charts;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto at = [&](std::size_t p) {
      return lines.begin() + static_cast<std::ptrdiff_t>(lines.size() * p / parts);
    };
    chart.series.assign(at(part), at(part + 1));
    charts.push_back(chart);
  }
  return charts;
}

}  // namespace

Size Styles::of(const std::string& method) {
  const auto it = std::find(methods_.begin(), methods_.end(), method);
  const auto index = it - methods_.begin();
  if (it == methods_.end()) methods_.push_back(method);
  return index;
}

Styles styles_for(const std::vector<Comparison>& results, const std::vector<Comparison>& epochs) {
  Styles styles;
  const auto use = [&](const std::string& method) { static_cast<void>(styles.of(method)); };
  for (const Comparison& comparison : results) {
    for (const std::size_t reference : references_of(comparison)) use(comparison.methods[reference]);
  }
  for (const std::vector<Comparison>* list : {&epochs, &results}) {
    for (const Comparison& comparison : *list)
      std::for_each(comparison.methods.begin(), comparison.methods.end(), use);
  }
  return styles;
}

namespace {

/// Errors so far apart that the small ones would be one line at the bottom.
bool spans_decades(const std::vector<plot::Series>& series) {
  double low = INFINITY, high = 0;
  for (const plot::Series& s : series) {
    for (const double y : s.y) {
      if (!std::isfinite(y)) continue;
      low = std::min(low, y);
      high = std::max(high, y);
    }
  }
  return low > 0 && high >= 20 * low;
}

}  // namespace

std::vector<Figure> metric_curves(const std::vector<Comparison>& comparisons, Styles& styles) {
  std::vector<Figure> figures;
  for (const Comparison& comparison : comparisons) {
    if (!numeric_columns(comparison)) continue;
    plot::LineChart chart{.title = titled(comparison.metric, comparison.title),
                          .x_label = comparison.column_axis,
                          .y_label = axis_title(comparison.metric)};
    for (const Value& column : comparison.columns) chart.x_ticks.push_back(*column.number());
    for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
      chart.series.push_back(metric_line(comparison, m, styles));
    }
    if (is_lower_better(comparison.metric) && spans_decades(chart.series))
      chart.y_scale = plot::Scale::logarithmic;
    figures.push_back({fmt::format("{}-{}.svg", comparison.metric, figures.size() + 1),
                       fmt::format("{} against {}: mean of the trials, band from the lowest to the highest.",
                                   comparison.metric, comparison.column_axis),
                       draw(chart)});
  }
  return figures;
}

std::vector<Figure> difference_plots(const std::vector<Comparison>& comparisons, Styles& styles,
                                     const TestOptions& options) {
  std::vector<Figure> figures;
  for (const Comparison& comparison : comparisons) {
    const std::vector<PairedComparison> tests = test_methods(comparison, options);
    const double scale = scale_of(comparison.metric);
    plot::IntervalPlot picture{
        .title = titled(comparison.metric + ": difference from the reference", comparison.title),
        .x_label = scale == 100 ? "difference in points" : "difference",
        .reference = 0};
    if (scale == 100) picture.limits = Interval{-100, 100};
    std::size_t column = comparison.columns.size(), reference = comparison.methods.size();
    for (const PairedComparison& t : tests) {
      if (t.test.count < 2) continue;
      if (t.column != column || t.reference != reference) {
        const std::string against = "against " + comparison.methods[t.reference];
        picture.rows.push_back({comparison.column_axis.empty()
                                    ? against
                                    : fmt::format("{} {}, {}", comparison.column_axis,
                                                  comparison.column_title(t.column), against)});
      }
      column = t.column;
      reference = t.reference;
      plot::IntervalRow row{comparison.methods[t.method], scale * t.test.mean_difference, std::nullopt,
                            styles.of(comparison.methods[t.method])};
      if (t.test.interval)
        row.interval = Interval{scale * t.test.interval->low, scale * t.test.interval->high};
      picture.rows.push_back(std::move(row));
    }
    if (picture.rows.empty()) continue;
    figures.push_back(
        {fmt::format("difference-{}.svg", figures.size() + 1),
         fmt::format(
             "Mean paired difference from the reference with its 95 % t interval; left of the dashed line "
             "is {} than the reference.{}",
             is_lower_better(comparison.metric) ? "better" : "worse",
             scale == 100 ? " An arrow marks an interval that goes beyond 100 points." : ""),
         draw(picture)});
  }
  return figures;
}

std::vector<Figure> fold_plots(const std::vector<Comparison>& comparisons, Styles& styles) {
  std::vector<Figure> figures;
  for (const Comparison& comparison : comparisons) {
    const double scale = scale_of(comparison.metric);
    plot::IntervalPlot picture{.title = titled(comparison.metric + " of single trials", comparison.title),
                               .x_label = axis_title(comparison.metric)};
    if (is_share(comparison.metric)) picture.limits = Interval{-100, 100};
    const bool has_curves = numeric_columns(comparison);
    for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
      bool headed = comparison.column_axis.empty();
      for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
        const ComparedCell& cell = comparison.cells[m][c];
        std::vector<double> values = cell.values(comparison.metric);
        if (values.size() < 2) continue;
        if (has_curves && axis_text(cell.trials.front()->axis("fold")).empty()) continue;
        for (double& v : values) v *= scale;
        if (!headed) picture.rows.push_back({comparison.column_axis + " " + comparison.column_title(c)});
        headed = true;
        picture.rows.push_back({comparison.methods[m], mean(values), t_interval(values),
                                styles.of(comparison.methods[m]), values});
      }
    }
    if (picture.rows.empty()) continue;
    figures.push_back({fmt::format("folds-{}.svg", figures.size() + 1),
                       "Pale: single folds or seeds. Mark and bar: their mean with its 95 % t interval.",
                       draw(picture)});
  }
  return figures;
}

std::vector<Figure> training_curves(const TrialSet& epochs, const std::string& metric, Styles& styles) {
  const std::string step = step_axis(epochs);
  if (step.empty()) return {};
  std::vector<Figure> figures;
  for (const Comparison& comparison : compare(epochs, metric)) {
    const std::string& shown = comparison.metric;
    for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
      std::string where = comparison.title;
      if (!comparison.column_axis.empty()) {
        where += fmt::format("{}{} {}", where.empty() ? "" : ", ", comparison.column_axis,
                             comparison.column_title(c));
      }
      plot::LineChart chart{.title = where.empty() ? shown : where,
                            .x_label = step,
                            .y_label = axis_title(shown),
                            .width = 460,
                            .height = 300};
      for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
        plot::Series line = training_line(comparison.cells[m][c], step, shown);
        if (line.x.empty()) continue;
        line.name = comparison.methods[m];
        line.style = styles.of(line.name);
        chart.series.push_back(std::move(line));
      }
      const std::string caption =
          fmt::format("{} against {}, mean and range of the trials.",
                      shown == "loss" ? "Training loss" : shown + " on the evaluation data", step);
      for (plot::LineChart& part : split_lines(std::move(chart)))
        figures.push_back({fmt::format("training-{}.svg", figures.size() + 1), caption, draw(part)});
    }
  }
  return figures;
}

std::vector<Figure> run_pictures(const std::vector<RunRecord>& runs) {
  constexpr std::size_t most = 24;
  std::vector<Figure> figures;
  for (const RunRecord& run : runs) {
    for (const RunPicture& picture : run.pictures) {
      if (figures.size() == most) return figures;
      figures.push_back({fmt::format("picture-{}.svg", figures.size() + 1), picture.caption,
                         picture_svg(run.path, picture)});
    }
  }
  return figures;
}

std::vector<Figure> sample_pictures(const std::vector<SampleText>& samples) {
  std::vector<Figure> figures;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const SampleText& sample = samples[i];
    if (!sample.cosine.empty()) {
      figures.push_back(
          {fmt::format("cosine-{}.svg", i + 1),
           "Cosine between the states of one text's tokens. Red: the needle's words. Blue: pooled "
           "vectors beside the tokens.",
           draw_heat_map(titled("Cosine between tokens", sample.title), sample.tokens, sample.cosine)});
    }
    if (!sample.weights.empty()) {
      figures.push_back({fmt::format("weights-{}.svg", i + 1),
                         "Share of the pooled vector that each token has. Red: the needle's words.",
                         draw_token_weights(titled("Which tokens each readout weighs", sample.title),
                                            sample.tokens, sample.weights)});
    }
  }
  return figures;
}

}  // namespace tarn
