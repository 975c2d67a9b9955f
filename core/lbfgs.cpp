#include "tarn/core/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <utility>

namespace tarn {

namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double largest(const Vector& v) {
  double result = 0;
  for (const double x : v) result = std::max(result, std::abs(x));
  return result;
}

void add_scaled(Vector& y, double factor, const Vector& x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

Vector difference(const Vector& a, const Vector& b) {
  Vector result = a;
  add_scaled(result, -1, b);
  return result;
}

/// One remembered step with the change of the gradient along it.
struct Pair {
  Vector step, change;
  double curvature = 0;  ///< step . change, positive
};

/// The two-loop recursion: -H gradient, where H is the inverse Hessian that the pairs stand for.
Vector descent_direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector direction = gradient;
  Vector factors(pairs.size());
  for (std::size_t k = pairs.size(); k-- > 0;) {
    factors[k] = dot(pairs[k].step, direction) / pairs[k].curvature;
    add_scaled(direction, -factors[k], pairs[k].change);
  }
  // Before any curvature is known a step of length 1 at most.
  double scale = 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)));
  if (!pairs.empty()) scale = pairs.back().curvature / dot(pairs.back().change, pairs.back().change);
  for (double& x : direction) x *= scale;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const double factor = dot(pairs[k].change, direction) / pairs[k].curvature;
    add_scaled(direction, factors[k] - factor, pairs[k].step);
  }
  for (double& x : direction) x = -x;
  return direction;
}

struct Evaluation {
  Vector point, gradient;
  double value = 0;
};

/// Halves the step until the value falls by a share of what the slope promises; false if it never does.
bool step_down(GradientFunction function, const Evaluation& from, const Vector& direction, Evaluation& to) {
  const double slope = dot(from.gradient, direction);
  double length = 1;
  for (int attempt = 0; attempt < 40; ++attempt, length /= 2) {
    to.point = from.point;
    add_scaled(to.point, length, direction);
    to.value = function(to.point, to.gradient);
    if (to.value <= from.value + 1e-4 * length * slope && to.value < from.value) return true;
  }
  return false;
}

}  // namespace

Minimum minimise_lbfgs(GradientFunction function, std::vector<double> start,
                       const MinimiserOptions& options) {
  const std::size_t size = start.size();
  Evaluation now{std::move(start), Vector(size), 0}, next{{}, Vector(size), 0};
  now.value = function(now.point, now.gradient);
  std::deque<Pair> pairs;
  Size iteration = 0;
  while (iteration < options.max_iterations && largest(now.gradient) > options.tolerance) {
    if (!step_down(function, now, descent_direction(pairs, now.gradient), next)) break;
    Pair pair{difference(next.point, now.point), difference(next.gradient, now.gradient), 0};
    pair.curvature = dot(pair.step, pair.change);
    if (pair.curvature > 1e-12 * dot(pair.change, pair.change)) pairs.push_back(std::move(pair));
    if (static_cast<Size>(pairs.size()) > options.history) pairs.pop_front();
    std::swap(now, next);
    ++iteration;
  }
  const bool converged = largest(now.gradient) <= options.tolerance;
  return {std::move(now.point), now.value, iteration, converged};
}

}  // namespace tarn
