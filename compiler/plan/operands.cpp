// What memory stands behind an operand.
#include <algorithm>

#include "plan/plan.hpp"

namespace cnnc::plan {

namespace {

class Visiting {
 public:
  explicit Visiting(const MemoryVisitor& visitor) : visitor_(visitor) {}

  void operator()(const BufferOperand& operand) const { buffer(operand.buffer); }
  void operator()(const LoadedOperand& operand) const {
    buffer(operand.buffer);
    buffer(operand.affine);
  }
  void operator()(const LoadedListOperand& operand) const { std::ranges::for_each(operand.arms, *this); }
  void operator()(const AddedOperand& operand) const {
    buffer(operand.buffer);
    buffer(operand.buffer);  // read, then written
  }
  void operator()(const ReplacedOperand& operand) const {
    buffer(operand.buffer);
    buffer(operand.buffer);
  }
  void operator()(const EpilogueOperand& operand) const {
    parameter(operand.bias);
    buffer(operand.affine);
    buffer(operand.addend);
  }
  void operator()(const ScratchOperand& operand) const { buffer(operand.buffer); }
  void operator()(const ParameterOperand& operand) const { parameter(operand.parameter); }
  void operator()(const PreparedOperand& operand) const { buffer(operand.buffer); }
  void operator()(const PartOperand& operand) const {
    if (operand.prepared >= 0) buffer(operand.prepared);
    else parameter(operand.parameter);
    (*this)(operand.epilogue);
  }
  void operator()(const SiblingsOperand& operand) const {
    for (const SiblingsOperand::Sibling& sibling : operand.siblings) {
      buffer(sibling.output);
      (*this)(sibling.part);
    }
  }
  void operator()(const SiblingGradientsOperand& operand) const {
    for (const SiblingGradientsOperand::Sibling& sibling : operand.siblings) {
      buffer(sibling.d_output);
      parameter(sibling.parameter);
    }
  }
  void operator()(const GradientOperand& operand) const { parameter(operand.parameter); }
  void operator()(const ActivationOperand&) const {}
  void operator()(const GeometryOperand&) const {}
  void operator()(const NumberOperand&) const {}
  void operator()(const IntegerOperand&) const {}
  void operator()(Named) const {}

 private:
  void buffer(int number) const {
    if (number >= 0) visitor_.buffer(number);
  }
  void parameter(int number) const {
    if (number >= 0) visitor_.parameter(number);
  }

  const MemoryVisitor& visitor_;
};

}  // namespace

void for_each_memory(const Operand& operand, const MemoryVisitor& visitor) {
  std::visit(Visiting(visitor), operand);
}

}  // namespace cnnc::plan
