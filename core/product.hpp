#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/core/view.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

enum class Transpose { no, yes };
/// Whether a result replaces what stands in its place or is added to it.
enum class Write { assign, add };
/// What the factors of a product are rounded to before it; sums are in Real either way.
enum class ProductPrecision { full, bf16 };
inline std::span<const std::string_view> enum_names(ProductPrecision) {
  static constexpr std::array<std::string_view, 2> names{"full", "bf16"};
  return names;
}

inline namespace TARN_PRECISION {

/// Called on each finished block of rows of a product while it is in cache: first row, and the block itself.
using RowBlockFunction = FunctionRef<void(Size first_row, MatrixView block)>;

/// C (+)= op(A) op(B), in parallel. Rows of C are cut into fixed blocks; op(A) = A^T with many rows is cut
/// into fixed runs of those rows whose partial products are added in order. The same bits for any number of
/// threads; where A is not transposed, a row of C has the same bits whatever rows stand beside it. All
/// products of the library go through this file: oneDNN's sgemm where it was found, else Eigen.
void multiply(ConstMatrixView a, Transpose transpose_a, ConstMatrixView b, Transpose transpose_b,
              MatrixView c, Write write = Write::assign, ProductPrecision precision = ProductPrecision::full);

/// C = op(A) op(B), and `finish` on each block of rows: bias and activation cost no pass of their own. A is
/// not transposed.
void multiply_rows(ConstMatrixView a, ConstMatrixView b, Transpose transpose_b, MatrixView c, Write write,
                   RowBlockFunction finish, ProductPrecision precision = ProductPrecision::full);

/// The same product on the calling thread alone, for use inside parallel loops.
void multiply_serial(ConstMatrixView a, Transpose transpose_a, ConstMatrixView b, Transpose transpose_b,
                     MatrixView c, Write write = Write::assign,
                     ProductPrecision precision = ProductPrecision::full);

}  // namespace TARN_PRECISION

/// Whether products in bfloat16 run on instructions of their own here (AVX-512 BF16 or AMX, by oneDNN), about
/// twice as fast; elsewhere they are emulated and slower.
[[nodiscard]] bool has_bf16_products();

/// "oneDNN" or "Eigen".
[[nodiscard]] std::string_view product_library();

}  // namespace tarn
