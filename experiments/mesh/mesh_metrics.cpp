#include "tarn/experiments/mesh/mesh_metrics.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

void require_equal_lengths(const char* where, std::size_t a, std::size_t b, const char* what) {
  if (a == b) return;
  throw ShapeError(fmt::format("{}: {} predictions but {} {}; expected the same number", where, a, b, what));
}

}  // namespace

FaceAccuracy face_accuracy(std::span<const Size> predictions, std::span<const Size> labels,
                           std::span<const double> areas, const Segments& sets) {
  require_equal_lengths("mesh-face-accuracy", predictions.size(), labels.size(), "labels");
  require_equal_lengths("mesh-face-accuracy", predictions.size(), areas.size(), "areas");
  sets.require_cover("mesh-face-accuracy", static_cast<Size>(predictions.size()));
  if (predictions.empty()) throw ValueError("mesh-face-accuracy: no faces; expected at least one");
  double correct = 0, weighted = 0;
  for (Size b = 0; b < sets.count(); ++b) {
    double right_area = 0, area = 0;
    for (Size f = sets.rows(b).begin; f < sets.rows(b).end; ++f) {
      const bool right = predictions[idx(f)] == labels[idx(f)];
      correct += right;
      right_area += right ? areas[idx(f)] : 0;
      area += areas[idx(f)];
    }
    if (area > 0) weighted += static_cast<double>(sets.size(b)) * right_area / area;
  }
  const auto n = static_cast<double>(predictions.size());
  return {correct / n, weighted / n};
}

EdgeAccuracy edge_accuracy(const TriangleMesh& mesh, std::span<const Size> predictions,
                           std::span<const Size> hard, std::span<const double> soft, Size num_classes) {
  const HalfEdges half_edges(mesh);
  const Size num_edges = half_edges.num_edges();
  if (num_edges == 0) throw ValueError("mesh-edge-accuracy: a mesh without faces; expected at least one");
  require_equal_lengths("mesh-edge-accuracy", idx(num_edges), hard.size(), "hard labels, one per mesh edge");
  require_equal_lengths("mesh-edge-accuracy", idx(num_edges * num_classes), soft.size(), "soft weights");
  const SoftEdgeLabels predicted = edge_labels_from_faces(mesh, half_edges, predictions, num_classes);
  EdgeAccuracy result;
  for (Size e = 0; e < num_edges; ++e) {
    if (half_edges.around(e).size() > 2) {
      const auto [a, b] = half_edges.ends(e);
      throw DataError(fmt::format(
          "mesh-edge-accuracy: {} faces meet at the edge of vertices {} and {}; expected at most two",
          half_edges.around(e).size(), a, b));
    }
    const Size label = hard[idx(e)];
    if (label < 0 || label >= num_classes) {
      throw ValueError(fmt::format("mesh-edge-accuracy: mesh edge {} has class {}; expected 0 to {}", e,
                                   label, num_classes - 1));
    }
    const auto weights = predicted.of(e);
    result.hard += weights[idx(label)] / static_cast<double>(num_edges);
    double allowed = 0;
    for (Size k = 0; k < num_classes; ++k) {
      if (soft[idx(e * num_classes + k)] > 0) allowed += weights[idx(k)];
    }
    result.soft += predicted.areas[idx(e)] * allowed;
  }
  return result;
}

std::vector<double> class_ious(std::span<const Size> predictions, std::span<const Size> labels,
                               Size num_classes) {
  require_equal_lengths("mesh-iou", predictions.size(), labels.size(), "labels");
  std::vector<double> both(idx(num_classes), 0), either(idx(num_classes), 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (const Size c : {predictions[i], labels[i]}) {
      if (c < 0 || c >= num_classes)
        throw ValueError(fmt::format("mesh-iou: class {} at {}; expected 0 to {}", c, i, num_classes - 1));
    }
    both[idx(labels[i])] += predictions[i] == labels[i];
    either[idx(labels[i])] += 1;
    either[idx(predictions[i])] += predictions[i] != labels[i];
  }
  std::vector<double> ious;
  for (std::size_t c = 0; c < both.size(); ++c) ious.push_back(either[c] > 0 ? both[c] / either[c] : -1);
  return ious;
}

double mean_iou(std::span<const double> ious) {
  double sum = 0, count = 0;
  for (const double iou : ious) {
    if (iou < 0) continue;
    sum += iou;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

inline namespace TARN_PRECISION {

std::vector<Size> largest_columns(ConstMatrixView scores) {
  std::vector<Size> best;
  for (Size i = 0; i < scores.rows; ++i) {
    const auto row = scores.row_span(i);
    best.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return best;
}

}  // namespace TARN_PRECISION

}  // namespace tarn
