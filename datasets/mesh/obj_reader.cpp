#include "tarn/datasets/mesh/mesh_readers.hpp"
#include "tarn/datasets/mesh/text_lines.hpp"

#include <fmt/format.h>

#include <limits>

namespace tarn::detail {

namespace {

constexpr Size max_index = std::numeric_limits<NodeId>::max();

class ObjReader {
 public:
  ObjReader(std::string_view bytes, std::string_view name) : lines_(bytes, name) {}

  PolygonSoup read() {
    while (next_statement()) {
      Words words(statement_);
      const std::string_view kind = words.next();
      if (kind == "v") {
        read_vertex(words);
      } else if (kind == "f") {
        read_face(words);
      }
    }
    check_range();
    return std::move(soup_);
  }

 private:
  /// A line and those that a backslash at its end joins to it, without comments. A comment ends with its
  /// line.
  bool next_statement() {
    bool any = false;
    joined_.clear();
    while (lines_.next()) {
      any = true;
      const std::string_view line = lines_.line();
      const std::size_t comment = line.find('#');
      statement_ = line.substr(0, comment);
      const bool goes_on = comment == line.npos && statement_.ends_with('\\');
      if (!goes_on && joined_.empty()) return true;
      if (goes_on) statement_.remove_suffix(1);
      joined_ += statement_;
      joined_ += ' ';
      if (!goes_on) break;
    }
    statement_ = joined_;
    return any;
  }

  void read_vertex(Words& words) {
    if (soup_.vertices.size() >= static_cast<std::size_t>(max_index))
      lines_.fail("more vertices than 32 bits count");
    Vec3 v;
    v.x = lines_.real(words.next(), "x of a vertex");
    v.y = lines_.real(words.next(), "y of a vertex");
    v.z = lines_.real(words.next(), "z of a vertex");
    soup_.vertices.push_back(v);
  }

  void read_face(Words& words) {
    corners_.clear();
    while (words.more()) corners_.push_back(read_corner(words.next()));
    if (corners_.size() < 3) {
      lines_.fail(fmt::format("a face of {} corners; expected at least 3", corners_.size()));
    }
    if (soup_.corners.size() + corners_.size() > static_cast<std::size_t>(max_index) / 3) {
      lines_.fail("more corners than 32 bits count");
    }
    soup_.add_polygon(corners_);
  }

  /// v, v/t, v//n or v/t/n.
  NodeId read_corner(std::string_view word) {
    const std::size_t slash = word.find('/');
    const NodeId vertex = resolve(lines_.whole(word.substr(0, slash), "a corner"), word);
    std::string_view rest = slash == word.npos ? "" : word.substr(slash + 1);
    for (int part = 0; !rest.empty() && part < 2; ++part) {
      const std::size_t end = rest.find('/');
      const std::string_view number = rest.substr(0, end);
      if (!number.empty()) static_cast<void>(lines_.whole(number, "part of a corner"));
      rest = end == rest.npos ? "" : rest.substr(end + 1);
    }
    if (!rest.empty())
      lines_.fail(fmt::format("a corner is {}; expected v, v/t, v//n or v/t/n", shown(word)));
    return vertex;
  }

  /// From 1, or back from the vertices read so far. What is ahead may still come.
  NodeId resolve(Size index, std::string_view word) {
    const auto so_far = static_cast<Size>(soup_.vertices.size());
    if (index == 0 || index < -so_far || index > max_index) {
      lines_.fail(
          fmt::format("a corner is {}; expected a vertex from 1, or from -1 to {}", shown(word), -so_far));
    }
    const Size vertex = index > 0 ? index - 1 : so_far + index;
    if (vertex > furthest_) {
      furthest_ = vertex;
      furthest_line_ = lines_.number();
    }
    return static_cast<NodeId>(vertex);
  }

  /// Faces may name vertices that follow them.
  void check_range() {
    if (furthest_ < static_cast<Size>(soup_.vertices.size())) return;
    lines_.fail(
        fmt::format("the file ends with {} vertices but the face in line {} names vertex {}; expected "
                    "vertices from 1 to {}",
                    soup_.vertices.size(), furthest_line_, furthest_ + 1, soup_.vertices.size()));
  }

  TextLines lines_;
  std::string_view statement_;
  std::string joined_;
  std::vector<NodeId> corners_;
  PolygonSoup soup_;
  Size furthest_ = -1;
  Size furthest_line_ = 0;
};

}  // namespace

PolygonSoup read_obj(std::string_view bytes, std::string_view name) {
  return ObjReader(bytes, name).read();
}

}  // namespace tarn::detail
