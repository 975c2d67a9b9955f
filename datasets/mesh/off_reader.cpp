#include "tarn/datasets/mesh/mesh_readers.hpp"
#include "tarn/datasets/mesh/text_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tarn::detail {

namespace {

constexpr Size max_index = std::numeric_limits<NodeId>::max();
/// The shortest lines: "0 0 0" and an end, "0" and an end.
constexpr Size vertex_bytes = 6;
constexpr Size face_bytes = 2;

class OffReader {
 public:
  OffReader(std::string_view bytes, std::string_view name) : lines_(bytes, name) {}

  PolygonSoup read() {
    read_header();
    for (Size v = 0; v < num_vertices_; ++v) read_vertex(v);
    for (Size f = 0; f < num_faces_; ++f) read_face(f);
    return std::move(soup_);
  }

 private:
  /// Moves to the next line that holds more than a comment.
  bool next_content() {
    while (lines_.next()) {
      content_ = lines_.line().substr(0, lines_.line().find('#'));
      if (Words(content_).more()) return true;
    }
    return false;
  }

  void read_header() {
    if (!next_content()) lines_.fail("the file is empty; expected OFF");
    Words words(content_);
    const std::string_view word = words.next();
    const std::size_t end = word.find("OFF");
    if (end == word.npos) lines_.fail(fmt::format("the file begins with {}; expected OFF", shown(word)));
    require_known_kind(word.substr(0, end), word);
    // Many files glue the first count to the word.
    std::string_view first = word.substr(end + 3);
    if (first.empty()) first = words.next();
    if (first == "BINARY") lines_.fail("binary OFF is not supported; expected OFF as text");
    if (first.empty()) {
      if (!next_content())
        lines_.fail("the file ends before the counts; expected numbers of vertices and faces");
      words = Words(content_);
      first = words.next();
    }
    num_vertices_ = read_count(first, "the number of vertices", vertex_bytes);
    num_faces_ = read_count(words.next(), "the number of faces", face_bytes);
    soup_.vertices.reserve(static_cast<std::size_t>(num_vertices_));
    soup_.offsets.reserve(static_cast<std::size_t>(num_faces_) + 1);
  }

  /// What stands before OFF: texture coordinates, colours, normals, in this order.
  void require_known_kind(std::string_view prefix, std::string_view word) {
    std::string_view rest = prefix;
    if (rest.starts_with("ST")) rest.remove_prefix(2);
    if (rest.starts_with('C')) rest.remove_prefix(1);
    if (rest.starts_with('N')) rest.remove_prefix(1);
    if (rest.empty()) return;
    if (rest == "4" || rest == "n" || rest == "4n") {
      lines_.fail(fmt::format(
          "{} has points of other than three dimensions, which is not supported; expected OFF", shown(word)));
    }
    lines_.fail(fmt::format("the file begins with {}; expected OFF, COFF, NOFF or STOFF", shown(word)));
  }

  Size read_count(std::string_view word, std::string_view what, Size least_bytes) {
    const Size count = lines_.whole(word, what);
    // The last line may lack its end.
    const Size most = std::min((lines_.remaining() + 1) / least_bytes, max_index / 3);
    if (count < 0 || count > most) {
      lines_.fail(fmt::format("{} is {}; expected 0 to {}, what the {} bytes that follow can hold", what,
                              count, most, lines_.remaining()));
    }
    return count;
  }

  void read_vertex(Size v) {
    if (!next_content()) {
      lines_.fail(fmt::format("the file ends after {} vertices; expected {}", v, num_vertices_));
    }
    Words words(content_);
    Vec3 p;
    p.x = lines_.real(words.next(), "x of a vertex");
    p.y = lines_.real(words.next(), "y of a vertex");
    p.z = lines_.real(words.next(), "z of a vertex");
    soup_.vertices.push_back(p);
  }

  void read_face(Size f) {
    if (!next_content()) lines_.fail(fmt::format("the file ends after {} faces; expected {}", f, num_faces_));
    Words words(content_);
    const Size count = lines_.whole(words.next(), "the number of corners");
    if (count < 3) lines_.fail(fmt::format("a face of {} corners; expected at least 3", count));
    if (count > static_cast<Size>(content_.size() / 2) + 1) {
      lines_.fail(
          fmt::format("a face of {} corners in a line of {} bytes; expected fewer", count, content_.size()));
    }
    corners_.clear();
    for (Size c = 0; c < count; ++c) {
      const Size vertex = lines_.whole(words.next(), "a corner");
      if (vertex < 0 || vertex >= num_vertices_) {
        lines_.fail(fmt::format("a corner names vertex {}; expected a number from 0 to {}", vertex,
                                num_vertices_ - 1));
      }
      corners_.push_back(static_cast<NodeId>(vertex));
    }
    if (soup_.corners.size() + corners_.size() > static_cast<std::size_t>(max_index) / 3) {
      lines_.fail("more corners than 32 bits count");
    }
    soup_.add_polygon(corners_);
  }

  TextLines lines_;
  std::string_view content_;
  std::vector<NodeId> corners_;
  Size num_vertices_ = 0;
  Size num_faces_ = 0;
  PolygonSoup soup_;
};

}  // namespace

PolygonSoup read_off(std::string_view bytes, std::string_view name) {
  return OffReader(bytes, name).read();
}

}  // namespace tarn::detail
