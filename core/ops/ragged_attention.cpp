#include "tarn/core/ops/ragged_attention.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/attention_tiles.hpp"
#include "tarn/core/ops/set_chunks.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size rows_per_chunk = 256;
/// Rows of the side that is not shared in one partial sum of a shared side's gradient.
constexpr Size rows_per_partial = 1024;
/// Fewer queries than this are not worth laying out the keys of their set.
constexpr Size fewest_packed = 3;

enum class Shared { none, queries, keys };

/// What both passes need; views and handles by value.
struct Problem {
  ConstMatrixView q, k, v;  // all heads
  Segments q_sets, k_sets, out_sets;
  Shared shared;
  Size most_queries, most_keys;  // of any set
  Size heads, width, value_width;
  Real scale;
  double dropout;
  Rng rng;
  MatrixView y, lse;  // [rows, heads * value_width], [rows, heads]

  [[nodiscard]] Rows queries(Size set) const { return q_sets.rows(shared == Shared::queries ? 0 : set); }
  [[nodiscard]] Rows keys(Size set) const { return k_sets.rows(set); }
  /// The columns of head h.
  template <class View>
  [[nodiscard]] View keys_of(View m, Size h) const {
    return m.column_block(h * width, (h + 1) * width);
  }
  template <class View>
  [[nodiscard]] View values_of(View m, Size h) const {
    return m.column_block(h * value_width, (h + 1) * value_width);
  }
  /// Queries begin .. end-1 of a set, counted in it, against its keys begin .. end-1.
  [[nodiscard]] AttentionHead head(Size set, Rows query_range, Rows key_range, Size h) const {
    const Size first_query = queries(set).begin, first_key = keys(set).begin;
    return {.q = keys_of(q, h).row_block(first_query + query_range.begin, first_query + query_range.end),
            .k = keys_of(k, h).row_block(first_key + key_range.begin, first_key + key_range.end),
            .v = values_of(v, h).row_block(first_key + key_range.begin, first_key + key_range.end),
            .scale = scale,
            .first_row = out_sets.rows(set).begin + query_range.begin,
            .first_key = key_range.begin,
            .dropout = dropout,
            .rng = dropout > 0 ? rng.split(static_cast<std::uint64_t>(h)) : Rng{},
            .pack = queries(set).size() >= fewest_packed || shared == Shared::keys};
  }
};

Size longest(const Segments& sets) {
  Size most = 0;
  for (Size b = 0; b < sets.count(); ++b) most = std::max(most, sets.size(b));
  return most;
}

void check_columns(const char* name, const HeadColumns& c, Size columns, const Segments& sets) {
  if (c.column >= 0 && c.column + columns <= c.x.cols()) {
    sets.require_cover(fmt::format("ragged_attention: {}", name), c.x.rows());
    return;
  }
  throw ShapeError(fmt::format("ragged_attention: {} is {}; expected at least {} columns (heads * width)",
                               name, c.x.shape().text(), c.column + columns));
}

Problem make_problem(Tape& tape, const RaggedAttention& in) {
  const Size value_width = in.value_width > 0 ? in.value_width : in.key_width;
  if (in.heads < 1 || in.key_width < 1) {
    throw ShapeError(fmt::format("ragged_attention: {} heads of width {}; expected at least one of width 1",
                                 in.heads, in.key_width));
  }
  check_columns("q", in.q, in.heads * in.key_width, in.q_sets);
  check_columns("k", in.k, in.heads * in.key_width, in.k_sets);
  check_columns("v", in.v, in.heads * value_width, in.k_sets);
  const Size q_count = in.q_sets.count(), k_count = in.k_sets.count();
  Shared shared = Shared::none;
  if (q_count != k_count) {
    if (q_count != 1 && k_count != 1) {
      throw ShapeError(
          fmt::format("ragged_attention: {} sets of queries, {} of keys; expected equally many, or "
                      "one for all on one side",
                      q_count, k_count));
    }
    shared = q_count == 1 ? Shared::queries : Shared::keys;
  }
  const auto columns = [](const HeadColumns& c, Size count) {
    return c.x.value().column_block(c.column, c.column + count);
  };
  const bool drops = in.dropout > 0 && tape.pass().training;
  // Of shared keys every query sees all, whatever its set.
  const Segments q_sets = shared == Shared::keys ? Segments::uniform(1, in.q_sets.num_rows()) : in.q_sets;
  const Segments out_sets =
      shared == Shared::queries ? Segments::uniform(k_count, in.q_sets.num_rows()) : q_sets;
  return {.q = columns(in.q, in.heads * in.key_width),
          .k = columns(in.k, in.heads * in.key_width),
          .v = columns(in.v, in.heads * value_width),
          .q_sets = q_sets,
          .k_sets = in.k_sets,
          .out_sets = out_sets,
          .shared = shared,
          .most_queries = longest(q_sets),
          .most_keys = longest(in.k_sets),
          .heads = in.heads,
          .width = in.key_width,
          .value_width = value_width,
          .scale = static_cast<Real>(in.scale.value_or(1 / std::sqrt(static_cast<double>(in.key_width)))),
          .dropout = drops ? in.dropout : 0,
          .rng = drops ? tape.next_rng() : Rng{},
          .y = tape.allocate({out_sets.num_rows(), in.heads * value_width}),
          .lse = tape.allocate({out_sets.num_rows(), in.heads})};
}

