// What is understood of a program, but can't be generated yet.
#include "sema/not_yet.hpp"

namespace cnnc::sema {

namespace {

void add_layers(const Sequence& sequence, std::vector<ir::NotYet>& list) {
  const auto add = [&](const ir::Layer& layer) {
    if (!ir::has_kernels(*layer.op)) list.push_back({layer.range, fmt::format("the layer '{}'", layer.op->name)});
  };
  for (const Item& item : sequence) {
    if (const auto* call = std::get_if<LayerCall>(&item.form)) {
      add(call->layer);
    } else if (const auto* merge = std::get_if<Merge>(&item.form)) {
      for (const Sequence& arm : merge->arms) add_layers(arm, list);
      add(merge->layer);
    } else if (const auto* section = std::get_if<Section>(&item.form)) {
      add_layers(section->body, list);
    } else if (const auto* head = std::get_if<Auxiliary>(&item.form)) {
      add_layers(head->body, list);
    }
  }
}

}  // namespace

std::vector<ir::NotYet> not_yet(const Program& program) {
  std::vector<ir::NotYet> list;
  add_layers(program.model.body, list);
  if (program.training) list.insert(list.end(), program.training->not_yet.begin(), program.training->not_yet.end());
  return list;
}

}  // namespace cnnc::sema
