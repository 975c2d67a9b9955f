#include "tarn/experiments/program.hpp"

int main(int argc, char** argv) {
  return tarn::run_program(argc, argv);
}
