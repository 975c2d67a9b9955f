#pragma once

#include "tarn/core/real.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// C_l^EE of the cosmic microwave background as a function of the optical depth tau, in muK^2: a natural
/// cubic spline in tau for each degree through the rows of a file.
class TauSpectra {
 public:
  /// Reads an HDF5 file with `tau` [n], `ell` [L] counting from 0 and `cl` [n, L, 4], columns TT, EE, BB, TE.
  /// Throws IoError if it cannot be opened; DataError, naming it, for other shapes, tau that does not rise,
  /// or numbers that are not finite.
  [[nodiscard]] static TauSpectra read(const std::filesystem::path& path);
  /// power[i][l] at taus[i]. Throws DataError, naming `where`, for less than two taus or lists that differ in
  /// length.
  TauSpectra(std::vector<double> taus, std::vector<std::vector<double>> power, const std::string& where);

  [[nodiscard]] double low() const { return taus_.front(); }
  [[nodiscard]] double high() const { return taus_.back(); }
  [[nodiscard]] Size lmax() const { return static_cast<Size>(power_.front().size()) - 1; }
  /// [lmax + 1], and its derivative by tau. Throws ValueError outside low() .. high() and for more degrees
  /// than there are.
  [[nodiscard]] std::vector<double> values(double tau, Size lmax) const;
  [[nodiscard]] std::vector<double> slopes(double tau, Size lmax) const;

 private:
  [[nodiscard]] std::size_t piece(double tau, Size lmax) const;

  std::vector<double> taus_;
  std::vector<std::vector<double>> power_;  ///< [tau][l]
  std::vector<std::vector<double>> bend_;   ///< second derivatives, [tau][l]
};

}  // namespace tarn
