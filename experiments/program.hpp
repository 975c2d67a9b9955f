#pragma once

namespace tarn {

/// The `tarn` program: reads the command line, runs the verb, prints errors on one line. Returns the exit
/// code: 0 done, 1 the run failed, 2 wrong usage or configuration, 130 interrupted after saving.
///
/// A program of one's own adds to the registries first and has all verbs for what it brings:
///
///   int main(int argc, char** argv) {
///     tarn::readouts().add<MeanMax>("mean-max", {"[mean, max] of relu(linear(x))", ""});
///     return tarn::run_program(argc, argv);
///   }
int run_program(int argc, char** argv);

}  // namespace tarn
