#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/graph/healpix/neighbours.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <thread>

using namespace tarn;
using namespace tarn::healpix;

namespace {

constexpr std::array both{Ordering::nest, Ordering::ring};

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Turn of the step from p in slot k.
Size turn_of(const Grid& grid, Size p, std::size_t k) {
  const FacePixel f = grid.face_pixel(p, Ordering::nest);
  return cross_edge(grid.nside(), f.x + neighbour_steps[k].x, f.y + neighbour_steps[k].y, f.face).turn;
}

}  // namespace

TEST_CASE("24 pixels miss one neighbour, at nside 1 all miss two", "[healpix][neighbours]") {
  for (const Size nside : {2, 4, 16}) {
    const auto table = neighbour_table<std::int64_t>(Grid(nside), Ordering::nest);
    std::map<std::size_t, Size> missing;
    Size most = 0;
    for (Size p = 0; p < table->num_pixels(); ++p) {
      Size here = 0;
      for (std::size_t k = 0; k < 8; ++k) {
        if (table->row(p)[k] != absent) continue;
        ++missing[k];
        ++here;
      }
      most = std::max(most, here);
    }
    CHECK(missing == std::map<std::size_t, Size>{{1, 8}, {3, 4}, {5, 8}, {7, 4}});  // W, N, E, S
    CHECK(most == 1);
  }
  for (Size p = 0; p < 12; ++p) {
    const auto row = neighbours(Grid(1), p, Ordering::nest);
    std::vector<std::size_t> gaps;
    for (std::size_t k = 0; k < 8; ++k) {
      if (row[k] == absent) gaps.push_back(k);
    }
    CHECK(gaps == (p / 4 == 1 ? std::vector<std::size_t>{3, 7} : std::vector<std::size_t>{1, 5}));
  }
}

TEST_CASE("neighbourhood is symmetric, and the slot of the way back follows from the turn",
          "[healpix][neighbours]") {
  for (const Size nside : {1, 2, 4, 16, 64}) {
    const Grid grid(nside);
    Size edges = 0, broken = 0, turned = 0;
    for (Size p = 0; p < grid.num_pixels(); ++p) {
      const auto row = neighbours(grid, p, Ordering::nest);
      std::set<Size> seen;
      for (std::size_t k = 0; k < 8; ++k) {
        if (row[k] == absent) continue;
        ++edges;
        const Size turn = turn_of(grid, p, k);
        turned += turn != 0;
        broken += row[k] == p || !seen.insert(row[k]).second;
        const Size back = returning_slot(static_cast<Size>(k), turn);
        broken += neighbours(grid, row[k], Ordering::nest)[at(back)] != p;
      }
    }
    CHECK(broken == 0);
    CHECK(edges == (nside == 1 ? 72 : 8 * grid.num_pixels() - 24));
    if (nside == 16)
      CHECK(static_cast<double>(turned) / static_cast<double>(edges) == Approx(0.030).margin(5e-4));
  }
}

TEST_CASE("neighbours touch: no centre is further away than two pixel radii", "[healpix][neighbours]") {
  for (const int order : {0, 1, 4, 13, 29}) {
    const Grid grid(Size{1} << order);
    const double reach = 2 * grid.largest_radius();
    for (std::uint64_t i = 0; i < 300; ++i) {
      const Size p = Rng(9).below(grid.num_pixels(), i);
      const Vector a = grid.vector(p, Ordering::ring);
      for (const Size q : neighbours(grid, p, Ordering::ring)) {
        if (q == absent) continue;
        const Vector b = grid.vector(q, Ordering::ring);
        CHECK(std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) <= reach * (1 + 1e-6));
      }
    }
  }
}

TEST_CASE("tables agree with the neighbours of single pixels, for any number of threads",
          "[healpix][neighbours][threads]") {
  for (const Size nside : {1, 2, 32, 128}) {
    const Grid grid(nside);
    for (const Ordering o : both) {
      for (const int threads : {1, 2, 7}) {
        const Threads limit(threads);
        const NeighbourTable<std::int64_t> wide(grid, o);
        const NeighbourTable<std::int32_t> narrow(grid, o);
        Size broken = 0;
        for (Size p = 0; p<grid.num_pixels(); p += nside> 32 ? 7 : 1) {
          const auto row = neighbours(grid, p, o);
          broken += !std::equal(row.begin(), row.end(), wide.row(p).begin());
          broken += !std::equal(row.begin(), row.end(), narrow.row(p).begin());
        }
        CHECK(broken == 0);
      }
    }
  }
}

TEST_CASE("the cache hands out one table, drops the oldest and keeps to its limit", "[healpix][neighbours]") {
  set_neighbour_cache_limit(0);
  set_neighbour_cache_limit(3 * 768 * 64);  // three tables of nside 8
  const Grid grid(8);
  const auto first = neighbour_table<std::int64_t>(grid, Ordering::nest);
  CHECK(neighbour_table<std::int64_t>(grid, Ordering::nest) == first);
  const auto ring = neighbour_table<std::int64_t>(grid, Ordering::ring);
  CHECK(ring != first);
  CHECK(neighbour_cache_bytes() == 2 * 768 * 64);
  const auto large =
      neighbour_table<std::int64_t>(Grid(32), Ordering::nest);  // more than the limit: not kept
  CHECK(neighbour_cache_bytes() == 2 * 768 * 64);
  CHECK(neighbour_table<std::int64_t>(Grid(32), Ordering::nest) != large);
  CHECK(neighbour_table<std::int64_t>(grid, Ordering::nest) == first);  // now the youngest
  static_cast<void>(neighbour_table<std::int32_t>(grid, Ordering::nest));
  static_cast<void>(neighbour_table<std::int32_t>(grid, Ordering::ring));
  static_cast<void>(neighbour_table<std::int32_t>(Grid(4), Ordering::ring));
  CHECK(neighbour_cache_bytes() <= 3 * 768 * 64);
  CHECK(neighbour_table<std::int64_t>(grid, Ordering::nest) == first);
  CHECK(neighbour_table<std::int64_t>(grid, Ordering::ring) != ring);
  set_neighbour_cache_limit(Size{1} << 30);
}

TEST_CASE("threads that ask for the same table at once get the same one", "[healpix][neighbours][threads]") {
  set_neighbour_cache_limit(0);
  set_neighbour_cache_limit(Size{1} << 30);
  std::array<std::shared_ptr<const NeighbourTable<std::int64_t>>, 8> got;
  std::vector<std::thread> threads;
  for (auto& slot : got)
    threads.emplace_back([&slot] { slot = neighbour_table<std::int64_t>(Grid(64), Ordering::ring); });
  for (std::thread& t : threads) t.join();
  for (const auto& table : got) CHECK(table == got[0]);
}

TEST_CASE("neighbours of pixels that are not there are refused", "[healpix][neighbours][errors]") {
  CHECK_THROWS_WITH(neighbours(Grid(2), 48, Ordering::nest),
                    "healpix: pixel 48; expected a number from 0 to 47 at nside 2");
  CHECK_THROWS_AS(neighbours(Grid(2), -1, Ordering::ring), ValueError);
  CHECK_THROWS_WITH(NeighbourTable<std::int32_t>(Grid(16384), Ordering::nest),
                    "healpix-neighbours: nside 16384 has 3221225472 pixels; expected fewer than 2^31 for "
                    "32-bit tables");
}
