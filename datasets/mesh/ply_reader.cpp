#include "tarn/core/errors.hpp"
#include "tarn/datasets/mesh/mesh_readers.hpp"
#include "tarn/datasets/mesh/ply_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

namespace tarn::detail {

namespace {

constexpr Size max_index = std::numeric_limits<NodeId>::max();

/// Numbers of the body, one after another.
class PlyBody {
 public:
  virtual ~PlyBody() = default;
  /// A number as double, which holds every type.
  virtual double number(PlyType type, std::string_view what) = 0;
  virtual void skip(PlyType type, Size count) = 0;
  /// Fewest bytes that a number of this type takes.
  [[nodiscard]] virtual Size least_bytes(PlyType type) const = 0;
  [[nodiscard]] virtual Size remaining() const = 0;
  /// "line 12", "byte 345"
  [[nodiscard]] virtual std::string place() const = 0;
  [[noreturn]] virtual void fail(std::string_view what) const = 0;
};

class TextBody final : public PlyBody {
 public:
  explicit TextBody(TextLines& lines) : lines_(lines), words_("") {}

  double number(PlyType type, std::string_view what) override {
    const std::string_view word = next_word();
    return is_real(type) ? lines_.real(word, what) : static_cast<double>(lines_.whole(word, what));
  }
  void skip(PlyType, Size count) override {
    for (Size i = 0; i < count; ++i) static_cast<void>(next_word());
  }
  /// A digit and a blank.
  Size least_bytes(PlyType) const override { return 2; }
  Size remaining() const override { return lines_.remaining() + static_cast<Size>(lines_.line().size()) + 1; }
  std::string place() const override { return fmt::format("line {}", lines_.number()); }
  [[noreturn]] void fail(std::string_view what) const override { lines_.fail(what); }

 private:
  std::string_view next_word() {
    while (!words_.more()) {
      if (!lines_.next()) lines_.fail("the file ends inside an element; expected more numbers");
      words_ = Words(lines_.line());
    }
    return words_.next();
  }

  TextLines& lines_;
  Words words_;
};

template <class T>
double read_as(const char* bytes, bool swap) {
  char own[sizeof(T)];
  std::memcpy(own, bytes, sizeof(T));
  if (swap) std::reverse(own, own + sizeof(T));
  T value;
  std::memcpy(&value, own, sizeof(T));
  return static_cast<double>(value);
}

class BinaryBody final : public PlyBody {
 public:
  BinaryBody(std::string_view bytes, std::size_t at, std::string_view name, bool swap)
      : bytes_(bytes), at_(at), name_(name), swap_(swap) {}

  double number(PlyType type, std::string_view) override {
    const char* from = take(ply_bytes(type));
    switch (type) {
      case PlyType::i8:
        return read_as<std::int8_t>(from, swap_);
      case PlyType::u8:
        return read_as<std::uint8_t>(from, swap_);
      case PlyType::i16:
        return read_as<std::int16_t>(from, swap_);
      case PlyType::u16:
        return read_as<std::uint16_t>(from, swap_);
      case PlyType::i32:
        return read_as<std::int32_t>(from, swap_);
      case PlyType::u32:
        return read_as<std::uint32_t>(from, swap_);
      case PlyType::f32:
        return read_as<float>(from, swap_);
      case PlyType::f64:
        return read_as<double>(from, swap_);
    }
    fail("unknown type");
  }
  void skip(PlyType type, Size count) override {
    if (count > remaining() / ply_bytes(type)) fail("the file ends inside an element; expected more bytes");
    at_ += static_cast<std::size_t>(count * ply_bytes(type));
  }
  Size least_bytes(PlyType type) const override { return ply_bytes(type); }
  Size remaining() const override { return static_cast<Size>(bytes_.size() - at_); }
  std::string place() const override { return fmt::format("byte {}", at_); }
  [[noreturn]] void fail(std::string_view what) const override {
    throw DataError(fmt::format("{}: byte {}: {}", name_, at_, what));
  }

