#include "tarn/graph/builders/neighbour_lists.hpp"

#include <algorithm>
#include <iterator>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Calls f(i, list of i) for all rows in order.
template <class F>
void for_rows(std::span<const NeighbourLists> runs, F f) {
  Size row = 0;
  for (const NeighbourLists& run : runs) {
    std::size_t at = 0;
    for (const NodeId size : run.sizes) {
      f(row++, std::span(run.nodes).subspan(at, idx(size)));
      at += idx(size);
    }
  }
}

Size total_rows(std::span<const NeighbourLists> runs) {
  Size rows = 0;
  for (const NeighbourLists& run : runs) rows += run.num_rows();
  return rows;
}

std::vector<Size> starts(std::span<const NodeId> sizes) {
  std::vector<Size> result(sizes.size() + 1);
  for (std::size_t i = 0; i < sizes.size(); ++i) result[i + 1] = result[i] + sizes[i];
  return result;
}

NeighbourLists transposed(std::span<const NeighbourLists> runs) {
  NeighbourLists result;
  result.sizes.resize(idx(total_rows(runs)));
  for (const NeighbourLists& run : runs)
    for (const NodeId j : run.nodes) ++result.sizes[idx(j)];
  auto cursor = starts(result.sizes);
  result.nodes.resize(idx(cursor.back()));
  for_rows(runs, [&](Size i, std::span<const NodeId> row) {
    for (const NodeId j : row) result.nodes[idx(cursor[idx(j)]++)] = static_cast<NodeId>(i);
  });
  return result;
}

/// Rewrites every list through f(i, list, out).
template <class F>
NeighbourLists rewritten(const NeighbourLists& lists, F f) {
  NeighbourLists result;
  result.nodes.reserve(lists.nodes.size() + lists.sizes.size());
  result.sizes.reserve(lists.sizes.size());
  for_rows({&lists, 1}, [&](Size i, std::span<const NodeId> row) {
    const std::size_t before = result.nodes.size();
    f(static_cast<NodeId>(i), row, std::back_inserter(result.nodes));
    result.sizes.push_back(static_cast<NodeId>(result.nodes.size() - before));
  });
  return result;
}

}  // namespace

void NeighbourLists::append_row(std::span<const NodeId> row) {
  sizes.push_back(static_cast<NodeId>(row.size()));
  nodes.insert(nodes.end(), row.begin(), row.end());
}

NeighbourLists mirrored(std::span<const NeighbourLists> upper) {
  NeighbourLists result;
  result.sizes.resize(idx(total_rows(upper)));
  for_rows(upper, [&](Size i, std::span<const NodeId> row) {
    result.sizes[idx(i)] += static_cast<NodeId>(row.size());
    for (const NodeId j : row)
      if (j != i) ++result.sizes[idx(j)];
  });
  auto cursor = starts(result.sizes);
  result.nodes.resize(idx(cursor.back()));
  // When row i is reached, every smaller neighbour has put itself there, in ascending order.
  for_rows(upper, [&](Size i, std::span<const NodeId> row) {
    for (const NodeId j : row) {
      result.nodes[idx(cursor[idx(i)]++)] = j;
      if (j != i) result.nodes[idx(cursor[idx(j)]++)] = static_cast<NodeId>(i);
    }
  });
  return result;
}

NeighbourLists symmetrised(std::span<const NeighbourLists> directed, Symmetrise how) {
  const NeighbourLists back = transposed(directed);
  NeighbourLists result;
  result.sizes.reserve(back.sizes.size());
  auto back_begin = back.nodes.begin();
  for_rows(directed, [&](Size i, std::span<const NodeId> row) {
    const auto back_end = back_begin + back.sizes[idx(i)];
    const std::size_t before = result.nodes.size();
    const auto out = std::back_inserter(result.nodes);
    if (how == Symmetrise::either)
      std::set_union(row.begin(), row.end(), back_begin, back_end, out);
    else
      std::set_intersection(row.begin(), row.end(), back_begin, back_end, out);
    result.sizes.push_back(static_cast<NodeId>(result.nodes.size() - before));
    back_begin = back_end;
  });
  return result;
}

NeighbourLists banded(Size n, Size window) {
  NeighbourLists result;
  const Size reach = std::min(window, n);
  for (Size i = 0; i < n; ++i) {
    const Size begin = std::max<Size>(0, i - reach);
    const Size end = std::min(n, i + reach + 1);
    result.sizes.push_back(static_cast<NodeId>(end - begin));
    for (Size j = begin; j < end; ++j) result.nodes.push_back(static_cast<NodeId>(j));
  }
  return result;
}

void remove_loops(NeighbourLists& lists) {
  lists = rewritten(lists, [](NodeId i, std::span<const NodeId> row, auto out) {
    std::remove_copy(row.begin(), row.end(), out, i);
  });
}

void add_loops(NeighbourLists& lists) {
  lists = rewritten(lists, [](NodeId i, std::span<const NodeId> row, auto out) {
    std::set_union(row.begin(), row.end(), &i, &i + 1, out);
  });
}

}  // namespace tarn
