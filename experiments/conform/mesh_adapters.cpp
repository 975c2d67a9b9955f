#include "tarn/experiments/conform/mesh_adapters.hpp"

#include "tarn/experiments/mesh/mesh_metrics.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"
#include "tarn/graph/mesh/augment.hpp"
#include "tarn/graph/mesh/feature_stats.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"
#include "tarn/graph/mesh/mesh_features.hpp"
#include "tarn/graph/mesh/mesh_labels.hpp"
#include "tarn/graph/mesh/mesh_layer.hpp"

#include <algorithm>
#include <map>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

std::vector<Triangle> faces_of(const CaseRun& run) {
  std::vector<Triangle> faces;
  const std::vector<Size> corners = run.integers("faces");
  for (std::size_t c = 0; c < corners.size(); c += 3) {
    faces.push_back({static_cast<NodeId>(corners[c]), static_cast<NodeId>(corners[c + 1]),
                     static_cast<NodeId>(corners[c + 2])});
  }
  return faces;
}

TriangleMesh mesh_of(const CaseRun& run) {
  TriangleMesh mesh{{}, faces_of(run)};
  const std::vector<double>& numbers = run.golden().input("vertices").values;
  for (std::size_t i = 0; i < numbers.size(); i += 3)
    mesh.vertices.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
  return mesh;
}

/// Faces alone; edges need no positions, only that the vertices exist.
HalfEdges half_edges_of(const CaseRun& run) {
  TriangleMesh mesh{{}, faces_of(run)};
  for (const Triangle& face : mesh.faces) {
    for (const NodeId v : face)
      mesh.vertices.resize(std::max(mesh.vertices.size(), static_cast<std::size_t>(v) + 1));
  }
  return HalfEdges(mesh);
}

template <class Range>
std::vector<double> as_doubles(const Range& range) {
  std::vector<double> result;
  for (const auto& v : range) result.push_back(static_cast<double>(v));
  return result;
}

std::vector<double> flat(const std::vector<Vec3>& vertices) {
  std::vector<double> result;
  for (const Vec3& v : vertices) result.insert(result.end(), {v.x, v.y, v.z});
  return result;
}

std::vector<double> flat(const std::vector<Triangle>& faces) {
  std::vector<double> result;
  for (const Triangle& t : faces) {
    for (const NodeId v : t) result.push_back(static_cast<double>(v));
  }
  return result;
}

std::vector<NodeId> ids(const CaseRun& run, const std::string& name) {
  const std::vector<Size> values = run.integers(name);
  return {values.begin(), values.end()};
}

Size num_classes(const CaseRun& run) {
  return *run.golden().options.find("num_classes")->integer();
}

void run_clean(CaseRun& run) {
  const auto options = read_options<MeshCleanOptions>(run.golden().user_options(), run.golden().op);
  const CleanMesh clean = clean_mesh(mesh_of(run), options);
  run.output("vertices", flat(clean.mesh.vertices));
  run.output("faces", flat(clean.mesh.faces));
}

void run_primal_dual(CaseRun& run) {
  const auto options = read_options<PrimalDualOptions>(run.golden().user_options(), run.golden().op);
  const PrimalDualMesh mesh = primal_dual_mesh(mesh_of(run), options);
  const PrimalPairs pairs = mesh.primal();
  const PrimalDualArrays arrays = PrimalDualGraph::build({&pairs, 1}, options.configuration).arrays();
  run.output("x", as_doubles(mesh.x.flat()));
  run.output("x_dual", as_doubles(mesh.x_dual.flat()));
  run.output("edges", as_doubles(arrays.edges));
  run.output("dual_edges", as_doubles(arrays.dual_edges));
  run.output("edge_to_dual", as_doubles(arrays.edge_to_dual));
}

void run_feature_stats(CaseRun& run) {
  for (const auto& [input, graph] : {std::pair{"x", "primal"}, std::pair{"x_dual", "dual"}}) {
    const ConstMatrixView x = run.input(input).value();
    const ChannelStats stats = channel_stats(run.golden().op, {&x, 1});
    run.output(std::string(graph) + "_mean", stats.mean);
    run.output(std::string(graph) + "_std", stats.std);
  }
}

void run_flip(CaseRun& run) {
  const auto options = read_options<FlipEdgesOptions>(run.golden().user_options(), run.golden().op);
  run.output("faces", flat(flip_edges(mesh_of(run), options, ids(run, "permutation"))));
}

void run_slide(CaseRun& run) {
  const auto options = read_options<SlideVerticesOptions>(run.golden().user_options(), run.golden().op);
  run.output("vertices", flat(slide_vertices(mesh_of(run), options, ids(run, "permutation"),
                                             run.golden().input("u_choice").values,
                                             run.golden().input("u_factor").values)));
}

void run_edge_to_face(CaseRun& run) {
  const FaceLabels labels = face_labels_from_edges(half_edges_of(run), run.integers("edge_labels"));
  run.output("labels", as_doubles(labels.labels));
  run.output("ambiguous", as_doubles(labels.ambiguous));
}

void run_face_to_edge(CaseRun& run) {
  const TriangleMesh mesh = mesh_of(run);
  const HalfEdges half_edges(mesh);
  const SoftEdgeLabels labels =
      edge_labels_from_faces(mesh, half_edges, run.integers("labels"), num_classes(run));
  std::vector<double> ends;
  for (Size e = 0; e < half_edges.num_edges(); ++e) {
    const auto [a, b] = half_edges.ends(e);
    ends.insert(ends.end(), {static_cast<double>(a), static_cast<double>(b)});
  }
  run.output("mesh_edges", std::move(ends));
  run.output("soft_labels", labels.weights);
  run.output("edge_areas", labels.areas);
}

