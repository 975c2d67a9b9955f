#pragma once

#include "tarn/datasets/graphs/split_lists.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tarn {

// How the graphs of a set are divided for training, choice and test. Graphs are numbered from 0. The same
// seed gives the same folds on every machine.

/// Ten (or `num_folds`) folds whose tests share the set out: the graphs of each class are shuffled and dealt
/// out to the folds in turn, each class beginning where the one before stopped. The rest of a fold trains.
/// Without classes (an empty list) all `num_graphs` count as one class. Throws ValueError for fewer than 2
/// folds or fewer graphs than folds.
[[nodiscard]] std::vector<Fold> stratified_folds(Size num_graphs, std::span<const Size> classes,
                                                 Size num_folds, std::uint64_t seed);

/// Moves about `share` of a fold's training graphs, class by class, to its validation list: the first of
/// round(1 / share) stratified folds of them. Throws ValueError for a share outside (0, 0.5].
void hold_out_validation(Fold& fold, std::span<const Size> classes, double share, std::uint64_t seed);

/// Keeps about `count` of a fold's training graphs, class by class in proportion; all if there are not more.
void limit_training(Fold& fold, std::span<const Size> classes, Size count, std::uint64_t seed);

/// Fills the training list of folds that have none with all graphs that are in no other list of the fold.
void complete_training(std::vector<Fold>& folds, Size num_graphs);

/// Throws DataError, naming `where` and the fold, for a graph out of range, twice in a fold or tested in two
/// folds, an empty test or training list, and a fold whose training part lacks a class that the set has.
/// Returns warnings: classes with fewer graphs than folds.
[[nodiscard]] std::vector<std::string> check_folds(const std::vector<Fold>& folds, Size num_graphs,
                                                   std::span<const Size> classes, const std::string& where);

/// Split files. JSON holds any number of splits of a set:
///   {"dataset": "MUTAG", "graphs": 188, "index_base": 0,
///    "gin10_seed0": {"about": "...", "test": [[...], ...], "validation": [[...], ...], "train": [[...],
///    ...]}}
/// with `validation` and `train` optional; `index_base` 1 numbers graphs from 1. Throws DataError naming
/// file, split, fold and what does not fit; `num_graphs` below 0 is not checked.
[[nodiscard]] std::vector<SplitLists> read_split_json(const std::filesystem::path& path, Size num_graphs);
[[nodiscard]] std::string write_split_json(const std::string& dataset, Size num_graphs,
                                           const std::vector<SplitLists>& splits);

/// The plain form: test_idx-K.txt and train_idx-K.txt for K = 1, 2, ..., one zero-based number a line. Throws
/// IoError or DataError naming file and line.
[[nodiscard]] SplitLists read_split_folder(const std::filesystem::path& folder);
/// Throws DataError for folds with a validation list, which the form does not know.
void write_split_folder(const std::filesystem::path& folder, const SplitLists& split);

}  // namespace tarn
