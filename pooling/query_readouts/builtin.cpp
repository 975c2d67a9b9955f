#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/query_readouts/query_softmax.hpp"
#include "tarn/pooling/query_readouts/x_pool.hpp"

namespace tarn {

namespace {

template <class Add>
void list_query_readouts(Add add) {
  add(Op<XPool>(), "x-pool", "P4, P3 with shared queries",
      {"queries attend to the rows; norms and maps, no residual from the query",
       "Gorti et al. 2022, X-Pool, arXiv 2203.15086"});
  add(Op<QuerySoftmax>(), "query-softmax", "P3 with shared queries",
      {"sum a_i x_i, a = softmax(<x_i, q> / temperature)", "Gorti et al. 2022, arXiv 2203.15086"});
  add(Op<QueryTopK>(), "query-topk", "P4, P5",
      {"sum or mean of the k rows with the largest <x_i, q>", "Gorti et al. 2022, arXiv 2203.15086"});
}

}  // namespace

Primitives query_readout_primitives() {
  Primitives notes;
  list_query_readouts(noting_in(notes));
  return notes;
}

inline namespace TARN_PRECISION {

void register_query_readouts(Registry<QueryReadout>& r) {
  list_query_readouts(adding_to(r));
}

Registry<QueryReadout>& query_readouts() {
  static Registry<QueryReadout> registry = [] {
    Registry<QueryReadout> r("query readout");
    register_query_readouts(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