void attend(Tape& tape, const Problem& p) {
  const SetChunks chunks(tape, p.out_sets, rows_per_chunk);
  for_blocks(chunks.num_tasks(), 1, [&](Size task, Size) {
    AttentionTiles tiles(p.width, p.value_width, p.most_queries, p.most_keys);
    for (Size c = chunks.task(task).begin; c < chunks.task(task).end; ++c) {
      const auto [set, rows] = chunks[c];
      const MatrixView y = p.y.row_block(rows.begin, rows.end);
      const Size keys = p.keys(set).size(), first = p.out_sets.rows(set).begin;
      if (keys == 0) {
        for (Size i = 0; i < y.rows; ++i) std::fill_n(y.row(i), y.cols, Real{0});
        continue;
      }
      for (Size h = 0; h < p.heads; ++h) {
        tiles.forward(p.head(set, {rows.begin - first, rows.end - first}, {0, keys}, h), p.values_of(y, h),
                      {p.lse.row(rows.begin) + h, p.heads});
      }
    }
  });
}

/// Gradients of q, k and v, all heads, without data where none is wanted.
struct Gradients {
  MatrixView q, k, v;
};

/// What the backward pass adds to the inputs.
struct Backward {
  const Problem& p;
  ConstMatrixView dy;

  /// Adds the gradients of one head of part of a set; `into` begins at the first query and key of the range.
  void add(AttentionTiles& tiles, Size set, Rows queries, Rows keys, Size h, const Gradients& into) const {
    const AttentionHead head = p.head(set, queries, keys, h);
    const Size row = head.first_row;
    const auto rows_of = [](MatrixView m, Size count) {
      return m.data != nullptr ? m.row_block(0, count) : m;
    };
    tiles.backward(head, {.dy = p.values_of(dy, h).row_block(row, row + queries.size()),
                          .lse = {p.lse.row(row) + h, p.heads},
                          .y = p.values_of(p.y, h).row_block(row, row + queries.size()),
                          .dq = rows_of(wanted_keys(into.q, h), queries.size()),
                          .dk = rows_of(wanted_keys(into.k, h), keys.size()),
                          .dv = into.v.data != nullptr ? p.values_of(into.v, h).row_block(0, keys.size())
                                                       : MatrixView{}});
  }
  [[nodiscard]] MatrixView wanted_keys(MatrixView m, Size h) const {
    return m.data != nullptr ? p.keys_of(m, h) : m;
  }
  [[nodiscard]] AttentionTiles tiles() const { return {p.width, p.value_width, p.most_queries, p.most_keys}; }
};

/// Rows from `begin` on, or nothing of nothing.
MatrixView from_row(MatrixView m, Size begin) {
  return m.data != nullptr ? m.row_block(begin, m.rows) : m;
}

/// Every set has its own queries and keys: short ones at once, of long ones first queries, then keys.
void backward_apart(Tape& tape, const Backward& b, const Gradients& into) {
  const Problem& p = b.p;
  const auto is_short = [&](Size set) {
    return std::max(p.queries(set).size(), p.keys(set).size()) <= rows_per_chunk;
  };
  const auto over = [&](const Segments& sets, auto add) {
    const SetChunks chunks(tape, sets, rows_per_chunk);
    for_blocks(chunks.num_tasks(), 1, [&](Size task, Size) {
      AttentionTiles tiles = b.tiles();
      for (Size c = chunks.task(task).begin; c < chunks.task(task).end; ++c) {
        const auto [set, rows] = chunks[c];
        const Size queries = p.queries(set).size(), keys = p.keys(set).size();
        if (queries == 0 || keys == 0) continue;
        const Size first = sets.rows(set).begin;
        for (Size h = 0; h < p.heads; ++h) add(tiles, set, Rows{rows.begin - first, rows.end - first}, h);
      }
    });
  };
  over(p.q_sets, [&](AttentionTiles& tiles, Size set, Rows rows, Size h) {
    const Size q = p.queries(set).begin, k = p.keys(set).begin;
    const Rows keys{0, p.keys(set).size()};
    if (is_short(set)) {
      b.add(tiles, set, rows, keys, h, {from_row(into.q, q), from_row(into.k, k), from_row(into.v, k)});
    } else if (into.q.data != nullptr) {
      b.add(tiles, set, rows, keys, h, {from_row(into.q, q + rows.begin), {}, {}});
    }
  });
  if (into.k.data == nullptr && into.v.data == nullptr) return;
  over(p.k_sets, [&](AttentionTiles& tiles, Size set, Rows rows, Size h) {
    if (is_short(set)) return;
    const Size k = p.keys(set).begin + rows.begin;
    b.add(tiles, set, {0, p.queries(set).size()}, rows, h, {{}, from_row(into.k, k), from_row(into.v, k)});
  });
}

