#include "tarn/core/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr int bar_width = 24;
constexpr auto redraw_bar = std::chrono::milliseconds(200);
constexpr auto next_line = std::chrono::seconds(10);

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::ceil(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

/// At most one digit behind the point.
std::string amount_text(double v) {
  return std::abs(v - std::round(v)) < 0.05 ? fmt::format("{:.0f}", v) : fmt::format("{:.1f}", v);
}

}  // namespace

Progress::Progress(ProgressStyle style, std::FILE* out) : out_(out), style_(style) {
  if (style_ == ProgressStyle::automatic) {
    style_ = isatty(fileno(out)) != 0 ? ProgressStyle::bar : ProgressStyle::lines;
  }
}

Progress::~Progress() {
  clear_bar();
}

void Progress::start(std::string label, std::string unit, double total, double done) {
  const std::lock_guard lock(mutex_);
  label_ = std::move(label);
  unit_ = std::move(unit);
  detail_.clear();
  total_ = total;
  done_ = done_before_ = done;
  started_ = drawn_ = Clock::now();
  running_ = true;
}

void Progress::advance(double amount) {
  const std::lock_guard lock(mutex_);
  done_ += amount;
  draw(false);
}

void Progress::detail(std::string text) {
  const std::lock_guard lock(mutex_);
  detail_ = std::move(text);
}

void Progress::message(const std::string& line) {
  if (style_ == ProgressStyle::silent) return;
  const std::lock_guard lock(mutex_);
  clear_bar();
  fmt::print(out_, "{}\n", line);
  std::fflush(out_);
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (!running_) return;
  draw(true);
  clear_bar();
  running_ = false;
}

std::string Progress::status(double done, double total, const std::string& unit, double rate) {
  std::string text = fmt::format("{}/{} {}", amount_text(done), amount_text(total), unit);
  if (rate > 0) {
    text += rate >= 1 ? fmt::format(", {:.1f} {}/s", rate, unit)
                      : fmt::format(", {:.1f} {}/min", rate * 60, unit);
    text += fmt::format(", {} left", duration_text(std::max(0.0, total - done) / rate));
  }
  return text;
}

void Progress::draw(bool last) {
  if (!running_ || style_ == ProgressStyle::silent) return;
  const auto now = Clock::now();
  const bool bar = style_ == ProgressStyle::bar;
  if (!last && now - drawn_ < (bar ? Clock::duration(redraw_bar) : Clock::duration(next_line))) return;
  if (last && !bar) return;
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = seconds > 0 ? (done_ - done_before_) / seconds : 0;
  const std::string text = status(done_, total_, unit_, rate);
  const std::string tail = detail_.empty() ? "" : "  " + detail_;
  if (bar) {
    const double share = total_ > 0 ? std::clamp(done_ / total_, 0.0, 1.0) : 0;
    const auto filled = static_cast<std::size_t>(share * bar_width);
    // \033[K wipes what a longer line before left behind.
    fmt::print(out_, "\r{} [{}{}] {}{}\033[K", label_, std::string(filled, '#'),
               std::string(bar_width - filled, '.'), text, tail);
    bar_shown_ = true;
  } else {
    fmt::print(out_, "{}: {}{}\n", label_, text, tail);
  }
  std::fflush(out_);
}

void Progress::clear_bar() {
  if (bar_shown_) fmt::print(out_, "\r\033[K");
  bar_shown_ = false;
}

}  // namespace tarn
