// A readout of one's own in a project of one's own: mean and maximum of a learned projection, side by side.

#include "tarn/core/layers.hpp"
#include "tarn/core/losses.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/optimiser.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>
#include <cstdio>
#include <memory>

struct MeanMaxOptions {
  tarn::Size in_channels = 0;
  tarn::Size hidden = 32;
  void fields(tarn::Fields& f) {
    f("in_channels", in_channels, tarn::at_least(1), "width of x");
    f("hidden", hidden, tarn::at_least(1), "width of the projection");
  }
};

/// y_b = [mean_i h_i, max_i h_i], h = relu(x W^T + c). x [N, D] -> [B, 2 hidden]; an empty set gives zeros.
class MeanMax final : public tarn::Readout {
 public:
  using Options = MeanMaxOptions;
  explicit MeanMax(const Options& o) : o_(o) {}

  tarn::Pooled forward(const tarn::SetInput& in) override {
    tarn::require_set_input("mean-max", in, o_.in_channels);
    const tarn::Var h = project_.forward(in.x, tarn::Activation::relu);  // [N, hidden]
    return {tarn::concat_columns(std::array{tarn::segment_reduce(h, in.sets, tarn::Reduce::mean),
                                            tarn::segment_reduce(h, in.sets, tarn::Reduce::max)})};
  }
  tarn::Size out_dim(tarn::Size) const override { return 2 * o_.hidden; }

 private:
  Options o_;
  tarn::Linear& project_ = child("project", std::make_unique<tarn::Linear>(o_.in_channels, o_.hidden));
};

int main() {
  tarn::readouts().add<MeanMax>("mean-max", {"[mean, max] of relu(linear(x))", ""});
  const auto readout = tarn::make_readout("mean-max", 3);
  readout->init(tarn::Rng(1));
  const auto optimiser = tarn::make_adam(readout->parameters(), {.lr = 0.05});
  tarn::Tensor x({5, 3});
  for (tarn::Size i = 0; i < 15; ++i) x.data()[i] = tarn::Real(i % 4) / 4;
  const std::array<tarn::Size, 2> labels{0, 40};
  tarn::Tape tape;
  for (int step = 0; step < 20; ++step) {
    tape.reset({.training = true});
    const auto y = readout->forward({.x = tape.input(x), .sets = tarn::Segments({0, 2, 5})}).y;
    const auto loss = tarn::cross_entropy(y, labels);
    tape.backward(loss);
    optimiser->step();
    std::printf("%g\n", static_cast<double>(loss.value()(0, 0)));
  }
}
