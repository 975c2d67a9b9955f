#include "tarn/pooling/layer_pools/histograph.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/per_set.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/segment_first_max.hpp"
#include "tarn/core/ops/slice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

/// P_{l,2k} = sin(l / 10000^(2k/D)), P_{l,2k+1} = cos of the same; the last column of an odd D is a sine.
double sinusoid(Size layer, Size column, Size dim) {
  const double k = static_cast<double>(column / 2);
  const double angle = static_cast<double>(layer) / std::pow(10000.0, 2 * k / static_cast<double>(dim));
  return column % 2 == 0 ? std::sin(angle) : std::cos(angle);
}

/// b on every one of the rows, [rows, D].
Var repeat_row(Tape& tape, Var b, Size rows) {
  const Shape shape{rows, b.shape().count()};
  const MatrixView zeros = tape.allocate(shape);
  std::fill_n(zeros.data, zeros.size(), Real{0});
  return add_row(tape.input(zeros, shape), b);
}

bool all_finite(ConstMatrixView m) {
  for (Size i = 0; i < m.rows; ++i) {
    for (const Real v : m.row_span(i)) {
      if (!std::isfinite(v)) return false;
    }
  }
  return true;
}

/// Throws if a number of the history is not finite, naming the first by node and layer. Only asked where a
/// result is suspect: sums of finite numbers may overflow.
void require_finite(const HistoryInput& in) {
  for (Size v = 0; v < in.sets.num_rows(); ++v) {
    for (std::size_t l = 0; l < in.layers.size(); ++l) {
      for (const Real x : in.layers[l].value().row_span(v)) {
        if (std::isfinite(x)) continue;
        throw ValueError(fmt::format(
            "histograph: history of node {}, layer {} holds {}; expected finite numbers", v, l, x));
      }
    }
  }
}

}  // namespace

void HistographOptions::fields(Fields& f) {
  HistoryOptions::fields(f);
  f("dim", dim, at_least(1), "width of the result");
  f("projection", projection, "how the layers come to that width");
  f("positional", positional, "encoding of the layer's number");
  f("layer_attention", layer_attention, "learned weights of layers; false: 1 / layers");
  f("qk_bias", qk_bias, "biases of query and key of the layer attention");
  f("normalization", normalization, "how mean scores become weights");
  f("eps", eps, above(0), "guard of division and absolute");
  f("scope", scope, "over what scores are averaged");
  f("values", values, "whether the weights sum layers with their encoding");
  f("node_attention", node_attention, "self-attention over the nodes of a graph");
  f("heads", heads, at_least(1), "heads of the node attention; divides dim");
  f("residual", residual, "add the input of the node attention and of the feed-forward block; recommended");
  f("layer_norm", layer_norm, "layer norm after each; recommended");
  f("norm_eps", norm_eps, above(0), "eps of these norms");
  f("feed_forward", feed_forward, at_least(0), "hidden width of a feed-forward block; 0: none");
  f("dropout", dropout, in_range(0, 1), "on node attention weights and the feed-forward block, in training");
  f("readout", readout, "how the nodes of a graph are joined");
}