void run_face_accuracy(CaseRun& run) {
  const FaceAccuracy result =
      face_accuracy(largest_columns(run.input("logits").value()), run.integers("labels"),
                    run.golden().input("areas").values, run.sets());
  run.output("accuracy", std::vector{result.accuracy});
  run.output("area_weighted_accuracy", std::vector{result.area_weighted_accuracy});
}

void run_edge_accuracy(CaseRun& run) {
  const EdgeAccuracy result = edge_accuracy(mesh_of(run), run.integers("labels"), run.integers("gt_hard"),
                                            run.golden().input("gt_soft").values, num_classes(run));
  run.output("hard_accuracy", std::vector{result.hard});
  run.output("soft_accuracy", std::vector{result.soft});
}

PrimalDualGraph graph_of(const CaseRun& run) {
  const auto sizes = [&](const char* name) { return run.integers(name); };
  DualConfiguration configuration = DualConfiguration::A;
  if (const Value* name = run.golden().options.find("configuration")) {
    configuration = *name->string() == "A"   ? DualConfiguration::A
                    : *name->string() == "B" ? DualConfiguration::B
                                             : DualConfiguration::C;
  }
  return PrimalDualGraph::from_arrays(run.golden().op,
                                      {.offsets = sizes("offsets"),
                                       .dual_offsets = sizes("dual_offsets"),
                                       .edges = ids(run, "edges"),
                                       .dual_edges = ids(run, "dual_edges"),
                                       .edge_to_dual = ids(run, "edge_to_dual")},
                                      configuration);
}

DualPrimal batch_of(CaseRun& run) {
  return {.x = run.input("x"), .x_dual = run.input("x_dual"), .graph = graph_of(run)};
}

/// How an unpooling layer is told of the pool before it.
PoolRecord record_of(CaseRun& run) {
  const auto clusters = [&](const char* name, const char* pooled) {
    return std::make_shared<const RowClusters>(ids(run, name), run.input(pooled).rows());
  };
  return {clusters("cluster", "x"), clusters("dual_cluster", "x_dual"), true};
}

void output_pool(CaseRun& run, const MeshLayerResult& result) {
  const PrimalDualArrays arrays = result.features.graph.arrays();
  run.output("edges", as_doubles(arrays.edges));
  run.output("dual_edges", as_doubles(arrays.dual_edges));
  run.output("edge_to_dual", as_doubles(arrays.edge_to_dual));
  run.output("offsets", as_doubles(arrays.offsets));
  run.output("dual_offsets", as_doubles(arrays.dual_offsets));
  run.output("cluster", as_doubles(result.record->clusters->group_of));
  run.output("dual_cluster", as_doubles(result.record->dual_clusters->group_of));
}

void run_layer(CaseRun& run) {
  const std::shared_ptr<MeshLayer> layer = mesh_layers().make(run.golden().op, run.golden().user_options());
  run.keep(layer);
  run.load(*layer);
  MeshLayerInput in;
  if (run.has("cluster")) {
    in.features = {.x = run.input("x"), .x_dual = run.input("x_dual"), .graph = {}};
    in.record = record_of(run);
  } else {
    in.features = batch_of(run);
    in.attention = run.input("attention");
  }
  const MeshLayerResult result = layer->apply(in);
  run.output("x", result.features.x);
  run.output("x_dual", result.features.x_dual);
  if (result.record) {
    output_pool(run, result);
  } else if (result.attention.given()) {
    run.output("attention", result.attention);
  }
}

void run_network(CaseRun& run) {
  const std::shared_ptr<MeshNetwork> network =
      mesh_networks().make(run.golden().op, run.golden().user_options());
  run.keep(network);
  run.load(*network);
  run.output("logits", network->forward(batch_of(run)));
}

/// Unpooling convolutions run inside the U-Net, whose cases cover them.
std::vector<std::string> layers_with_cases() {
  std::vector<std::string> names = mesh_layers().names();
  std::erase(names, "dual-primal-up-conv");
  return names;
}

/// An adapter for operators that have a function each.
Adapter table_adapter(std::string family, std::map<std::string, void (*)(CaseRun&)> functions) {
  std::vector<std::string> names;
  for (const auto& [name, function] : functions) names.push_back(name);
  return {std::move(family), [names] { return names; },
          [functions = std::move(functions)](CaseRun& run) { functions.at(run.golden().op)(run); }};
}

}  // namespace

std::vector<Adapter> mesh_adapters() {
  return {table_adapter("mesh function", {{"mesh-clean", run_clean},
                                          {"mesh-primal-dual", run_primal_dual},
                                          {"mesh-feature-stats", run_feature_stats},
                                          {"mesh-flip-edges", run_flip},
                                          {"mesh-slide-vertices", run_slide},
                                          {"mesh-edge-to-face-labels", run_edge_to_face},
                                          {"mesh-face-to-edge-labels", run_face_to_edge},
                                          {"mesh-face-accuracy", run_face_accuracy},
                                          {"mesh-edge-accuracy", run_edge_accuracy}}),
          {"mesh layer", layers_with_cases, run_layer},
          {"mesh network", [] { return mesh_networks().names(); }, run_network}};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
