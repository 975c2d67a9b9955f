#pragma once

#include "tarn/core/files.hpp"

#include "scratch_directory.hpp"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

/// What a run of the program came to.
struct Outcome {
  int code = 0;  ///< exit code, or 128 + the signal
  std::string out;
  std::string err;
};

/// A built program, tarn unless another is named, run in a directory of its own.
class Program {
 public:
  using Arguments = std::vector<std::string>;

  explicit Program(std::string path = TARN_PROGRAM) : path_(std::move(path)) {}

  /// Starts it; no file may grow beyond `most_bytes` where that is given.
  pid_t start(const Arguments& arguments, rlim_t most_bytes = RLIM_INFINITY) const {
    const pid_t child = ::fork();
    if (child == 0) become_program(arguments, most_bytes);
    return child;
  }

  /// Runs it with a disk of `kilobytes` at `disk/`, which is gone afterwards. Its exit code is `no_disk`
  /// where the system lets nobody make one.
  Outcome on_small_disk(const Arguments& arguments, int kilobytes) const {
    const pid_t child = ::fork();
    if (child == 0) {
      if (!mount_disk(scratch_ / "disk", kilobytes)) ::_exit(no_disk);
      become_program(arguments, RLIM_INFINITY);
    }
    return finish(child);
  }
  static constexpr int no_disk = 125;
  /// Waits for its end.
  Outcome finish(pid_t child) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            tarn::read_file(scratch_ / "stdout"), tarn::read_file(scratch_ / "stderr")};
  }

  Outcome operator()(const Arguments& arguments, rlim_t most_bytes = RLIM_INFINITY) const {
    return finish(start(arguments, most_bytes));
  }

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return scratch_ / name; }

 private:
  [[noreturn]] void become_program(const Arguments& arguments, rlim_t most_bytes) const {
    redirect(STDOUT_FILENO, scratch_ / "stdout");
    redirect(STDERR_FILENO, scratch_ / "stderr");
    const rlimit limit{most_bytes, most_bytes};
    std::signal(SIGXFSZ, SIG_IGN);
    std::vector<std::string> words{path_};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::setrlimit(RLIMIT_FSIZE, &limit) == 0 && ::chdir(scratch_.path().c_str()) == 0) {
      ::execv(path_.c_str(), argv.data());
    }
    ::_exit(126);
  }

  /// A disk in memory that this process alone sees.
  static bool mount_disk(const std::filesystem::path& at, int kilobytes) {
    std::filesystem::create_directories(at);
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    const std::string size = "size=" + std::to_string(kilobytes) + "k";
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", at.c_str(), "tmpfs", 0, size.c_str()) == 0;
  }

  static void redirect(int stream, const std::filesystem::path& path) {
    ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), stream);
  }

  std::string path_;
  ScratchDirectory scratch_;
};
