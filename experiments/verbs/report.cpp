#include "tarn/experiments/report.hpp"

#include "tarn/experiments/verbs/verbs.hpp"

namespace tarn::verbs {

int report(const ReportArguments& arguments, Console& console) {
  const bool single = arguments.runs.size() == 1;
  const std::string out = !arguments.out.empty() ? arguments.out : single ? arguments.runs.front() : "report";
  const TestOptions tests{
      .pairs = arguments.pairs == "all" ? TestPairs::all : TestPairs::reference,
      .correction = arguments.correction == "holm" ? Correction::holm : Correction::benjamini_hochberg};
  console.result("report: " + write_report(arguments.runs, out, tests));
  return 0;
}

}  // namespace tarn::verbs