inline namespace TARN_PRECISION {

Histograph::Histograph(const Options& o) : o_(o), widths_(o.widths("histograph")) {
  check_options(o, "histograph");
  check();
  if (o.projection == HistoryProjection::shared) {
    embed_ = &child("embed", std::make_unique<Linear>(widths_[0], o.dim));
  }
  for (std::size_t l = 0; o.projection == HistoryProjection::per_layer && l < widths_.size(); ++l) {
    embeds_.push_back(&child(fmt::format("embed.{}", l), std::make_unique<Linear>(widths_[l], o.dim)));
  }
  if (o.positional == LayerEncoding::learned) {
    position_ = &parameter("position", {o.layers, o.dim}, normal(0.02));
  } else if (o.positional == LayerEncoding::sinusoidal) {
    sinusoid_ = Tensor({o.layers, o.dim});
    for (Size i = 0; i < sinusoid_.size(); ++i) {
      sinusoid_.data()[i] = static_cast<Real>(sinusoid(i / o.dim, i % o.dim, o.dim));
    }
  }
  if (o.layer_attention) {
    const Bias bias = o.qk_bias ? Bias::yes : Bias::no;
    query_ = &child("query", std::make_unique<Linear>(o.dim, o.dim, bias));
    key_ = &child("key", std::make_unique<Linear>(o.dim, o.dim, bias));
  }
  if (o.node_attention) add_node_attention();
}

void Histograph::check() const {
  if (o_.projection == HistoryProjection::shared) {
    require_equal_widths("histograph", widths_, " with projection shared");
  }
  for (std::size_t l = 0; o_.projection == HistoryProjection::none && l < widths_.size(); ++l) {
    if (widths_[l] == o_.dim) continue;
    throw ConfigError(
        fmt::format("histograph.in_channels: layer {} has width {} with projection none; expected {} (dim)",
                    l, widths_[l], o_.dim));
  }
  if (o_.node_attention) return;
  const auto refuse = [](const char* option, auto value) {
    throw ConfigError(
        fmt::format("histograph.{}: got {} without node_attention; expected none", option, value));
  };
  if (o_.residual) refuse("residual", true);
  if (o_.layer_norm) refuse("layer_norm", true);
  if (o_.feed_forward > 0) refuse("feed_forward", o_.feed_forward);
}

void Histograph::add_node_attention() {
  attention_ =
      &child("attention", std::make_unique<MultiHeadAttention>(o_.dim, o_.heads, o_.dropout, "histograph"));
  const auto norm = [&](const char* name) {
    return &child(name, std::make_unique<LayerNorm>(o_.dim, o_.norm_eps));
  };
  if (o_.layer_norm) norm1_ = norm("norm1");
  if (o_.feed_forward == 0) return;
  ff1_ = &child("ff1", std::make_unique<Linear>(o_.dim, o_.feed_forward));
  ff2_ = &child("ff2", std::make_unique<Linear>(o_.feed_forward, o_.dim));
  if (o_.layer_norm) norm2_ = norm("norm2");
}

Var Histograph::position(Tape& tape) {
  if (o_.positional == LayerEncoding::none) return {};
  return position_ != nullptr ? tape.parameter(*position_) : tape.input(sinusoid_);
}

Histograph::Encoded Histograph::encode(const HistoryInput& in) {
  Tape& tape = in.layers[0].tape();
  const Var p = position(tape);  // [L, D]
  Encoded e;
  const auto last_row = [&](Var m) { return slice_rows(m, o_.layers - 1, o_.layers); };
  if (embed_ != nullptr) {
    const Var bias = tape.parameter(embed_->bias());
    e.layers.assign(in.layers.begin(), in.layers.end());
    e.map = tape.parameter(embed_->weight());
    e.plain = repeat_row(tape, bias, o_.layers);
    e.encoding = p.given() ? add_row(p, bias) : e.plain;
    if (o_.layer_attention) e.last = linear(in.layers.back(), e.map, last_row(e.encoding));
    return e;
  }
  for (std::size_t l = 0; l < in.layers.size(); ++l) {
    e.layers.push_back(embeds_.empty() ? in.layers[l] : embeds_[l]->forward(in.layers[l]));
  }
  e.encoding = p;
  if (o_.layer_attention) e.last = p.given() ? add_row(e.layers.back(), last_row(p)) : e.layers.back();
  return e;
}

LayerAttention Histograph::attend_layers(const HistoryInput& in, const Encoded& e) {
  Tape& tape = in.layers[0].tape();
  LayerAttentionInput attention{.layers = e.layers,
                                .sets = in.sets,
                                .scale = 1 / std::sqrt(static_cast<double>(o_.dim)),
                                .weights = LayerWeights(o_.normalization, o_.eps),
                                .scope = o_.scope};
  if (!o_.layer_attention) return layer_attention(attention);
  const Var q = query_->forward(e.last);                         // [N, D]
  const Var w = multiply_by(q, tape.parameter(key_->weight()));  // [N, D] Wk^T q
  attention.query = e.map.given() ? multiply_by(w, e.map) : w;   // [N, D_l]
  std::vector<Var> rows, of_layers;
  if (e.encoding.given()) {
    rows.push_back(w);
    of_layers.push_back(e.encoding);
  }
  if (o_.qk_bias) {
    rows.push_back(q);
    of_layers.push_back(repeat_row(tape, tape.parameter(key_->bias()), o_.layers));
  }
  if (!rows.empty()) attention.offsets = linear(rows, concat_columns(of_layers));  // [N, L]
  return layer_attention(attention);
}

Var Histograph::map_sum(const HistoryInput& in, const Encoded& e, const LayerAttention& a) {
  const Var h = e.map.given() ? linear(a.sum, e.map) : a.sum;  // [N, D]
  const Var terms = o_.values == HistoryValues::encoded ? e.encoding : e.plain;
  if (!terms.given()) return h;
  const Var weighed = multiply_by(a.weights, terms);  // [B or N, D] sum_l a_l (b + P_l)
  return o_.scope == LayerScope::node ? add(h, weighed) : add_per_set(h, weighed, in.sets);
}

Var Histograph::attend_nodes(Var h, const Segments& sets) {
  const auto join = [&](Var before, Var part, LayerNorm* norm) {
    const Var r = o_.residual ? add(before, part) : part;
    return norm != nullptr ? norm->forward(r) : r;
  };
  const Var r = join(h, attention_->forward(h, sets), norm1_);
  if (ff1_ == nullptr) return r;
  const Var hidden = dropout(ff1_->forward(r, Activation::relu), o_.dropout);
  return join(r, ff2_->forward(hidden), norm2_);
}

LayerPooled Histograph::forward(const HistoryInput& in) {
  require_history("histograph", in, widths_);
  const Encoded e = encode(in);
  const LayerAttention a = attend_layers(in, e);
  const bool suspect = a.scores.empty()
                           ? !all_finite(a.sum.value())
                           : !std::ranges::all_of(a.scores, [](double c) { return std::isfinite(c); });
  if (suspect) require_finite(in);
  if (in.layers[0].tape().pass().training) note_figures(a, in.sets);
  const Var h = map_sum(in, e, a);
  const Var nodes = attention_ != nullptr ? attend_nodes(h, in.sets) : h;
  const Var y =
      o_.readout == NodeReadout::max
          ? segment_first_max(nodes, in.sets)
          : segment_reduce(nodes, in.sets, o_.readout == NodeReadout::sum ? Reduce::sum : Reduce::mean);
  return {y, a.weights, nodes};
}

void Histograph::note_figures(const LayerAttention& a, const Segments& sets) {
  const LayerWeights rule(o_.normalization, o_.eps);
  const ConstMatrixView weights = a.weights.value();
  for (Size r = 0; r < weights.rows && !a.scores.empty(); ++r) {
    if (o_.scope != LayerScope::node && sets.size(r) == 0) continue;
    const double total = rule.total(
        a.scores.subspan(static_cast<std::size_t>(r * o_.layers), static_cast<std::size_t>(o_.layers)));
    Figures& f = figures_;
    f.smallest_sum = f.rows == 0 ? std::abs(total) : std::min(f.smallest_sum, std::abs(total));
    for (const Real v : weights.row_span(r)) {
      f.largest_weight = std::max(f.largest_weight, std::abs(static_cast<double>(v)));
    }
    f.guarded += rule.guarded(total) ? 1 : 0;
    ++f.rows;
  }
}

std::vector<Figure> Histograph::take_figures() {
  const Figures f = std::exchange(figures_, {});
  if (f.rows == 0) return {};
  std::vector<Figure> result{{"largest_weight", f.largest_weight}};
  const bool divides =
      o_.normalization == LayerNormalization::division || o_.normalization == LayerNormalization::absolute;
  if (divides) {
    result.insert(result.begin(), {"smallest_sum", f.smallest_sum});
    result.emplace_back("guarded", static_cast<double>(f.guarded));
  }
  return result;
}

std::vector<std::string> Histograph::warnings() const {
  if (o_.scope != LayerScope::batch || !o_.layer_attention) return {};
  return {
      "histograph.scope: batch lets the graphs of a batch influence each other, and what evaluation gives "
      "depends on its batches; for comparison only"};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