 private:
  const char* take(Size count) {
    if (count > remaining()) fail("the file ends inside an element; expected more bytes");
    const char* from = bytes_.data() + at_;
    at_ += static_cast<std::size_t>(count);
    return from;
  }

  std::string_view bytes_;
  std::size_t at_;
  std::string_view name_;
  bool swap_;
};

/// Whether an element has red, green and blue.
bool has_colours(const PlyElement& element) {
  const auto has = [&](std::string_view name) {
    return std::any_of(element.properties.begin(), element.properties.end(),
                       [&](const PlyProperty& p) { return p.name == name && !p.list; });
  };
  return has("red") && has("green") && has("blue");
}

class PlyReader {
 public:
  PlyReader(const PlyHeader& header, PlyBody& body, std::string_view name)
      : header_(header), body_(body), name_(name) {}

  PolygonSoup read() {
    require_elements();
    for (const PlyElement& element : header_.elements) {
      require_room(element);
      coloured_ = has_colours(element);
      if (element.name == "vertex") {
        for (Size i = 0; i < element.count; ++i) read_vertex(element);
      } else if (element.name == "face") {
        for (Size i = 0; i < element.count; ++i) read_face(element);
      } else {
        skip_element(element);
      }
    }
    check_range();
    return std::move(soup_);
  }

 private:
  [[noreturn]] void fail_in_header(const PlyElement& element, std::string_view what) const {
    throw DataError(fmt::format("{}:{}: {}", name_, element.line, what));
  }

  void require_elements() const {
    bool vertices = false, faces = false;
    for (const PlyElement& element : header_.elements) {
      const auto has = [&](std::string_view name, auto fits) {
        return std::any_of(element.properties.begin(), element.properties.end(),
                           [&](const PlyProperty& p) { return p.name == name && fits(p); });
      };
      const auto coordinate = [](const PlyProperty& p) { return !p.list && is_real(p.type); };
      const auto list = [](const PlyProperty& p) { return p.list; };
      if (element.name == "vertex") {
        vertices = true;
        for (const char* axis : {"x", "y", "z"}) {
          if (has(axis, coordinate)) continue;
          fail_in_header(
              element,
              fmt::format("element vertex has no property {}; expected it as float or double", axis));
        }
      }
      if (element.name == "face") {
        faces = true;
        if (!has("vertex_indices", list) && !has("vertex_index", list)) {
          fail_in_header(element,
                         "element face has no list vertex_indices; expected vertex_indices or vertex_index");
        }
      }
    }
    for (const auto& [there, what] : {std::pair{vertices, "vertex"}, std::pair{faces, "face"}}) {
      if (!there)
        throw DataError(
            fmt::format("{}: the header has no element {}; expected vertex and face", name_, what));
    }
  }

  /// Nothing is read or kept before the file is known to be long enough for it.
  void require_room(const PlyElement& element) {
    Size each = 0;
    for (const PlyProperty& p : element.properties) each += body_.least_bytes(p.list ? p.count_type : p.type);
    const Size most = each == 0 ? element.count : body_.remaining() / each;
    if (element.count > most || element.count > max_index) {
      fail_in_header(
          element,
          fmt::format("element {} has count {}; expected at most {}, what the {} bytes that follow "
                      "can hold",
                      shown(element.name), element.count, std::min(most, max_index), body_.remaining()));
    }
    if (element.name == "vertex") soup_.vertices.reserve(static_cast<std::size_t>(element.count));
  }

  void skip_element(const PlyElement& element) {
    if (element.properties.empty()) return;
    for (Size i = 0; i < element.count; ++i) {
      for (const PlyProperty& p : element.properties) skip_property(p);
    }
  }

  void skip_property(const PlyProperty& p) { body_.skip(p.type, p.list ? list_length(p) : 1); }

  Size list_length(const PlyProperty& p) {
    const double count = body_.number(p.count_type, "the length of a list");
    if (!(count >= 0 && count <= static_cast<double>(body_.remaining() / body_.least_bytes(p.type)))) {
      body_.fail(fmt::format("a list of {} numbers with {} bytes to come; expected what they can hold", count,
                             body_.remaining()));
    }
    return static_cast<Size>(count);
  }

