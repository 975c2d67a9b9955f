#include "tarn/core/product.hpp"

#include "tarn/core/eigen.hpp"
#include "tarn/core/product_bf16.hpp"
#include "tarn/core/tensor.hpp"

#include <algorithm>
#include <cassert>
#include <vector>

#if TARN_WITH_DNNL && !TARN_DOUBLE
#include "tarn/core/signals_held.hpp"

#include <oneapi/dnnl/dnnl.h>
extern "C" void omp_set_num_threads(int);
#endif

namespace tarn {

namespace {

/// Rows of C in one block of a product, and rows of A and B in one partial product of A^T B. Constants:
/// results depend on them.
constexpr Size row_block = 256;
constexpr Size inner_block = 1024;
/// Inside the libraries the rows beyond a multiple of this take other paths, whose bits differ.
constexpr Size rows_at_once = 16;

void scale_or_clear(MatrixView c, Write write) {
  if (write == Write::add) return;
  for (Size i = 0; i < c.rows; ++i) std::fill_n(c.row(i), c.cols, Real{0});
}

#if TARN_WITH_DNNL && !TARN_DOUBLE

void product_kernel(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb, MatrixView c,
                    Write write) {
  // oneDNN brings OpenMP threads of its own; parallel work is ours to hand out.
  thread_local const bool single = (omp_set_num_threads(1), true);
  (void)single;
  const Size inner = ta == Transpose::no ? a.cols : a.rows;
  const auto letter = [](Transpose t) { return t == Transpose::no ? 'N' : 'T'; };
  const SignalsHeld held;
  dnnl_sgemm(letter(ta), letter(tb), c.rows, c.cols, inner, 1.0F, a.data, std::max<Size>(a.stride, 1), b.data,
             std::max<Size>(b.stride, 1), write == Write::add ? 1.0F : 0.0F, c.data,
             std::max<Size>(c.stride, 1));
}

#else

template <class A, class B>
void eigen_product(const A& a, const B& b, MatrixView c, Write write) {
  if (write == Write::add) {
    eigen(c).noalias() += a * b;
  } else {
    eigen(c).noalias() = a * b;
  }
}

void product_kernel(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb, MatrixView c,
                    Write write) {
  const auto ea = eigen(a);
  const auto eb = eigen(b);
  if (ta == Transpose::no && tb == Transpose::no) return eigen_product(ea, eb, c, write);
  if (ta == Transpose::no) return eigen_product(ea, eb.transpose(), c, write);
  if (tb == Transpose::no) return eigen_product(ea.transpose(), eb, c, write);
  eigen_product(ea.transpose(), eb.transpose(), c, write);
}

#endif

using Kernel = void (*)(ConstMatrixView, Transpose, ConstMatrixView, Transpose, MatrixView, Write);
Kernel kernel_of(ProductPrecision precision) {
  return precision == ProductPrecision::bf16 ? &bf16_product_kernel : &product_kernel;
}

/// C (+)= A op(B) for fewer than `rows_at_once` rows: the product of these rows and zeros below them, so that
/// a row gets the bits it gets among many.
void product_of_few_rows(ConstMatrixView a, ConstMatrixView b, Transpose tb, MatrixView c, Write write,
                         ProductPrecision precision) {
  thread_local std::vector<Real> scratch;
  const Size a_size = rows_at_once * a.cols;
  scratch.assign(static_cast<std::size_t>(a_size + rows_at_once * c.cols), Real{0});
  const MatrixView a_rows(scratch.data(), rows_at_once, a.cols);
  const MatrixView c_rows(scratch.data() + a_size, rows_at_once, c.cols);
  for (Size i = 0; i < c.rows; ++i) {
    std::copy_n(a.row(i), a.cols, a_rows.row(i));
    if (write == Write::add) std::copy_n(c.row(i), c.cols, c_rows.row(i));
  }
  kernel_of(precision)(a_rows, Transpose::no, b, tb, c_rows, write);
  for (Size i = 0; i < c.rows; ++i) std::copy_n(c_rows.row(i), c.cols, c.row(i));
}

/// C (+)= A^T op(B) with A of many rows: partial products over fixed runs of rows, added in order.
void multiply_split_inner(ConstMatrixView a, ConstMatrixView b, Transpose tb, MatrixView c, Write write,
                          ProductPrecision precision) {
  const Size inner = a.rows;
  const Size parts = (inner + inner_block - 1) / inner_block;
  // Kept from call to call on the thread that asks, so that a steady state allocates nothing.
  thread_local std::vector<Real> scratch;
  const Size part_size = (c.size() + 15) / 16 * 16;
  if (static_cast<Size>(scratch.size()) < parts * part_size)
    scratch.resize(static_cast<std::size_t>(parts * part_size));
  Real* const base = scratch.data();
  for_blocks(parts, 1, [&](Size p, Size) {
    const Size begin = p * inner_block, end = std::min(inner, begin + inner_block);
    const ConstMatrixView b_part = tb == Transpose::no ? b.row_block(begin, end) : b.column_block(begin, end);
    multiply_serial(a.row_block(begin, end), Transpose::yes, b_part, tb,
                    MatrixView(base + p * part_size, c.rows, c.cols), Write::assign, precision);
  });
  for_blocks(c.rows, std::max<Size>(1, 32768 / std::max<Size>(c.cols, 1)), [&](Size first, Size last) {
    for (Size i = first; i < last; ++i) {
      Real* out = c.row(i);
      if (write == Write::assign) std::fill_n(out, c.cols, Real{0});
      for (Size p = 0; p < parts; ++p) {
        const Real* in = base + p * part_size + i * c.cols;
        for (Size j = 0; j < c.cols; ++j) out[j] += in[j];
      }
    }
  });
}

}  // namespace

inline namespace TARN_PRECISION {

void multiply_serial(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb, MatrixView c,
                     Write write, ProductPrecision precision) {
  assert(c.rows == (ta == Transpose::no ? a.rows : a.cols));
  assert(c.cols == (tb == Transpose::no ? b.cols : b.rows));
  assert((ta == Transpose::no ? a.cols : a.rows) == (tb == Transpose::no ? b.rows : b.cols));
  if (c.size() == 0) return;
  if (a.size() == 0) return scale_or_clear(c, write);
  if (ta == Transpose::yes) return kernel_of(precision)(a, ta, b, tb, c, write);
  const Size whole = c.rows / rows_at_once * rows_at_once;
  if (whole > 0) kernel_of(precision)(a.row_block(0, whole), ta, b, tb, c.row_block(0, whole), write);
  if (whole < c.rows)
    product_of_few_rows(a.row_block(whole, c.rows), b, tb, c.row_block(whole, c.rows), write, precision);
}

void multiply_rows(ConstMatrixView a, ConstMatrixView b, Transpose tb, MatrixView c, Write write,
                   RowBlockFunction finish, ProductPrecision precision) {
  for_blocks(c.rows, row_block, [&](Size begin, Size end) {
    const MatrixView block = c.row_block(begin, end);
    multiply_serial(a.row_block(begin, end), Transpose::no, b, tb, block, write, precision);
    finish(begin, block);
  });
}

void multiply(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb, MatrixView c, Write write,
              ProductPrecision precision) {
  if (ta == Transpose::no)
    return multiply_rows(
        a, b, tb, c, write, [](Size, MatrixView) {}, precision);
  if (a.rows > inner_block) return multiply_split_inner(a, b, tb, c, write, precision);
  for_blocks(c.rows, row_block, [&](Size begin, Size end) {
    multiply_serial(a.column_block(begin, end), ta, b, tb, c.row_block(begin, end), write, precision);
  });
}

}  // namespace TARN_PRECISION

std::string_view product_library() {
#if TARN_WITH_DNNL && !TARN_DOUBLE
  return "oneDNN";
#else
  return "Eigen";
#endif
}

}  // namespace tarn
