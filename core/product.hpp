#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/core/view.hpp"

#include <string_view>

namespace tarn {

enum class Transpose { no, yes };
/// Whether a result replaces what stands in its place or is added to it.
enum class Write { assign, add };

inline namespace TARN_PRECISION {

/// Called on each finished block of rows of a product while it is in cache: first row, and the block itself.
using RowBlockFunction = FunctionRef<void(Size first_row, MatrixView block)>;

/// C (+)= op(A) op(B), in parallel. Rows of C are cut into fixed blocks; op(A) = A^T with many rows is cut
/// into fixed runs of those rows whose partial products are added in order. The same bits for any number of
/// threads. All products of the library go through this file: oneDNN's sgemm where it was found, else Eigen.
void multiply(ConstMatrixView a, Transpose transpose_a, ConstMatrixView b, Transpose transpose_b,
              MatrixView c, Write write = Write::assign);

/// C = op(A) op(B), and `finish` on each block of rows: bias and activation cost no pass of their own. A is
/// not transposed.
void multiply_rows(ConstMatrixView a, ConstMatrixView b, Transpose transpose_b, MatrixView c, Write write,
                   RowBlockFunction finish);

/// The same product on the calling thread alone, for use inside parallel loops.
void multiply_serial(ConstMatrixView a, Transpose transpose_a, ConstMatrixView b, Transpose transpose_b,
                     MatrixView c, Write write = Write::assign);

}  // namespace TARN_PRECISION

/// "oneDNN" or "Eigen".
[[nodiscard]] std::string_view product_library();

}  // namespace tarn
