#include "tarn/pooling/readouts/multi.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/log_softmax.hpp"
#include "tarn/core/ops/slice.hpp"
#include "tarn/pooling/blocks/sample_spread.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

/// Names of plain statistics without options.
std::optional<Reduce> statistic_of(const std::string& name, const Value& options) {
  static constexpr std::array<std::pair<const char*, Reduce>, 7> plain{
      {{"sum", Reduce::sum},
       {"mean", Reduce::mean},
       {"max", Reduce::max},
       {"min", Reduce::min},
       {"var", Reduce::var},
       {"std", Reduce::std},
       {"variance-preserving", Reduce::sum_over_root}}};
  const Value* semi_grad = options.find("semi_grad");
  if (semi_grad != nullptr && *semi_grad == Value(true)) return std::nullopt;
  const auto it = std::ranges::find(plain, name, &std::pair<const char*, Reduce>::first);
  return it != plain.end() ? std::optional(it->second) : std::nullopt;
}

/// Name and options of a member.
std::pair<std::string, Value> read_member(const Value& member, std::string_view owner) {
  if (member.string() != nullptr) return {*member.string(), {}};
  const Value* name = member.find("name");
  const bool fits = name != nullptr && name->string() != nullptr &&
                    std::ranges::all_of(*member.table(), [](const auto& entry) {
                      return entry.first == "name" || entry.first == "options";
                    });
  if (!fits) {
    throw ConfigError(fmt::format("{}.aggrs: got {}; expected a name, or a table of name and options", owner,
                                  member.text()));
  }
  const Value* options = member.find("options");
  return {*name->string(), options != nullptr ? *options : Value()};
}

}  // namespace

inline namespace TARN_PRECISION {

Members::Members(const std::vector<Value>& members, Size in_channels, std::string_view owner)
    : in_channels_(in_channels) {
  if (members.empty())
    throw ConfigError(fmt::format("{}.aggrs: got []; expected at least one readout", owner));
  for (std::size_t k = 0; k < members.size(); ++k) {
    const auto [member, options] = read_member(members[k], owner);
    readouts_.push_back(&child(fmt::format("aggrs.{}", k), make_readout(member, in_channels, options)));
    if (const auto reduce = statistic_of(member, options)) together_.push_back({k, *reduce});
  }
}

Size Members::out_dim(Size member) const {
  return readouts_[static_cast<std::size_t>(member)]->out_dim(in_channels_);
}

Size Members::total_width() const {
  Size total = 0;
  for (Size k = 0; k < count(); ++k) total += out_dim(k);
  return total;
}

RowOrder Members::row_order() const {
  RowOrder order = RowOrder::ignored;
  for (const Readout* readout : readouts_) order = std::max(order, readout->row_order());
  return order;
}

SetNeeds Members::needs() const {
  SetNeeds needs;
  for (const Readout* readout : readouts_) {
    needs.weight = needs.weight || readout->needs().weight;
    needs.neighbourhood = needs.neighbourhood || readout->needs().neighbourhood;
    needs.non_negative = needs.non_negative || readout->needs().non_negative;
  }
  return needs;
}

Size Members::most_rows() const {
  Size most = std::numeric_limits<Size>::max();
  for (const Readout* readout : readouts_) most = std::min(most, readout->most_rows());
  return most;
}

std::vector<Var> Members::forward(const SetInput& in) {
  std::vector<Var> parts(readouts_.size());
  if (!together_.empty()) {
    std::vector<Reduce> statistics;
    for (const Statistic& s : together_) statistics.push_back(s.reduce);
    const Var all = segment_reduce(in.x, in.sets, statistics);
    Size column = 0;
    for (const Statistic& s : together_) {
      parts[s.member] = slice_columns(all, column, column + in_channels_);
      column += in_channels_;
    }
  }
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (!parts[k].given()) parts[k] = readouts_[k]->forward(in).y;
  }
  return parts;
}

