// A readout of one's own in a project of one's own: mean and maximum of a learned projection, side by side.
// All verbs of tarn know it: mean_max run stress readouts=["mean-max","glot"], mean_max report, ...

#include "tarn/core/layers.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/experiments/program.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>
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
  explicit MeanMax(const Options& o) : Readout("mean-max", o), o_(o) {}

  tarn::Pooled pool(const tarn::SetInput& in) override {
    const tarn::Var h = project_.forward(in.x, tarn::Activation::relu);  // [N, hidden]
    return {tarn::concat_columns(std::array{tarn::segment_reduce(h, in.sets, tarn::Reduce::mean),
                                            tarn::segment_reduce(h, in.sets, tarn::Reduce::max)})};
  }
  tarn::Size out_dim(tarn::Size) const override { return 2 * o_.hidden; }

 private:
  Options o_;
  tarn::Linear& project_ = child("project", std::make_unique<tarn::Linear>(o_.in_channels, o_.hidden));
};

int main(int argc, char** argv) {
  tarn::readouts().add<MeanMax>("mean-max", {"[mean, max] of relu(linear(x))", ""});
  return tarn::run_program(argc, argv);
}
