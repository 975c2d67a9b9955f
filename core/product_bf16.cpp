#include "tarn/core/product_bf16.hpp"

#include "tarn/core/tensor.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#if TARN_WITH_DNNL && !TARN_DOUBLE
#include "tarn/core/signals_held.hpp"

#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace tarn {

namespace {

/// The bfloat16 nearest to v as its 16 bits; NaN stays NaN.
std::uint16_t rounded_bits(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  const std::uint32_t nearest = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  const std::uint32_t quiet = (bits >> 16U) | 0x40U;
  return static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? quiet : nearest);
}

Tensor rounded(ConstMatrixView m) {
  Tensor result({m.rows, m.cols});
  for (Size i = 0; i < m.rows; ++i) {
    for (Size j = 0; j < m.cols; ++j) {
      const std::uint32_t bits = std::uint32_t{rounded_bits(static_cast<float>(m(i, j)))} << 16U;
      result.matrix()(i, j) = static_cast<Real>(std::bit_cast<float>(bits));
    }
  }
  return result;
}

#if TARN_WITH_DNNL && !TARN_DOUBLE

std::vector<std::uint16_t> rounded_run(ConstMatrixView m, std::vector<std::uint16_t> into) {
  into.resize(static_cast<std::size_t>(m.size()));
  for (Size i = 0; i < m.rows; ++i) {
    const Real* row = m.row(i);
    std::uint16_t* out = into.data() + i * m.cols;
    for (Size j = 0; j < m.cols; ++j) out[j] = rounded_bits(row[j]);
  }
  return into;
}

/// Products that oneDNN has generated code for, by shape, on one thread.
class Bf16Products {
 public:
  void run(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb, MatrixView c, Write write) {
    using dnnl::memory;
    a_ = rounded_run(a, std::move(a_));
    b_ = rounded_run(b, std::move(b_));
    const Size inner = ta == Transpose::no ? a.cols : a.rows;
    const Key key{c.rows, c.cols, inner, ta, tb, c.stride, write};
    auto known = products_.find(key);
    if (known == products_.end()) known = products_.emplace(key, make(key)).first;
    const Product& p = known->second;
    const SignalsHeld held;
    p.matmul.execute(stream_, {{DNNL_ARG_SRC, memory(p.a, engine_, a_.data())},
                               {DNNL_ARG_WEIGHTS, memory(p.b, engine_, b_.data())},
                               {DNNL_ARG_DST, memory(p.c, engine_, c.data)}});
    stream_.wait();
  }

 private:
  using Key = std::tuple<Size, Size, Size, Transpose, Transpose, Size, Write>;
  struct Product {
    dnnl::memory::desc a, b, c;
    dnnl::matmul matmul;
  };

  [[nodiscard]] Product make(const Key& key) const {
    using dnnl::memory;
    const auto& [rows, cols, inner, ta, tb, stride, write] = key;
    const auto strides = [](Transpose t, Size r, Size n) {
      return t == Transpose::no ? memory::dims{n, 1} : memory::dims{1, r};
    };
    Product p;
    p.a = memory::desc({rows, inner}, memory::data_type::bf16, strides(ta, rows, inner));
    p.b = memory::desc({inner, cols}, memory::data_type::bf16, strides(tb, inner, cols));
    p.c = memory::desc({rows, cols}, memory::data_type::f32, memory::dims{stride, 1});
    dnnl::primitive_attr attributes;
    if (write == Write::add) {
      dnnl::post_ops add;
      add.append_sum(1.0F);
      attributes.set_post_ops(add);
    }
#if DNNL_VERSION_MAJOR >= 3
    p.matmul = dnnl::matmul(dnnl::matmul::primitive_desc(engine_, p.a, p.b, p.c, attributes));
#else
    p.matmul = dnnl::matmul(dnnl::matmul::primitive_desc({p.a, p.b, p.c}, attributes, engine_));
#endif
    return p;
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Product> products_;
  std::vector<std::uint16_t> a_, b_;
};

#endif

}  // namespace

inline namespace TARN_PRECISION {

void bf16_product_kernel(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb, MatrixView c,
                         Write write) {
#if TARN_WITH_DNNL && !TARN_DOUBLE
  if (has_bf16_products()) {
    thread_local Bf16Products products;
    return products.run(a, ta, b, tb, c, write);
  }
#endif
  const Tensor x = rounded(a), y = rounded(b);
  multiply_serial(std::as_const(x).matrix(), ta, std::as_const(y).matrix(), tb, c, write);
}

}  // namespace TARN_PRECISION

bool has_bf16_products() {
#if TARN_WITH_DNNL && !TARN_DOUBLE
  const int isa = static_cast<int>(dnnl::get_effective_cpu_isa());
  const int wanted = static_cast<int>(dnnl::cpu_isa::avx512_core_bf16);
  return (isa & wanted) == wanted;
#else
  return false;
#endif
}

}  // namespace tarn