Multi::Multi(const Options& o)
    : Readout("multi", o),
      o_(o),
      members_(child("", std::make_unique<Members>(o.aggrs, o.in_channels, "multi"))) {
  check();
  if (o.mode == MemberJoin::proj) {
    lin_ = &child("lin", std::make_unique<Linear>(members_.total_width(), *o.out_channels));
  }
  for (Size k = 0; o.mode == MemberJoin::attn && k < members_.count(); ++k) {
    heads_.push_back(&child(fmt::format("lin_heads.lins.{}", k),
                            std::make_unique<Linear>(members_.out_dim(k), *o.out_channels)));
  }
  if (o.mode == MemberJoin::attn) {
    attention_ = &child("multihead_attn",
                        std::make_unique<MultiHeadAttention>(*o.out_channels, o.num_heads, 0, "multi"));
  }
}

void Multi::check() const {
  const std::string_view mode = enum_names(o_.mode)[static_cast<std::size_t>(o_.mode)];
  if (o_.mode == MemberJoin::proj || o_.mode == MemberJoin::attn) {
    if (members_.count() < 2)
      throw ConfigError(
          fmt::format("multi.aggrs: got one readout with mode {}; expected at least two", mode));
    static_cast<void>(required_option("multi", "out_channels", o_.out_channels));
    return;
  }
  for (Size k = 1; o_.mode != MemberJoin::cat && k < members_.count(); ++k) {
    if (members_.out_dim(k) == members_.out_dim(0)) continue;
    throw ConfigError(
        fmt::format("multi.aggrs: readouts give widths {} and {} with mode {}; expected equal ones",
                    members_.out_dim(0), members_.out_dim(k), mode));
  }
}

Size Multi::out_dim(Size) const {
  if (o_.mode == MemberJoin::cat) return members_.total_width();
  return o_.out_channels && (lin_ != nullptr || attention_ != nullptr) ? *o_.out_channels
                                                                       : members_.out_dim(0);
}

Var Multi::join(const std::vector<Var>& parts) const {
  const Size sets = parts[0].rows(), count = static_cast<Size>(parts.size()), width = parts[0].cols();
  // The members of a set as the rows of one.
  const auto rows = [&] { return reshape(concat_columns(parts), {sets * count, width}); };
  const Segments members_of_sets = Segments::uniform(sets, count);
  switch (o_.mode) {
    case MemberJoin::sum:
      return segment_reduce(rows(), members_of_sets, Reduce::sum);
    case MemberJoin::mean:
      return segment_reduce(rows(), members_of_sets, Reduce::mean);
    case MemberJoin::max:
      return maximum(parts);
    case MemberJoin::min: {
      std::vector<Var> turned;
      for (const Var& v : parts) turned.push_back(scale(v, -1));
      return scale(maximum(turned), -1);
    }
    case MemberJoin::std:
      return sample_deviation(rows(), members_of_sets);
    case MemberJoin::var:
      return sample_variance(rows(), members_of_sets);
    case MemberJoin::logsumexp:
      return log_sum_exp(parts);
    default:
      return concat_columns(parts);
  }
}

Var Multi::attend(const std::vector<Var>& parts, const Segments& members_of_sets) {
  std::vector<Var> mapped;
  for (std::size_t k = 0; k < parts.size(); ++k) mapped.push_back(heads_[k]->forward(parts[k]));
  const Var rows = reshape(concat_columns(mapped), {members_of_sets.num_rows(), *o_.out_channels});
  return segment_reduce(attention_->forward(rows, members_of_sets), members_of_sets, Reduce::mean);
}

Pooled Multi::pool(const SetInput& in) {
  const std::vector<Var> parts = members_.forward(in);
  if (lin_ != nullptr) return {lin_->forward(parts)};
  if (attention_ != nullptr) return {attend(parts, Segments::uniform(in.sets.count(), members_.count()))};
  return {parts.size() == 1 ? parts.front() : join(parts)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
