#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/view.hpp"
#include "tarn/graph/mesh/mesh_labels.hpp"

#include <span>
#include <vector>

namespace tarn {

struct FaceAccuracy {
  double accuracy = 0;                ///< correct faces over all faces
  double area_weighted_accuracy = 0;  ///< share of the area per mesh, meshes weighed by their faces
};

/// Of predicted classes [N] against labels [N]; areas [N], meshes in `sets`. Meshes without faces are left
/// out. Throws ShapeError for lengths that differ and ValueError without any face.
[[nodiscard]] FaceAccuracy face_accuracy(std::span<const Size> predictions, std::span<const Size> labels,
                                         std::span<const double> areas, const Segments& sets);

struct EdgeAccuracy {
  double hard = 0;  ///< mean over edges of the weight that the predictions give the edge's own class
  double soft = 0;  ///< by area, the weight that they give any class allowed at the edge
};

/// Of predicted face classes [F] of one mesh against the classes of its edges, hard [M] and soft [M, K]
/// (above 0: allowed), in lexicographic order; an edge has the predicted classes of its one or two faces.
/// Soft accuracy is lenient by several points: never compare it with face accuracy. Throws DataError for an
/// edge with more than two faces, ShapeError for lengths that do not fit, ValueError for a mesh without
/// faces.
[[nodiscard]] EdgeAccuracy edge_accuracy(const TriangleMesh& mesh, std::span<const Size> predictions,
                                         std::span<const Size> hard, std::span<const double> soft,
                                         Size num_classes);

/// Faces that are of a class and predicted so, over those that are either: [K], -1 for a class that neither
/// side has.
[[nodiscard]] std::vector<double> class_ious(std::span<const Size> predictions, std::span<const Size> labels,
                                             Size num_classes);

/// Mean of the IoUs of the classes that occur.
[[nodiscard]] double mean_iou(std::span<const double> ious);

inline namespace TARN_PRECISION {
/// The column of the largest number in each row, the first of equals.
[[nodiscard]] std::vector<Size> largest_columns(ConstMatrixView scores);
}  // namespace TARN_PRECISION

}  // namespace tarn
