#include "tarn/datasets/synthetic_encoder.hpp"

#include "tarn/core/eigen.hpp"
#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/core/product.hpp"
#include "tarn/datasets/named_vectors.hpp"
#include "tarn/datasets/stress_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

namespace tarn {

namespace {

namespace words = stress_words;
using Vector = std::vector<double>;

constexpr int num_steps = 2;
constexpr std::string_view first_token = "[CLS]";
constexpr std::string_view last_token = "[SEP]";

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// How a word takes part in the steps.
enum class Role { plain, noun, marker };

template <class Table>
bool among(const Table& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

bool is_context_word(std::string_view word) {
  const auto holds = [&](const words::Phrase& phrase) { return among(phrase, word); };
  const auto contexts = words::contexts(), decoys = words::decoy_contexts();
  return !among(words::noise(), word) && (std::any_of(contexts.begin(), contexts.end(), holds) ||
                                          std::any_of(decoys.begin(), decoys.end(), holds));
}

Role role_of(std::string_view word) {
  if (among(words::nouns, word) || among(words::decoy_nouns, word)) return Role::noun;
  if (among(words::modifiers, word) || among(words::affirmers, word)) return Role::marker;
  return Role::plain;
}

void add_scaled(Vector& y, double factor, const Vector& x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void normalise(Vector& v) {
  const double norm = std::sqrt(dot(v, v));
  for (double& x : v) x /= norm;
}

/// Orthonormal directions that words of a class share.
struct Directions {
  Vector common, noun, marker, negative, affirmative, context;

  Directions(std::uint64_t seed, Size dim) {
    constexpr std::array<std::string_view, 6> names{"common",   "noun",        "marker",
                                                    "negative", "affirmative", "context"};
    std::vector<Vector> basis;
    for (const std::string_view name : names) {
      Vector v = named_unit(seed, fmt::format("class:{}", name), dim);
      for (const Vector& earlier : basis) add_scaled(v, -dot(v, earlier), earlier);
      normalise(v);
      basis.push_back(std::move(v));
    }
    common = basis[0], noun = basis[1], marker = basis[2];
    negative = basis[3], affirmative = basis[4], context = basis[5];
  }

  /// Direction of a word's class, of length 1; empty for a word without class.
  [[nodiscard]] Vector of(std::string_view word) const {
    if (role_of(word) == Role::noun) return noun;
    if (role_of(word) == Role::marker) {
      Vector direction = marker;
      add_scaled(direction, 1, among(words::modifiers, word) ? negative : affirmative);
      for (double& x : direction) x /= std::sqrt(2.0);
      return direction;
    }
    return is_context_word(word) ? context : Vector{};
  }
};

struct Word {
  std::vector<Real> vector;
  Role role = Role::plain;
};

Word make_word(std::string_view text, std::uint64_t seed, Size dim, const Directions& directions) {
  Vector v = named_unit(seed, fmt::format("word:{}", text), dim);
  if (const Vector direction = directions.of(text); !direction.empty()) {
    for (double& x : v) x *= std::sqrt(0.8);
    add_scaled(v, std::sqrt(0.2), direction);
  }
  add_scaled(v, 0.5, directions.common);
  normalise(v);
  return {{v.begin(), v.end()}, role_of(text)};
}

/// strength / sqrt(d) times the normals of a value matrix, [d, d].
Tensor value_matrix(std::uint64_t seed, int step, std::string_view head, double strength, Size dim) {
  Tensor matrix({dim, dim});
  const Vector normals = named_normals(seed, fmt::format("value:{}:{}", step, head), dim * dim);
  const double scale = strength / std::sqrt(static_cast<double>(dim));
  std::transform(normals.begin(), normals.end(), matrix.data(),
                 [&](double z) { return static_cast<Real>(scale * z); });
  return matrix;
}

/// 0.2 P_i / sqrt(d/2), [n, d]: sines in the even columns, cosines in the odd ones.
Tensor position_vectors(Size n, Size dim) {
  Tensor positions({n, dim});
  const double scale = 0.2 / std::sqrt(static_cast<double>(dim) / 2);
  for (Size c = 0; c < dim / 2; ++c) {
    const double wave = std::pow(10000.0, 2 * static_cast<double>(c) / static_cast<double>(dim));
    for (Size i = 0; i < n; ++i) {
      const double angle = static_cast<double>(i) / wave;
      positions.matrix()(i, 2 * c) = static_cast<Real>(scale * std::sin(angle));
      positions.matrix()(i, 2 * c + 1) = static_cast<Real>(scale * std::cos(angle));
    }
  }
  return positions;
}

void normalise_rows(MatrixView x) {
  EigenView rows = eigen(x);
  for (Size i = 0; i < x.rows; ++i) rows.row(i) /= rows.row(i).norm();
}

/// a_i = sum_{j != i} softmax_j(-|i-j|/2) x_j, by one recursion from the left and one from the right.
void local_means(ConstMatrixView x, MatrixView a) {
  const auto decay = static_cast<Real>(std::exp(-0.5));
  std::vector<Real> weight(idx(x.rows));
  Eigen::Matrix<Real, 1, Eigen::Dynamic> sum = Eigen::Matrix<Real, 1, Eigen::Dynamic>::Zero(x.cols);
  Real total = 0;
  for (Size i = 0; i < x.rows; ++i) {
    eigen(a).row(i) = sum;
    weight[idx(i)] = total;
    sum = decay * (sum + eigen(x).row(i));
    total = decay * (total + 1);
  }
  sum.setZero();
  total = 0;
  for (Size i = x.rows - 1; i >= 0; --i) {
    eigen(a).row(i) = (eigen(a).row(i) + sum) / (weight[idx(i)] + total);
    sum = decay * (sum + eigen(x).row(i));
    total = decay * (total + 1);
  }
}

/// Buffers of one thread for texts of up to n tokens.
struct Workspace {
  Workspace(Size n, Size dim) : x({n, dim}), local({n, dim}), scope({n, dim}) { roles.reserve(idx(n)); }
  Tensor x, local, scope;
  std::vector<Role> roles;
  std::vector<Size> targets;  ///< rows that the scope head writes to; row k of `scope` is for targets[k]
};

/// Means that the scope head carries: of all others to [CLS], of the markers on its left to a noun.
void scope_means(ConstMatrixView x, const std::vector<Role>& roles, MatrixView scope,
                 std::vector<Size>& targets) {
  targets.assign(1, 0);
  eigen(scope).row(0) = eigen(x.row_block(1, x.rows)).colwise().mean();
  std::vector<Size> markers;
  for (Size i = 1; i < x.rows; ++i) {
    if (roles[idx(i)] == Role::marker) markers.push_back(i);
    if (roles[idx(i)] != Role::noun || markers.empty()) continue;
    auto sum = eigen(scope).row(static_cast<Size>(targets.size()));
    sum.setZero();
    Real total = 0;
    for (const Size j : markers) {
      // Relative to the nearest marker, so that the largest weight is 1.
      const auto weight = static_cast<Real>(std::exp(static_cast<double>(j - markers.back()) / 4));
      sum += weight * eigen(x).row(j);
      total += weight;
    }
    sum /= total;
    targets.push_back(i);
  }
}

}  // namespace

std::span<const std::string_view> enum_names(SyntheticStates) {
  static constexpr std::array<std::string_view, 2> names{"synthetic", "raw"};
  return names;
}

void SyntheticEncoderOptions::fields(Fields& f) {
  f("encoder", encoder,
    "synthetic: words, positions, local mixing and a negation head; raw: words and positions only");
  f("dim", dim, at_least(8), "width of the states, even");
  f("seed", seed, at_least(0), "seed of the encoder's vectors");
}

std::vector<std::string> token_names(std::span<const std::string_view> words_of_text) {
  std::vector<std::string> names{std::string(first_token)};
  names.insert(names.end(), words_of_text.begin(), words_of_text.end());
  names.emplace_back(last_token);
  return names;
}

inline namespace TARN_PRECISION {

struct SyntheticEncoder::Tables {
  explicit Tables(const Options& options_in)
      : options(options_in), seed(static_cast<std::uint64_t>(options.seed)), directions(seed, options.dim) {
    for (const std::string_view word : words::all()) known.emplace(word, make(word));
    for (const std::string_view word : {first_token, last_token}) known.emplace(word, make(word));
    for (int t = 0; t < num_steps; ++t) {
      local.push_back(value_matrix(seed, t, "local", 0.4, options.dim));
      scope.push_back(value_matrix(seed, t, "scope", 0.6, options.dim));
    }
  }

  [[nodiscard]] Word make(std::string_view word) const {
    return make_word(word, seed, options.dim, directions);
  }

  void step(std::size_t t, MatrixView x, Workspace& work) const {
    const MatrixView local_rows = work.local.matrix().row_block(0, x.rows);
    local_means(x, local_rows);
    scope_means(x, work.roles, work.scope.matrix(), work.targets);
    multiply_serial(local_rows, Transpose::no, local[t].matrix(), Transpose::yes, x, Write::add);
    // The local means are spent: their buffer takes the scope head's output.
    const Size num_targets = static_cast<Size>(work.targets.size());
    multiply_serial(work.scope.matrix().row_block(0, num_targets), Transpose::no, scope[t].matrix(),
                    Transpose::yes, local_rows.row_block(0, num_targets));
    for (Size k = 0; k < num_targets; ++k) eigen(x).row(work.targets[idx(k)]) += eigen(local_rows).row(k);
    normalise_rows(x);
  }

  void set_token(std::string_view text, Size i, MatrixView x, ConstMatrixView positions,
                 Workspace& work) const {
    const auto set = [&](const Word& word) {
      work.roles.push_back(word.role);
      for (Size c = 0; c < x.cols; ++c) x(i, c) = word.vector[idx(c)] + positions(i, c);
    };
    if (const auto found = known.find(text); found != known.end()) return set(found->second);
    set(make(text));
  }

  void encode(std::span<const std::string_view> text, ConstMatrixView positions, Workspace& work,
              MatrixView out) const {
    const Size n = out.rows;
    const MatrixView x = work.x.matrix().row_block(0, n);
    work.roles.clear();
    set_token(first_token, 0, x, positions, work);
    for (Size i = 1; i + 1 < n; ++i) set_token(text[idx(i - 1)], i, x, positions, work);
    set_token(last_token, n - 1, x, positions, work);
    normalise_rows(x);
    if (options.encoder == SyntheticStates::synthetic) {
      for (std::size_t t = 0; t < idx(num_steps); ++t) step(t, x, work);
    }
    eigen(out) = eigen(x) * static_cast<Real>(std::sqrt(static_cast<double>(x.cols)));
  }

  Options options;
  std::uint64_t seed;
  Directions directions;
  std::unordered_map<std::string_view, Word> known;
  std::vector<Tensor> local, scope;  ///< value matrices by step, strengths included
};

namespace {

const SyntheticEncoderOptions& checked(const SyntheticEncoderOptions& options) {
  check_options(options, "synthetic-encoder");
  if (options.dim % 2 != 0) {
    throw ValueError(fmt::format("synthetic-encoder.dim: got {}; expected an even number", options.dim));
  }
  return options;
}

Size num_tokens(std::span<const std::string_view> text) {
  return static_cast<Size>(text.size()) + 2;
}

}  // namespace

SyntheticEncoder::SyntheticEncoder(const Options& options)
    : tables_(std::make_unique<const Tables>(checked(options))) {}
SyntheticEncoder::SyntheticEncoder(SyntheticEncoder&&) noexcept = default;
SyntheticEncoder::~SyntheticEncoder() = default;

Tensor SyntheticEncoder::encode(std::span<const std::string_view> text) const {
  const Size n = num_tokens(text);
  Tensor x({n, dim()});
  Workspace work(n, dim());
  const Tensor positions = position_vectors(n, dim());
  tables_->encode(text, positions.matrix(), work, x.matrix());
  return x;
}

EncodedTexts SyntheticEncoder::encode_all(std::span<const StressText> texts) const {
  std::vector<Size> offsets{0};
  Size longest = 0;
  for (const StressText& text : texts) {
    longest = std::max(longest, num_tokens(text.words));
    offsets.push_back(offsets.back() + num_tokens(text.words));
  }
  EncodedTexts encoded{Tensor({offsets.back(), dim()}), Segments(std::move(offsets))};
  const Tensor positions = position_vectors(longest, dim());
  for_blocks(static_cast<Size>(texts.size()), 16, [&](Size first, Size last) {
    Workspace work(longest, dim());
    for (Size b = first; b < last; ++b) {
      const Rows rows = encoded.sets.rows(b);
      tables_->encode(texts[idx(b)].words, positions.matrix(), work,
                      encoded.x.matrix().row_block(rows.begin, rows.end));
    }
  });
  return encoded;
}

Size SyntheticEncoder::dim() const {
  return tables_->options.dim;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
