#include "tarn/graph/healpix/conv.hpp"

namespace tarn {

void HealpixConvOptions::fields(Fields& f) {
  SkyOptions::fields(f);
  f("in_channels", in_channels, at_least(1), "channels of the maps that come in");
  f("out_channels", out_channels, at_least(1), "channels of the result");
  f("bias", bias, "adds a number to every channel of the result");
  f("missing", missing, "what stands for a neighbour that does not exist");
}

inline namespace TARN_PRECISION {

HealpixConv::HealpixConv(const Options& options)
    : stencil_((check_options(options, "healpix-conv"), options.sky("healpix-conv")), options.missing),
      weight_(parameter("weight", {options.out_channels, options.in_channels, 9},
                        glorot(9 * options.in_channels, 9 * options.out_channels))),
      bias_(options.bias ? &parameter("bias", {options.out_channels}, constant(0)) : nullptr) {}

Var HealpixConv::forward(Var x, const healpix::Epilogue& epilogue) {
  Tape& tape = x.tape();
  return stencil_(x, tape.parameter(weight_), bias_ != nullptr ? tape.parameter(*bias_) : Var{}, epilogue);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
