#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/segments.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

/// Attention blocks as plain loops over one set, from the parameters of a module by name: the reference for
/// what has no golden case.
namespace tarn::test {

using Matrix = std::vector<std::vector<double>>;

inline Matrix matrix(ConstMatrixView m, Rows rows) {
  Matrix result;
  for (Size i = rows.begin; i < rows.end; ++i) result.emplace_back(m.row(i), m.row(i) + m.cols);
  return result;
}

inline void append(std::vector<Real>& to, const Matrix& m) {
  for (const auto& row : m) {
    for (const double v : row) to.push_back(static_cast<Real>(v));
  }
}

class PlainModule {
 public:
  explicit PlainModule(Module& module) {
    for (const auto& [name, p] : module.state()) parameters_[name] = p;
  }
  [[nodiscard]] Matrix value(const std::string& name) const {
    const Tensor& t = parameters_.at(name)->value;
    return matrix(t.matrix(), {0, t.matrix().rows});
  }
  [[nodiscard]] bool has(const std::string& name) const { return parameters_.contains(name); }

  [[nodiscard]] Matrix linear(const Matrix& x, const std::string& name) const {
    const Matrix w = value(name + ".weight");
    const bool biased = has(name + ".bias");
    const Matrix b = biased ? value(name + ".bias") : Matrix();
    Matrix y(x.size(), std::vector<double>(w.size(), 0.0));
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t o = 0; o < w.size(); ++o) {
        for (std::size_t j = 0; j < x[i].size(); ++j) y[i][o] += w[o][j] * x[i][j];
        if (biased) y[i][o] += b[0][o];
      }
    }
    return y;
  }
  [[nodiscard]] Matrix norm(Matrix x, const std::string& name) const {
    const Matrix w = value(name + ".weight"), b = value(name + ".bias");
    for (auto& row : x) {
      const auto n = static_cast<double>(row.size());
      double mean = 0, var = 0;
      for (const double v : row) mean += v / n;
      for (const double v : row) var += (v - mean) * (v - mean) / n;
      for (std::size_t j = 0; j < row.size(); ++j)
        row[j] = w[0][j] * (row[j] - mean) / std::sqrt(var + 1e-5) + b[0][j];
    }
    return x;
  }
  /// Set Transformer's block of the official code.
  [[nodiscard]] Matrix original_block(const Matrix& x, const Matrix& y, const std::string& name,
                                      std::size_t heads) const;
  /// The same from keys and values.
  [[nodiscard]] Matrix original_block(const Matrix& x, const Matrix& k, const Matrix& v,
                                      const std::string& name, std::size_t heads) const;

 private:
  std::map<std::string, Parameter*> parameters_;
};

/// softmax(scale <q, k_i>) over the rows of k, columns first .. first+width-1.
inline std::vector<double> attention_weights(const std::vector<double>& q, const Matrix& k, std::size_t first,
                                             std::size_t width, double scale) {
  std::vector<double> w;
  for (const auto& key : k) {
    double score = 0;
    for (std::size_t j = first; j < first + width; ++j) score += q[j] * key[j];
    w.push_back(scale * score);
  }
  if (w.empty()) return w;
  const double highest = *std::max_element(w.begin(), w.end());
  double sum = 0;
  for (double& v : w) sum += v = std::exp(v - highest);
  for (double& v : w) v /= sum;
  return w;
}

inline Matrix attend(const Matrix& q, const Matrix& k, const Matrix& v, std::size_t heads, double scale) {
  Matrix y;
  for (const auto& query : q) {
    std::vector<double> row(query.size(), 0.0);
    const std::size_t width = query.size() / heads;
    for (std::size_t h = 0; h < heads; ++h) {
      const auto w = attention_weights(query, k, h * width, width, scale);
      for (std::size_t i = 0; i < w.size(); ++i) {
        for (std::size_t j = h * width; j < (h + 1) * width; ++j) row[j] += w[i] * v[i][j];
      }
    }
    y.push_back(row);
  }
  return y;
}

inline Matrix sum(Matrix a, const Matrix& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[i].size(); ++j) a[i][j] += b[i][j];
  }
  return a;
}

inline Matrix PlainModule::original_block(const Matrix& x, const Matrix& k, const Matrix& v,
                                          const std::string& name, std::size_t heads) const {
  const Matrix q = linear(x, name + ".fc_q");
  Matrix o = sum(q, attend(q, k, v, heads, 1 / std::sqrt(static_cast<double>(q[0].size()))));
  if (has(name + ".ln0.weight")) o = norm(o, name + ".ln0");
  Matrix forward = linear(o, name + ".fc_o");
  for (auto& row : forward) {
    for (double& number : row) number = std::max(number, 0.0);
  }
  o = sum(o, forward);
  return has(name + ".ln1.weight") ? norm(o, name + ".ln1") : o;
}

inline Matrix PlainModule::original_block(const Matrix& x, const Matrix& y, const std::string& name,
                                          std::size_t heads) const {
  return original_block(x, linear(y, name + ".fc_k"), linear(y, name + ".fc_v"), name, heads);
}

}  // namespace tarn::test