  double coordinate(const PlyProperty& p) {
    const double value = body_.number(p.type, "a coordinate");
    if (!std::isfinite(value)) body_.fail(fmt::format("a coordinate is {}; expected a finite number", value));
    return value;
  }

  /// Whole numbers from 0 to 255, real ones from 0 to 1.
  std::uint8_t shade(const PlyProperty& p) {
    const double value = body_.number(p.type, "a colour");
    const double scale = is_real(p.type) ? 255 : 1;
    if (!(value >= 0 && value * scale <= 255)) {
      body_.fail(fmt::format("a colour is {}; expected a number from 0 to {}", value, 255 / scale));
    }
    return static_cast<std::uint8_t>(std::lround(value * scale));
  }

  void read_vertex(const PlyElement& element) {
    Vec3 v;
    Colour colour{};
    for (const PlyProperty& p : element.properties) {
      if (!p.list && (p.name == "x" || p.name == "y" || p.name == "z")) {
        (p.name == "x" ? v.x : p.name == "y" ? v.y : v.z) = coordinate(p);
      } else if (!read_shade(p, colour)) {
        skip_property(p);
      }
    }
    soup_.vertices.push_back(v);
    if (coloured_) soup_.vertex_colours.push_back(colour);
  }

  bool read_shade(const PlyProperty& p, Colour& colour) {
    if (p.list || (p.name != "red" && p.name != "green" && p.name != "blue")) return false;
    colour[p.name == "red" ? 0 : p.name == "green" ? 1 : 2] = shade(p);
    return true;
  }

  void read_face(const PlyElement& element) {
    Colour colour{};
    bool known = false;
    for (const PlyProperty& p : element.properties) {
      if (p.list && !known && (p.name == "vertex_indices" || p.name == "vertex_index")) {
        read_corners(p);
        known = true;
      } else if (!read_shade(p, colour)) {
        skip_property(p);
      }
    }
    if (coloured_) soup_.face_colours.push_back(colour);
  }

  void read_corners(const PlyProperty& p) {
    const Size count = list_length(p);
    if (count < 3) body_.fail(fmt::format("a face of {} corners; expected at least 3", count));
    if (static_cast<Size>(soup_.corners.size()) + count > max_index / 3)
      body_.fail("more corners than 32 bits count");
    corners_.clear();
    for (Size c = 0; c < count; ++c) {
      const double vertex = body_.number(p.type, "a corner");
      if (!(vertex >= 0 && vertex <= static_cast<double>(max_index) && vertex == std::floor(vertex))) {
        body_.fail(fmt::format("a corner names vertex {}; expected a whole number of at least 0", vertex));
      }
      if (vertex > furthest_) {
        furthest_ = vertex;
        furthest_place_ = body_.place();
      }
      corners_.push_back(static_cast<NodeId>(vertex));
    }
    soup_.add_polygon(corners_);
  }

  /// Faces may stand before the vertices.
  void check_range() const {
    if (furthest_ < static_cast<double>(soup_.vertices.size())) return;
    throw DataError(fmt::format("{}: a face ({}) names vertex {}; expected a number from 0 to {}", name_,
                                furthest_place_, furthest_, static_cast<Size>(soup_.vertices.size()) - 1));
  }

  const PlyHeader& header_;
  PlyBody& body_;
  std::string_view name_;
  std::vector<NodeId> corners_;
  PolygonSoup soup_;
  bool coloured_ = false;  // the element being read
  double furthest_ = -1;
  std::string furthest_place_;
};

}  // namespace

PolygonSoup read_ply(std::string_view bytes, std::string_view name) {
  TextLines lines(bytes, name);
  const PlyHeader header = read_ply_header(lines);
  if (header.format == PlyFormat::ascii) {
    TextBody body(lines);
    return PlyReader(header, body, name).read();
  }
  const bool little_here = std::endian::native == std::endian::little;
  BinaryBody body(bytes, lines.position(), name, (header.format == PlyFormat::little_endian) != little_here);
  return PlyReader(header, body, name).read();
}

}  // namespace tarn::detail
