#include "tarn/pooling/readouts/recurrent.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/gather.hpp"
#include "tarn/core/ops/segment.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

/// Throws unless every set's part of the order holds each of its rows once.
void require_order(std::span<const Size> order, const Segments& sets, Size number) {
  std::vector<bool> seen(order.size(), false);
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    for (Size i = rows.begin; i < rows.end; ++i) {
      const Size row = order[static_cast<std::size_t>(i)];
      if (row < rows.begin || row >= rows.end || seen[static_cast<std::size_t>(row)]) {
        throw ValueError(
            fmt::format("janossy: order {} lists row {} in set {}; expected each of its rows {} to {} once",
                        number, row, b, rows.begin, rows.end - 1));
      }
      seen[static_cast<std::size_t>(row)] = true;
    }
  }
}

/// The state after the last row, zeros for an empty set.
Var last_state(Var states, const Segments& sets) {
  return segment_end_mean(states, sets, SetEnd::last, 1);
}

}  // namespace

inline namespace TARN_PRECISION {

template <Cell cell>
RecurrentReadout<cell>::RecurrentReadout(const Options& o)
    : Readout(cell == Cell::lstm ? "lstm" : "gru", o),
      out_dim_(required_option(name(), "out_channels", o.out_channels) * (o.bidirectional ? 2 : 1)),
      stack_(child(name(),
                   std::make_unique<RecurrentStack>(cell, o.in_channels, *o.out_channels, o.num_layers,
                                                    o.bidirectional ? Directions::both : Directions::one))) {}

template <Cell cell>
Pooled RecurrentReadout<cell>::pool(const SetInput& in) {
  return {last_state(stack_.forward(in.x, in.sets), in.sets)};
}

template class RecurrentReadout<Cell::lstm>;
template class RecurrentReadout<Cell::gru>;

Janossy::Janossy(const Options& o)
    : Readout("janossy", o),
      o_(o),
      out_dim_(required_option("janossy", "out_channels", o.out_channels)),
      rnn_(child("rnn",
                 std::make_unique<RecurrentStack>(o.cell, o.in_channels, out_dim_, 1, Directions::one))) {}

std::vector<NodeId> Janossy::order_of(const SetInput& in, Size permutation_number, const Rng& rng) const {
  const auto count = static_cast<std::size_t>(in.x.rows());
  if (!in.order.empty()) {
    const auto given = in.order.subspan(static_cast<std::size_t>(permutation_number) * count, count);
    require_order(given, in.sets, permutation_number);
    return {given.begin(), given.end()};
  }
  std::vector<NodeId> order;
  order.reserve(count);
  const Rng own = rng.split(static_cast<std::uint64_t>(permutation_number));
  for (Size b = 0; b < in.sets.count(); ++b) {
    for (const Size place : permutation(in.sets.size(b), own.split(static_cast<std::uint64_t>(b))))
      order.push_back(static_cast<NodeId>(in.sets.rows(b).begin + place));
  }
  return order;
}

Pooled Janossy::pool(const SetInput& in) {
  const Size wanted = o_.num_perm * in.x.rows();
  if (!in.order.empty() && static_cast<Size>(in.order.size()) != wanted) {
    throw ShapeError(fmt::format("janossy: order has {} entries; expected {} (num_perm times rows)",
                                 in.order.size(), wanted));
  }
  Tape& tape = in.x.tape();
  const Rng drawn = tape.pass().training ? tape.next_rng() : Rng();
  const Rng rng = drawn.split(static_cast<std::uint64_t>(o_.seed));
  std::vector<Var> states;
  for (Size p = 0; p < o_.num_perm; ++p)
    states.push_back(last_state(rnn_.forward(gather_rows(in.x, order_of(in, p, rng)), in.sets), in.sets));
  return {states.size() == 1 ? states.front() : average(states)};
}

Lcm::Lcm(const Options& o)
    : Readout("lcm", o),
      out_dim_(required_option("lcm", "out_channels", o.out_channels)),
      lin_(o.project ? &child("lin", std::make_unique<Linear>(o.in_channels, out_dim_)) : nullptr),
      weight_ih_(parameter("gru_cell.weight_ih", {3 * out_dim_, out_dim_}, fan_in_uniform(out_dim_))),
      weight_hh_(parameter("gru_cell.weight_hh", {3 * out_dim_, out_dim_}, fan_in_uniform(out_dim_))),
      bias_ih_(parameter("gru_cell.bias_ih", {3 * out_dim_}, fan_in_uniform(out_dim_))),
      bias_hh_(parameter("gru_cell.bias_hh", {3 * out_dim_}, fan_in_uniform(out_dim_))) {
  if (o.project || out_dim_ == o.in_channels) return;
  throw ConfigError(fmt::format("lcm.out_channels: got {} with project false; expected {} (the width of x)",
                                out_dim_, o.in_channels));
}

Var Lcm::cell(Var a, Var b) {
  Tape& tape = a.tape();
  return gru_step(linear(a, tape.parameter(weight_ih_), tape.parameter(bias_ih_)),
                  linear(b, tape.parameter(weight_hh_), tape.parameter(bias_hh_)), b);
}

namespace {

/// How the rows of one level become those of the next: pairs, and odd last rows.
struct Level {
  std::vector<NodeId> first, second, odd;
  std::vector<NodeId> place;  // of every row of the next level in [pairs, odd]
  std::vector<Size> offsets{0};

  explicit Level(const Segments& sets) {
    for (Size b = 0; b < sets.count(); ++b) {
      const Rows rows = sets.rows(b);
      for (Size i = rows.begin; i + 1 < rows.end; i += 2) {
        first.push_back(static_cast<NodeId>(i));
        second.push_back(static_cast<NodeId>(i + 1));
      }
      if (rows.size() % 2 == 1) odd.push_back(static_cast<NodeId>(rows.end - 1));
      offsets.push_back(offsets.back() + (rows.size() + 1) / 2);
    }
    auto pair = NodeId{0}, single = static_cast<NodeId>(first.size());
    for (Size b = 0; b < sets.count(); ++b) {
      for (Size i = 0; i < sets.size(b) / 2; ++i) place.push_back(pair++);
      if (sets.size(b) % 2 == 1) place.push_back(single++);
    }
  }
};

}  // namespace

Pooled Lcm::pool(const SetInput& in) {
  Var y = lin_ != nullptr ? lin_->forward(in.x, Activation::relu) : in.x;
  Segments sets = in.sets;
  for (Level level(sets); !level.first.empty(); level = Level(sets)) {
    const Var a = gather_rows(y, level.first), b = gather_rows(y, level.second);
    const std::array<Var, 2> ways{cell(a, b), cell(b, a)};
    const std::array<Var, 2> parts{average(ways), gather_rows(y, level.odd)};
    y = gather_rows(concat_rows(parts), level.place);
    sets = Segments(level.offsets);
  }
  return {last_state(y, sets)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
