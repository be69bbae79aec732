// The tiny network as a program, as a generated `main` would have it.
#include "cnn/program/program.hpp"
#include "tiny_network.hpp"

int main(int argc, char** argv) {
  return cnn::run(argc, argv, tiny_description(), make_tiny_network);
}
