#pragma once

#include "tarn/core/real.hpp"

#include <complex>
#include <memory>
#include <span>
#include <vector>

namespace tarn::healpix {

/// The product of finite numbers; that of the standard library also looks for infinities.
[[nodiscard]] inline std::complex<double> times(const std::complex<double>& a,
                                                const std::complex<double>& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// Discrete Fourier transforms of one length, any from 1: mixed radix, by Bluestein's convolution where a
/// prime factor is large. O(n log n), double precision. Immutable, for any number of threads at once.
class Fourier {
 public:
  using Complex = std::complex<double>;
  explicit Fourier(Size length);
  ~Fourier();
  Fourier(Fourier&&) noexcept;

  [[nodiscard]] Size length() const { return length_; }
  /// y_j = sum over k of x_k exp(-2 pi i j k / n), in place. The other sign is the conjugate of the transform
  /// of the conjugate.
  void forward(std::span<Complex> data) const;
  /// y_j = sum over k of x_k exp(+2 pi i j k / n), not divided by n.
  void backward(std::span<Complex> data) const;

 private:
  struct Bluestein;
  void mixed_radix(Complex* data, Complex* scratch) const;

  Size length_;
  std::vector<Size> factors_;
  std::vector<Complex> roots_;  ///< exp(-2 pi i k / n)
  std::unique_ptr<const Bluestein> bluestein_;
};

}  // namespace tarn::healpix
