#include "tarn/pooling/normalisers/division_weights.hpp"
#include "tarn/pooling/normalisers/entmax_weights.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"
#include "tarn/pooling/normalisers/sigmoid_weights.hpp"
#include "tarn/pooling/normalisers/softmax_weights.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_normalisers(Registry<Normaliser>& r) {
  r.add<SoftmaxWeights>(
      "softmax-weights",
      {"exp(s_i / T) / sum_j exp(s_j / T)",
       "Dukhan & Ablavatski 2020, The Two-Pass Softmax Algorithm, arXiv 2001.04438; Milakov & "
       "Gimelshein 2018, arXiv 1805.02867"});
  r.add<DivisionWeights>("division-weights", {"phi(s_i / T) / sum_j abs(phi(s_j / T))", ""});
  r.add<SigmoidWeights>(
      "sigmoid-weights",
      {"sigmoid(s_i / T - ln n)", "Ramapuram et al. 2024, Sigmoid Self-Attention, arXiv 2409.04431"});
  r.add<EntmaxWeights>("entmax-weights",
                       {"max(0, (alpha - 1) s_i / T - tau)^(1 / (alpha - 1)), tau such that they sum to 1",
                        "Martins & Astudillo 2016, arXiv 1602.02068; Peters et al. 2019, arXiv 1905.05702"});
  r.add<GumbelSoftmaxWeights>("gumbel-softmax-weights",
                              {"softmax((s + g) / T), g Gumbel noise in training",
                               "Jang et al. 2016, arXiv 1611.01144; Maddison et al. 2016, arXiv 1611.00712"});
}

Registry<Normaliser>& normalisers() {
  static Registry<Normaliser> registry = [] {
    Registry<Normaliser> r("normaliser");
    register_normalisers(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
