#pragma once

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/normalisers/normalised_pool.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include "experiments/walk.hpp"

#include <functional>
#include <memory>
#include <numeric>

/// Set readouts of all families behind one interface, made from their golden cases, with what they take
/// beside rows made from the rows: so that a set has the same alone, in a batch, and in another order.
namespace tarn::test {

struct SetOperator {
  std::shared_ptr<Module> module;
  Size row_width = 0;  ///< numbers of a row
  Size out_width = 0;  ///< numbers of a set, over all queries
  Size num_queries = 1;
  RowOrder order = RowOrder::ignored;
  Size most_rows = 0;
  bool fixed_width = false;  ///< has the option in_channels
  bool non_negative = false;
  bool builds_graph = false;
  bool unit_weights = true;    ///< weights of a set sum to one, where there are weights
  bool cuts_gradient = false;  ///< part of the gradient of x is left out, as its definition says
  /// x [N, row_width] -> [Q, B, ..], where what is taken beside x is made from `rows`, the same numbers.
  std::function<Var(Var x, const Segments& sets, const Tensor& rows)> forward;

  /// Random rows that it takes.
  [[nodiscard]] Tensor rows(Size count, std::uint64_t seed) const {
    Tensor x = random_tensor({count, row_width}, Rng(seed));
    for (Real& v : x.flat()) v = non_negative ? std::abs(v) : v;
    return x;
  }
  /// Sets of these sizes, cut to the largest that it takes.
  [[nodiscard]] Segments sets(std::span<const Size> sizes) const {
    std::vector<Size> offsets{0};
    for (const Size n : sizes) offsets.push_back(offsets.back() + std::min(n, most_rows));
    return Segments(std::move(offsets));
  }
  [[nodiscard]] Var run(Tape& tape, const Tensor& x, const Segments& sets,
                        NeedsGrad needs_grad = NeedsGrad::no) const {
    return forward(tape.input(x, needs_grad), sets, x);
  }
  /// Forward without training.
  [[nodiscard]] std::vector<Real> pool(const Tensor& x, const Segments& sets) const {
    Tape tape;
    tape.reset();
    return numbers(run(tape, x, sets).value());
  }
  /// What a result holds of one of B sets.
  [[nodiscard]] std::vector<Real> part(const std::vector<Real>& y, Size b, Size count) const {
    std::vector<Real> result;
    const Size width = out_width / num_queries;
    for (Size q = 0; q < num_queries; ++q) {
      const auto first = y.begin() + (q * count + b) * width;
      result.insert(result.end(), first, first + width);
    }
    return result;
  }
};

/// The rows of each set in the order of their first numbers.
inline std::vector<Size> rows_by_first(const Tensor& rows, const Segments& sets) {
  std::vector<Size> order(static_cast<std::size_t>(sets.num_rows()));
  std::iota(order.begin(), order.end(), Size{0});
  for (Size b = 0; b < sets.count(); ++b) {
    std::sort(order.begin() + sets.rows(b).begin, order.begin() + sets.rows(b).end,
              [&](Size i, Size j) { return rows.matrix()(i, 0) < rows.matrix()(j, 0); });
  }
  return order;
}

/// Every row sees itself and the one before it in that order.
inline Graph window_graph(const Tensor& rows, const Segments& sets) {
  const std::vector<Size> order = rows_by_first(rows, sets);
  std::vector<NodeId> from, to;
  for (Size b = 0; b < sets.count(); ++b) {
    for (Size i = sets.rows(b).begin; i < sets.rows(b).end; ++i) {
      for (Size j = std::max(sets.rows(b).begin, i - 1); j <= i; ++j) {
        from.push_back(static_cast<NodeId>(order[static_cast<std::size_t>(j)]));
        to.push_back(static_cast<NodeId>(order[static_cast<std::size_t>(i)]));
      }
    }
  }
  return Graph::from_edges(sets.num_rows(), from, to);
}

/// The options of a case for rows of another width: those that must be the width go with it.
inline Value options_for(const GoldenCase& c, Size width) {
  Value o = c.user_options();
  const Value before(c.input("x").shape[-1]);
  for (const char* name : {"in_channels", "channels", "out_channels"}) {
    const Value* given = o.find(name);
    if (given != nullptr && *given == before) o.set(name, width);
  }
  return o;
}

inline SetOperator make_set_readout(const GoldenCase& c, Size width) {
  const std::shared_ptr<Readout> readout = make_readout(c.op, width, options_for(c, width));
  const auto graph = std::make_shared<Graph>();
  const auto token_graph_held = std::make_shared<TokenGraph>();
  const Size orders = c.inputs.contains("order") ? c.input("order").shape[0] : 0;
  const auto forward = [=](Var x, const Segments& sets, const Tensor& rows) {
    Tape& tape = x.tape();
    SetInput in{.x = x, .sets = sets};
    if (readout->needs().weight) {
      const MatrixView weight = tape.allocate({rows.shape()[0]});
      for (Size i = 0; i < rows.shape()[0]; ++i) weight.data[i] = std::abs(rows.matrix()(i, 0));
      in.weight = tape.input(weight, {rows.shape()[0]});
    }
    if (readout->needs().neighbourhood) {
      *graph = window_graph(rows, sets);
      in.neighbours = graph.get();
    }
    if (readout->token_graph_options() != nullptr) {
      *token_graph_held = token_graph(rows.matrix(), sets, *readout->token_graph_options(),
                                      KeepCosines::if_edge_attr, readout->name().c_str());
      in.graph = token_graph_held.get();
    }
    std::vector<Size> order;
    for (Size p = 0; readout->row_order() == RowOrder::drawn && p < orders; ++p) {
      const auto one = rows_by_first(rows, sets);
      order.insert(order.end(), one.begin(), one.end());
    }
    in.order = order;
    return readout->forward(in).y;
  };
  return {
      .module = readout,
      .row_width = width,
      .out_width = readout->out_dim(width),
      .order = readout->row_order(),
      .most_rows = readout->most_rows(),
      .fixed_width = readouts().at(c.op).has_option("in_channels"),
      .non_negative = readout->needs().non_negative,
      .builds_graph = readout->token_graph_options() != nullptr,
      .unit_weights =
          c.options.find("normaliser") == nullptr || *c.options.find("normaliser") != Value("sigmoid"),
      .cuts_gradient = c.options.find("semi_grad") != nullptr && *c.options.find("semi_grad") == Value(true),
      .forward = forward};
}

inline SetOperator make_layers_readout(const GoldenCase& c, Size width) {
  const Size layers = c.input("x").shape[1];
  const std::shared_ptr<LayerReadout> readout =
      make_layer_readout(c.op, layers, width, options_for(c, width));
  const auto forward = [=](Var x, const Segments& sets, const Tensor& rows) {
    Tape& tape = x.tape();
    LayersInput in{.x = reshape(x, {x.rows(), x.cols() / width, width}), .sets = sets};
    if (readout->needs().query) {
      const MatrixView query = tape.allocate({sets.count(), width});
      const std::vector<Size> order = rows_by_first(rows, sets);
      for (Size b = 0; b < sets.count(); ++b) {
        const Rows of_set = sets.rows(b);
        for (Size j = 0; j < width; ++j)
          query(b, j) =
              of_set.size() == 0 ? Real{1} : rows.matrix()(order[static_cast<std::size_t>(of_set.begin)], j);
      }
      in.query = tape.input(query, {sets.count(), width});
    }
    return readout->forward(in).y;
  };
  return {.module = readout,
          .row_width = layers * width,
          .out_width = readout->out_dim(width),
          .order = readout->reads_order() ? RowOrder::read : RowOrder::ignored,
          .most_rows = std::numeric_limits<Size>::max(),
          .cuts_gradient = c.op == "surface-fusion",
          .forward = forward};
}

inline SetOperator make_queries_readout(const GoldenCase& c, Size width) {
  const Size queries = c.input("queries").shape[0];
  const std::shared_ptr<QueryReadout> readout = make_query_readout(c.op, width, options_for(c, width));
  const auto asked = std::make_shared<Tensor>(random_tensor({queries, width}, Rng(77)));
  const auto forward = [=](Var x, const Segments& sets, const Tensor&) {
    return readout->forward({.x = x, .sets = sets, .queries = x.tape().input(*asked, NeedsGrad::yes)});
  };
  return {.module = readout,
          .row_width = width,
          .out_width = queries * readout->out_dim(width),
          .num_queries = queries,
          .most_rows = std::numeric_limits<Size>::max(),
          .fixed_width = query_readouts().at(c.op).has_option("in_channels"),
          .forward = forward};
}

/// A case, and where its operator takes a normaliser the same under every other one.
inline std::vector<GoldenCase> with_normalisers(const GoldenCase& c) {
  std::vector<GoldenCase> cases{c};
  const auto* entry = readouts().find(c.op);
  if (entry == nullptr || !entry->has_option("normaliser")) return cases;
  for (const std::string& name : normaliser_names()) {
    if (name == "softmax") continue;
    cases.push_back(c);
    cases.back().name += ", " + name;
    cases.back().options.set("normaliser", name);
  }
  return cases;
}

/// Every golden case of every readout, its parameters drawn, at its own width and at four times that:
/// products of few and of many columns take other paths.
template <class Check>
void for_each_set_operator(Check check) {
  const std::pair<const char*, SetOperator (*)(const GoldenCase&, Size)> families[] = {
      {"readout", make_set_readout},
      {"layer readout", make_layers_readout},
      {"query readout", make_queries_readout}};
  for (const auto& [family, make] : families) {
    std::vector<GoldenCase> cases;
    for (const GoldenCase& given : golden_cases(family)) {
      for (GoldenCase& c : with_normalisers(given)) cases.push_back(std::move(c));
    }
    for (const GoldenCase& c : cases) {
      for (const Size width : {c.input("x").shape[-1], 4 * c.input("x").shape[-1]}) {
        INFO(c.where() << ", width " << width);
        const auto draw = [&c, width = width, make = make] {
          SetOperator op = make(c, width);
          op.module->init(Rng(5));
          // Zero biases would put dead rows exactly on the kink of the relu.
          for (Parameter* p : op.module->parameters()) {
            const Tensor change = random_tensor(p->value.shape(), Rng(14));
            for (Size i = 0; i < change.size(); ++i) p->value.data()[i] += Real(0.3) * change.data()[i];
          }
          return op;
        };
        check(draw);
      }
    }
  }
}

}  // namespace tarn::test
