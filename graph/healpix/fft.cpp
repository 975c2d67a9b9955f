#include "tarn/graph/healpix/fft.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

using Complex = Fourier::Complex;
/// A butterfly of a prime factor costs its square; above this the convolution is cheaper.
constexpr Size largest_radix = 31;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

std::vector<Size> prime_factors(Size n) {
  std::vector<Size> factors;
  while (n % 4 == 0) {
    factors.push_back(4);
    n /= 4;
  }
  for (Size p = 2; p * p <= n; ++p) {
    for (; n % p == 0; n /= p) factors.push_back(p);
  }
  if (n > 1) factors.push_back(n);
  return factors;
}

/// exp(-2 pi i k / n).
Complex root(Size k, Size n) {
  const double angle = 2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  return {std::cos(angle), -std::sin(angle)};
}

/// One pass of the transform: `radix` parts of length/radix numbers, m of which are transformed already.
void pass(const Complex* in, Complex* out, Size length, Size radix, Size done,
          const std::vector<Complex>& roots) {
  const Size rest = length / (radix * done);  // transforms that this pass joins, done numbers each
  const Size stride = length / radix;         // between the parts of a butterfly, and the roots of unity
  std::vector<Complex> part(at(radix));
  for (Size j = 0; j < done; ++j) {
    for (Size r = 0; r < rest; ++r) {
      for (Size q = 0; q < radix; ++q)
        part[at(q)] = times(in[(q * rest + r) * done + j], roots[at(q * j * rest % length)]);
      for (Size p = 0; p < radix; ++p) {
        Complex sum = part[0];
        for (Size q = 1; q < radix; ++q) sum += times(part[at(q)], roots[at(p * q % radix * stride)]);
        out[(r * radix + p) * done + j] = sum;
      }
    }
  }
}

/// The same with radix 4, whose butterfly needs no products.
void pass_of_four(const Complex* in, Complex* out, Size length, Size done,
                  const std::vector<Complex>& roots) {
  const Size rest = length / (4 * done);
  for (Size j = 0; j < done; ++j) {
    const Complex w1 = roots[at(j * rest)], w2 = roots[at(2 * j * rest)], w3 = roots[at(3 * j * rest)];
    for (Size r = 0; r < rest; ++r) {
      const Complex a = in[r * done + j], b = times(in[(rest + r) * done + j], w1);
      const Complex c = times(in[(2 * rest + r) * done + j], w2);
      const Complex d = times(in[(3 * rest + r) * done + j], w3);
      const Complex sum = a + c, difference = a - c, other = b + d;
      const Complex turned{(b - d).imag(), -(b - d).real()};  // -i (b - d)
      Complex* to = out + 4 * r * done + j;
      to[0] = sum + other;
      to[done] = difference + turned;
      to[2 * done] = sum - other;
      to[3 * done] = difference - turned;
    }
  }
}

}  // namespace

/// The transform as a convolution with a chirp, by transforms of a power of two.
struct Fourier::Bluestein {
  explicit Bluestein(Size n) : inner(padded(n)), chirp(at(n)), filter(at(inner.length())) {
    for (Size k = 0; k < n; ++k) chirp[at(k)] = root(k * k % (2 * n), 2 * n);
    for (Size k = 0; k < n; ++k) {
      filter[at(k)] = std::conj(chirp[at(k)]);
      if (k > 0) filter[at(inner.length() - k)] = std::conj(chirp[at(k)]);
    }
    inner.forward(filter);
  }
  static Size padded(Size n) {
    Size size = 1;
    while (size < 2 * n) size *= 2;
    return size;
  }

  void forward(std::span<Complex> data) const {
    std::vector<Complex> work(filter.size());
    for (std::size_t k = 0; k < data.size(); ++k) work[k] = times(data[k], chirp[k]);
    inner.forward(work);
    for (std::size_t k = 0; k < work.size(); ++k) work[k] = times(work[k], filter[k]);
    inner.backward(work);
    const double scale = 1 / static_cast<double>(work.size());
    for (std::size_t k = 0; k < data.size(); ++k) data[k] = scale * times(work[k], chirp[k]);
  }

  Fourier inner;
  std::vector<Complex> chirp, filter;
};

Fourier::Fourier(Size length) : length_(length), factors_(prime_factors(length)) {
  if (!factors_.empty() && *std::max_element(factors_.begin(), factors_.end()) > largest_radix) {
    bluestein_ = std::make_unique<const Bluestein>(length);
    return;
  }
  for (Size k = 0; k < length; ++k) roots_.push_back(root(k, length));
}

Fourier::~Fourier() = default;
Fourier::Fourier(Fourier&&) noexcept = default;

void Fourier::mixed_radix(Complex* data, Complex* scratch) const {
  // Stockham's order: each pass joins interleaved parts, and the last leaves the result in order.
  Complex *from = data, *to = scratch;
  Size done = 1;
  for (const Size radix : factors_) {
    if (radix == 4) {
      pass_of_four(from, to, length_, done, roots_);
    } else {
      pass(from, to, length_, radix, done, roots_);
    }
    done *= radix;
    std::swap(from, to);
  }
  if (from != data) std::copy_n(from, length_, data);
}

void Fourier::forward(std::span<Complex> data) const {
  assert(static_cast<Size>(data.size()) == length_);
  if (bluestein_ != nullptr) return bluestein_->forward(data);
  std::vector<Complex> scratch(data.size());
  mixed_radix(data.data(), scratch.data());
}

void Fourier::backward(std::span<Complex> data) const {
  for (Complex& v : data) v = std::conj(v);
  forward(data);
  for (Complex& v : data) v = std::conj(v);
}

}  // namespace tarn::healpix