/// Adds partial gradients [parts * rows, cols] of a shared side, in order and in double.
void join_partials(ConstMatrixView parts, MatrixView into) {
  if (into.data == nullptr || into.rows == 0) return;
  for_blocks(into.rows, rows_per_chunk, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      for (Size j = 0; j < into.cols; ++j) {
        double sum = 0;
        for (Size row = i; row < parts.rows; row += into.rows) sum += static_cast<double>(parts(row, j));
        into(i, j) += static_cast<Real>(sum);
      }
    }
  });
}

/// Zeros for one partial gradient per task of a shared side's matrix, or nothing where none is wanted.
MatrixView partials(Tape& tape, MatrixView wanted, Size tasks) {
  if (wanted.data == nullptr) return {};
  const MatrixView parts = tape.allocate({tasks * wanted.rows, wanted.cols});
  std::fill_n(parts.data, parts.size(), Real{0});
  return parts;
}

/// The queries are the same in every set: their gradient is summed over the sets.
void backward_shared_queries(Tape& tape, const Backward& b, const Gradients& into) {
  const Problem& p = b.p;
  const Size queries = p.q_sets.num_rows();
  if (queries == 0) return;
  const SetChunks chunks(tape, p.k_sets, rows_per_partial);
  const MatrixView dq = partials(tape, into.q, chunks.num_tasks());
  for_blocks(chunks.num_tasks(), 1, [&](Size task, Size) {
    AttentionTiles tiles = b.tiles();
    for (Size c = chunks.task(task).begin; c < chunks.task(task).end; ++c) {
      const auto [set, rows] = chunks[c];
      const Size first = p.k_sets.rows(set).begin;
      for (Size h = 0; h < p.heads; ++h) {
        b.add(tiles, set, {0, queries}, {rows.begin - first, rows.end - first}, h,
              {from_row(dq, task * queries), from_row(into.k, rows.begin), from_row(into.v, rows.begin)});
      }
    }
  });
  join_partials(dq, into.q);
}

/// The keys are the same for every query, whatever its set: their gradients are summed over runs of queries.
void backward_shared_keys(Tape& tape, const Backward& b, const Gradients& into) {
  const Problem& p = b.p;
  const Size keys = p.k_sets.num_rows();
  if (keys == 0) return;
  const SetChunks chunks(tape, p.q_sets, rows_per_partial);
  const MatrixView dk = partials(tape, into.k, chunks.num_tasks());
  const MatrixView dv = partials(tape, into.v, chunks.num_tasks());
  for_blocks(chunks.num_tasks(), 1, [&](Size task, Size) {
    AttentionTiles tiles = b.tiles();
    for (Size c = chunks.task(task).begin; c < chunks.task(task).end; ++c) {
      const auto [set, rows] = chunks[c];
      const Size first = p.q_sets.rows(set).begin;
      for (Size h = 0; h < p.heads; ++h) {
        b.add(tiles, set, {rows.begin - first, rows.end - first}, {0, keys}, h,
              {from_row(into.q, rows.begin), from_row(dk, task * keys), from_row(dv, task * keys)});
      }
    }
  });
  join_partials(dk, into.k);
  join_partials(dv, into.v);
}

}  // namespace

inline namespace TARN_PRECISION {

Var ragged_attention(const RaggedAttention& in) {
  Tape& tape = in.q.x.tape();
  const Problem p = make_problem(tape, in);
  attend(tape, p);
  const HeadColumns q = in.q, k = in.k, v = in.v;
  return tape.record(
      "ragged_attention", {p.y.rows, p.y.cols}, p.y, {q.x, k.x, v.x}, [=, &tape](ConstMatrixView dy) {
        const auto wanted = [&](const HeadColumns& c, Size columns) {
          return c.x.needs_grad() ? tape.grad(c.x).column_block(c.column, c.column + columns) : MatrixView{};
        };
        const Gradients into{wanted(q, p.q.cols), wanted(k, p.k.cols), wanted(v, p.v.cols)};
        const Backward b{p, dy};
        if (p.shared == Shared::none) return backward_apart(tape, b, into);
        p.shared == Shared::queries ? backward_shared_queries(tape, b, into)
                                    : backward_shared_keys(tape, b, into);
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
