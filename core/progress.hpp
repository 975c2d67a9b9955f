#pragma once

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

namespace tarn {

/// How progress is shown. `automatic` is a bar where the stream is a terminal and lines elsewhere.
enum class ProgressStyle { automatic, bar, lines, silent };

/// Tells how far long work has come: a bar with the rate and the time left that redraws itself, or a plain
/// line every ten seconds. Any thread may advance it.
class Progress {
 public:
  explicit Progress(ProgressStyle style, std::FILE* out = stderr);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Begins a piece of work of `total` units; `done` of them were there before and do not count for the rate.
  void start(std::string label, std::string unit, double total, double done = 0);
  void advance(double amount);
  /// What is being done now; shown behind the numbers.
  void detail(std::string text);
  /// A line of its own, above the bar. Shown by every style but silent.
  void message(const std::string& line);
  /// Ends the work; nothing is drawn until the next start.
  void finish();

  /// "12.5/120 epochs, 3.1 epochs/s, 35 s left" for the given state: what bar and lines show.
  [[nodiscard]] static std::string status(double done, double total, const std::string& unit, double rate);

 private:
  using Clock = std::chrono::steady_clock;
  void draw(bool last);
  void clear_bar();

  std::mutex mutex_;
  std::FILE* out_;
  ProgressStyle style_;
  bool running_ = false;
  bool bar_shown_ = false;
  std::string label_;
  std::string unit_;
  std::string detail_;
  double total_ = 0;
  double done_ = 0;
  double done_before_ = 0;
  Clock::time_point started_;
  Clock::time_point drawn_;
};

}  // namespace tarn
