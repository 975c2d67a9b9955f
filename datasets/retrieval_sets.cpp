#include "tarn/datasets/retrieval_sets.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/product.hpp"
#include "tarn/core/rng.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

/// Normal entries of variance 1 / width: lengths stay about the same.
Tensor mixing_matrix(Size width, const Rng& rng) {
  Tensor m({width, width});
  const double factor = 1 / std::sqrt(static_cast<double>(width));
  for (Size i = 0; i < m.size(); ++i)
    m.data()[i] = static_cast<Real>(factor * rng.normal(static_cast<std::uint64_t>(i)));
  return m;
}

/// (topic + noise e, style u), before it is mixed.
void write_unmixed(Real* into, const RetrievalSetOptions& o, const Rng& topic, const Rng& own) {
  const Size half = o.width / 2;
  for (Size j = 0; j < o.width; ++j) {
    const auto at = static_cast<std::uint64_t>(j);
    const double value = j < half ? topic.normal(at) + o.noise * own.normal(at) : o.style * own.normal(at);
    into[j] = static_cast<Real>(value);
  }
}

Tensor mixed(const Tensor& unmixed, const Tensor& matrix) {
  Tensor result(unmixed.shape());
  multiply(unmixed.matrix(), Transpose::no, matrix.matrix(), Transpose::no, result.matrix());
  return result;
}

}  // namespace

RetrievalSets generate_retrieval_sets(const RetrievalSetOptions& o, Size count, const std::string& split) {
  check_options(o, "retrieval");
  if (o.max_rows < o.min_rows) {
    throw ValueError(
        fmt::format("retrieval.max_rows: got {}; expected at least min_rows, {}", o.max_rows, o.min_rows));
  }
  const Rng seed(static_cast<std::uint64_t>(o.seed));
  const Rng rng = seed.split("retrieval").split(split);
  const auto stream = [&](Size set) { return rng.split(static_cast<std::uint64_t>(set)); };
  std::vector<Size> offsets{0};
  for (Size b = 0; b < count; ++b)
    offsets.push_back(offsets.back() + o.min_rows + stream(b).below(o.max_rows - o.min_rows + 1, 0));
  Segments sets(offsets);
  Tensor rows({sets.num_rows(), o.width}), queries({count, o.width});
  for (Size b = 0; b < count; ++b) {
    const Rng topics = stream(b).split("topics"), own = stream(b).split("rows");
    const Rows range = sets.rows(b);
    const Size asked = stream(b).below(range.end - range.begin, 1);
    for (Size i = range.begin; i < range.end; ++i) {
      const auto place = static_cast<std::uint64_t>(i - range.begin);
      write_unmixed(rows.matrix().row(i), o, topics.split(place), own.split(place));
    }
    write_unmixed(queries.matrix().row(b), o, topics.split(static_cast<std::uint64_t>(asked)),
                  stream(b).split("query"));
  }
  const Tensor matrix = mixing_matrix(o.width, seed.split("mixing"));
  return {mixed(rows, matrix), std::move(sets), mixed(queries, matrix)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
