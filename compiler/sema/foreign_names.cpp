// The table of foreign names. An empty owner holds for every owner.
#include "sema/foreign_names.hpp"

#include <algorithm>

namespace cnnc::sema {

namespace {

struct Foreign {
  std::string_view owner;
  std::string_view name;
  std::string_view help;
};

constexpr Foreign kLayers[] = {
    {"", "Conv2d", "PyTorch's Conv2d is written conv(out, kernel, ...); in-channels are inferred"},
    {"", "Conv2D",
     "Keras' Conv2D is written conv(out, kernel, ...); pad=same where it says padding=\"same\""},
    {"", "Linear", "PyTorch's Linear is written dense(out); in-features are inferred"},
    {"", "Dense", "Keras' Dense is written dense(out, act=relu)"},
    {"", "fc", "a fully connected layer is written dense(out)"},
    {"", "linear", "a fully connected layer is written dense(out)"},
    {"", "conv2d", "a convolution is written conv(out, kernel, ...)"},
    {"", "ReLU", "PyTorch's ReLU is written relu, or act=relu in the layer before it"},
    {"", "Activation", "Keras' Activation(\"relu\") is written relu, or act=relu in the layer before it"},
    {"", "activation", "an activation is written by its name: relu, tanh, sigmoid"},
    {"", "BatchNorm2d", "PyTorch's BatchNorm2d is written bn; channels are inferred"},
    {"", "BatchNorm1d", "PyTorch's BatchNorm1d is written bn; features are inferred"},
    {"", "BatchNormalization", "Keras' BatchNormalization is written bn"},
    {"", "batchnorm", "batch normalisation is written bn"},
    {"", "batch_norm", "batch normalisation is written bn"},
    {"", "MaxPool2d", "PyTorch's MaxPool2d is written maxpool(kernel, stride=, pad=)"},
    {"", "MaxPool2D", "Keras' MaxPool2D is written maxpool(kernel, stride=, pad=)"},
    {"", "MaxPooling2D", "Keras' MaxPooling2D is written maxpool(kernel, stride=, pad=)"},
    {"", "max_pool2d", "max pooling is written maxpool(kernel, stride=, pad=)"},
    {"", "pool", "pooling is written maxpool(kernel) or avgpool(kernel)"},
    {"", "AvgPool2d", "PyTorch's AvgPool2d is written avgpool(kernel, stride=, pad=)"},
    {"", "AveragePooling2D", "Keras' AveragePooling2D is written avgpool(kernel, stride=, pad=)"},
    {"", "AdaptiveAvgPool2d", "AdaptiveAvgPool2d(1) followed by Flatten is written gap"},
    {"", "GlobalAveragePooling2D", "Keras' GlobalAveragePooling2D is written gap"},
    {"", "Flatten", "Flatten is written flatten"},
    {"", "view", "x.view(n, -1) is written flatten"},
    {"", "reshape", "there is no reshape; flatten makes a list of features"},
    {"", "Reshape", "there is no reshape; flatten makes a list of features"},
    {"", "Dropout", "Dropout(0.5) is written dropout(0.5)"},
    {"", "Dropout2d", "dropout of whole channels does not exist here; dropout(0.5) drops single elements"},
    {"", "Sequential", "a sequence is written { layer -> layer }, or one layer a line"},
    {"", "Add", "Keras' Add is written add { | branch | identity }"},
    {"", "Concatenate", "Keras' Concatenate is written concat { | branch | branch }"},
    {"", "cat", "torch.cat is written concat { | branch | branch }"},
    {"", "Input", "Keras' Input is written: input 3x32x32 (channels x height x width)"},
    {"", "InputLayer", "Keras' InputLayer is written: input 3x32x32 (channels x height x width)"},
    {"", "ZeroPadding2D", "padding is an argument of the layer: conv(64, 3, pad=1)"},
    {"", "Identity", "Identity is written identity"},
};

constexpr Foreign kOptions[] = {
    {"bn", "momentum", "PyTorch 0.1 and Keras 0.99 mean opposite things; write decay=0.9 / decay=0.99"},
    {"bn", "num_features", "channels are inferred: write bn"},
    {"bn", "axis", "channels are always the axis: write bn"},
    {"bn", "epsilon", "it is called eps: bn(eps=1e-5)"},
    {"bn", "affine", "bn always scales and shifts"},
    {"conv", "in_channels", "in-channels are inferred: conv(out, kernel)"},
    {"conv", "out_channels", "it is called out and comes first: conv(64, 3)"},
    {"conv", "filters", "it is called out and comes first: conv(64, 3)"},
    {"conv", "padding_mode", "padding is always with zeros"},
    {"conv", "dilation_rate", "it is called dilation"},
    {"dense", "in_features", "in-features are inferred: dense(out)"},
    {"dense", "out_features", "it is called out and comes first: dense(10)"},
    {"dense", "units", "it is called out and comes first: dense(10)"},
    {"dropout", "p", "it is called rate and comes first: dropout(0.5)"},
    {"softmax", "dim", "softmax goes over the channels: write softmax"},
    {"softmax", "axis", "softmax goes over the channels: write softmax"},
    {"concat", "axis", "concat always joins channels"},
    {"concat", "dim", "concat always joins channels"},
    {"flatten", "start_dim", "the batch is never part of a shape: write flatten"},
    {"", "inplace", "the compiler decides where results are kept; leave it out"},
    {"", "kernel_size", "it is called kernel and needs no name: conv(64, 3)"},
    {"", "pool_size", "it is called kernel and needs no name: maxpool(2)"},
    {"", "padding", "it is called pad: pad=1, or pad=same"},
    {"", "strides", "it is called stride: stride=2"},
    {"", "activation", "it is called act: act=relu"},
    {"", "use_bias", "it is called bias: bias=false"},
    {"", "kernel_initializer", "it is called weights: weights=he_normal"},
    {"", "kernel_regularizer", "weight decay is the optimizer's: sgd(lr=0.1, weight_decay=1e-4)"},
    {"", "input_shape", "the shape stands in the model: input 3x32x32 (channels x height x width)"},
    {"", "input_dim", "the shape stands in the model: input 3x32x32 (channels x height x width)"},
    {"", "data_format", "shapes are always channels x height x width"},
    {"", "ceil_mode", "it is called ceil: ceil=true"},
    {"", "name", "a layer is named before it: c1 = conv(6, 5)"},
    {"", "learning_rate", "it is called lr: lr=1e-3"},
    {"", "betas", "they are called beta1 and beta2: beta1=0.9, beta2=0.999"},
    {"", "epsilon", "it is called eps: eps=1e-8"},
    {"", "beta_1", "it is called beta1"},
    {"", "beta_2", "it is called beta2"},
    {"train", "batch_size", "it is called batch: batch = 128"},
    {"data", "batch_size", "it is called batch: batch = 128"},
    {"train", "lr", "the learning rate is the optimizer's: optimizer = adam(lr=1e-3)"},
    {"train", "learning_rate", "the learning rate is the optimizer's: optimizer = adam(lr=1e-3)"},
    {"train", "weight_decay", "the weight decay is the optimizer's: optimizer = sgd(lr=0.1, weight_decay=1e-4)"},
    {"train", "momentum", "the momentum is the optimizer's: optimizer = sgd(lr=0.1, momentum=0.9)"},
    {"train", "lr_scheduler", "it is called schedule: schedule = cosine"},
    {"train", "scheduler", "it is called schedule: schedule = cosine"},
    {"train", "label_smoothing", "it is the loss's: loss = cross_entropy(label_smoothing=0.1)"},
    {"train", "class_weight", "it is the loss's: loss = cross_entropy(class_weights=[1, 2])"},
    {"train", "class_weights", "it is the loss's: loss = cross_entropy(class_weights=[1, 2])"},
    {"train", "max_norm", "it is called clip_norm: clip_norm = 1"},
    {"train", "clipnorm", "it is called clip_norm: clip_norm = 1"},
    {"train", "max_epochs", "it is called epochs: epochs = 10"},
    {"train", "shuffle", "the training part is shuffled always, by the seed"},
    {"train", "validation_data", "it belongs to the data: source = idx(\"DIR\", val=0.1)"},
    {"train", "steps_per_epoch", "an epoch is the whole training part"},
    {"train", "num_workers", "images are read beside the training always; there is nothing to set"},
    {"train", "device", "programs run on the processor: --threads says on how many threads"},
    {"train", "verbose", "what a program prints is said when it runs: --help lists its options"},
    {"train", "trainable", "freezing is a line of its own: freeze backbone"},
    {"phase", "trainable", "freezing is a line of its own: freeze backbone"},
    {"phase", "requires_grad", "freezing is a line of its own: freeze backbone"},
    {"phase", "lr", "the learning rate is the optimizer's: optimizer = adam(lr=1e-5)"},
    {"phase", "learning_rate", "the learning rate is the optimizer's: optimizer = adam(lr=1e-5)"},
    {"group", "learning_rate", "it is called lr: lr = 1e-4"},
    {"train", "num_epochs", "it is called epochs: epochs = 10"},
    {"train", "criterion", "it is called loss: loss = cross_entropy"},
    {"train", "validation_split", "it belongs to the data: source = idx(\"DIR\", val=0.1)"},
    {"train", "random_state", "it is called seed: seed = 1"},
    {"train", "callbacks",
     "callbacks are lines of their own: checkpoint(\"best.safetensors\", monitor=val_loss)"},
    {"data", "shuffle", "the training part is shuffled always, by the train's seed"},
    {"data", "image_size", "it is written prepare { resize(224x224) }"},
    {"data", "target_size", "it is written prepare { resize(224x224) }"},
    {"data", "validation_split", "it is an argument of the source: source = folder(\"DIR\", val=0.2)"},
    {"data", "rescale", "it is not needed: pixels are numbers from 0 to 1"},
    {"data", "rotation_range", "it is written augment { rotate(20) }"},
    {"data", "horizontal_flip", "it is written augment { hflip }"},
    {"data", "zoom_range", "it is written augment { zoom(0.2) }"},
    {"data", "width_shift_range", "it is written augment { shift(0.1) }"},
    {"rmsprop", "alpha", "it is called smoothing: smoothing=0.99"},
    {"rmsprop", "rho", "it is called smoothing: smoothing=0.99"},
    {"rmsprop", "centered", "the mean of squares is never centered; leave it out"},
    {"adam", "amsgrad", "there is no amsgrad; leave it out"},
    {"adamw", "amsgrad", "there is no amsgrad; leave it out"},
    {"sgd", "dampening", "there is no dampening; leave it out"},
    {"step", "step_size", "it is called every and needs no name: step(30)"},
    {"multistep", "milestones", "it is called at and needs no name: multistep([30, 60])"},
    {"cosine", "T_max", "it spans its phase: leave it out"},
    {"cosine", "eta_min", "it is called min_lr: min_lr=1e-5"},
    {"step", "gamma", "it is called factor: factor=0.1"},
    {"multistep", "gamma", "it is called factor: factor=0.1"},
    {"exponential", "gamma", "it is called factor: factor=0.1"},
    {"reduce_lr", "gamma", "it is called factor: factor=0.1"},
    {"warmup", "warmup_epochs", "it needs no name: warmup(5)"},
    {"early_stop", "restore_best_weights", "it is written restore=best"},
    {"early_stop", "start_from_epoch", "write the callback in the phase where it should count"},
    {"reduce_lr", "threshold", "it is called min_delta: min_delta=1e-4"},
    {"reduce_lr", "cooldown", "there is no cooldown; patience counts anew after each reduction"},
    {"checkpoint", "filepath", "it is called file and needs no name: checkpoint(\"best.safetensors\", monitor=val_loss)"},
    {"checkpoint", "save_best_only", "only the best is ever written; leave it out"},
    {"checkpoint", "save_weights_only", "only weights are written; the run's state is saved by itself"},
    {"early_stop", "mode", "what is better is known: losses fall, accuracies rise; leave it out"},
    {"reduce_lr", "mode", "what is better is known: losses fall, accuracies rise; leave it out"},
    {"checkpoint", "mode", "what is better is known: losses fall, accuracies rise; leave it out"},
    {"", "verbose", "leave it out"},
    {"cross_entropy", "weight", "it is called class_weights: class_weights=[1, 2]"},
    {"cross_entropy", "from_logits", "leave it out: softmax is added where the model has none"},
    {"cross_entropy", "ignore_index", "every image has a class; leave it out"},
    {"cross_entropy", "reduction", "a loss is the mean over the batch; leave it out"},
    {"binary_cross_entropy", "reduction", "a loss is the mean over the batch; leave it out"},
    {"mse", "reduction", "a loss is the mean over the batch; leave it out"},
    {"data", "num_classes", "it is called classes: classes = 10"},
    {"data", "transform", "it is written prepare { resize(32x32) -> normalize(mean=0.5, std=0.5) }"},
};

constexpr Foreign kExtras[] = {
    {"conv", "", "in-channels are inferred: conv(out, kernel, stride=2, pad=1)"},
    {"dense", "", "in-features are inferred: dense(out)"},
    {"bn", "", "channels are inferred: write bn"},
};

constexpr Foreign kWords[] = {
    {"loss", "CrossEntropyLoss", "it is written cross_entropy"},
    {"loss", "crossentropy", "it is written cross_entropy"},
    {"loss", "categorical_crossentropy", "it is written cross_entropy; labels are class numbers"},
    {"loss", "sparse_categorical_crossentropy", "it is written cross_entropy; labels are class numbers"},
    {"loss", "nll_loss", "it is written cross_entropy, after softmax"},
    {"loss", "MSELoss", "it is written mse"},
    {"loss", "mean_squared_error", "it is written mse"},
    {"metric", "acc", "it is written accuracy"},
    {"metric", "top_5", "it is written top5"},
    {"metric", "top5_accuracy", "it is written top5"},
    {"metric", "top_k_categorical_accuracy", "it is written top5"},
    {"metric", "categorical_accuracy", "it is written accuracy"},
    {"metric", "sparse_categorical_accuracy", "it is written accuracy"},
    {"metric", "f1_score", "it is written f1, or f1(weighted) for another average than macro"},
    {"metric", "f1_macro", "it is written f1(macro)"},
    {"metric", "roc_auc", "it is written auc"},
    {"metric", "AUC", "it is written auc"},
    {"metric", "confusion_matrix", "it is written confusion"},
    {"metric", "loss", "the loss is measured always; leave it out"},
    {"optimizer", "SGD", "it is written sgd(lr=0.1, momentum=0.9)"},
    {"optimizer", "Adam", "it is written adam(lr=1e-3)"},
    {"optimizer", "AdamW", "it is written adamw(lr=1e-3)"},
    {"optimizer", "RMSprop", "it is written rmsprop(lr=1e-3)"},
    {"loss", "BCELoss", "it is written binary_cross_entropy, after sigmoid"},
    {"loss", "binary_crossentropy", "it is written binary_cross_entropy, after sigmoid"},
    {"loss", "BCEWithLogitsLoss", "it is written binary_cross_entropy, after sigmoid"},
    {"optimizer", "Adagrad", "there is no Adagrad: adam(lr=1e-3) adapts its steps as well"},
    {"optimizer", "NAdam", "there is no NAdam: write adam(lr=1e-3)"},
    {"loss", "BinaryCrossentropy", "it is written binary_cross_entropy, after sigmoid"},
    {"loss", "CategoricalCrossentropy", "it is written cross_entropy; labels are class numbers"},
    {"loss", "SparseCategoricalCrossentropy", "it is written cross_entropy; labels are class numbers"},
    {"loss", "NLLLoss", "it is written cross_entropy, after softmax"},
    {"schedule", "ReduceLROnPlateau", "it is a line of its own: reduce_lr(val_loss, factor=0.5, patience=3)"},
    {"schedule", "CosineDecay", "it is written cosine(min_lr=0)"},
    {"schedule", "ExponentialDecay", "it is written exponential(factor=0.95), once an epoch"},
    {"schedule", "OneCycleLR", "there is no one-cycle schedule: cosine(warmup=5) rises and falls, too"},
    {"schedule", "StepLR", "it is written step(30, factor=0.1)"},
    {"schedule", "MultiStepLR", "it is written multistep([30, 60], factor=0.1)"},
    {"schedule", "CosineAnnealingLR", "it is written cosine(min_lr=0)"},
    {"schedule", "ExponentialLR", "it is written exponential(factor=0.95)"},
    {"schedule", "LinearLR", "it is written warmup(5), or warmup=5 of another schedule"},
    {"callback", "LearningRateScheduler", "it is a setting: schedule = cosine"},
    {"callback", "TensorBoard", "every run writes metrics.csv and run.json below --out"},
    {"callback", "CSVLogger", "every run writes metrics.csv below --out"},
    {"callback", "load_state_dict", "weights are named in a line: init backbone from \"weights.safetensors\""},
    {"callback", "load_weights", "weights are named in a line: init backbone from \"weights.safetensors\""},
    {"callback", "EarlyStopping", "it is written early_stop(val_loss, patience=5, restore=best)"},
    {"callback", "ReduceLROnPlateau", "it is written reduce_lr(val_loss, factor=0.5, patience=3)"},
    {"callback", "ModelCheckpoint", "it is written checkpoint(\"best.safetensors\", monitor=val_accuracy)"},
    {"source of data", "ImageFolder", "it is written folder(\"DIR\", val=0.1)"},
    {"source of data", "MNIST", "it is written idx(\"DIR\", val=0.1)"},
    {"source of data", "FashionMNIST", "it is written idx(\"DIR\", val=0.1)"},
    {"source of data", "CIFAR10", "it is written cifar10(\"DIR\", val=0.1)"},
    {"transform", "Resize", "it is written resize(224x224) or resize(short=256)"},
    {"transform", "CenterCrop", "it is written center_crop(224x224)"},
    {"transform", "RandomCrop", "it is written random_crop(32x32, pad=4), in augment"},
    {"transform", "ToTensor", "it is not needed: pixels are numbers from 0 to 1"},
    {"transform", "Rescaling", "it is not needed: pixels are numbers from 0 to 1"},
    {"transform", "Normalize", "it is written normalize(mean=0.5, std=0.5) or normalize(imagenet)"},
    {"transform", "RandomHorizontalFlip", "it is written hflip, in augment"},
    {"transform", "RandomFlip", "it is written hflip or vflip, in augment"},
    {"transform", "RandomRotation", "it is written rotate(20), in augment, in degrees"},
    {"transform", "RandomZoom", "it is written zoom(0.2), in augment"},
    {"transform", "Grayscale", "it is written grayscale"},
    {"transform", "ColorJitter", "it is written brightness(0.2) and contrast(0.2), in augment"},
    {"pad", "valid", "no padding is written pad=0"},
    {"weights", "kaiming_normal", "it is called he_normal"},
    {"weights", "kaiming_uniform", "it is called he_uniform"},
    {"weights", "xavier_uniform", "it is called glorot_uniform"},
    {"weights", "xavier", "it is called glorot_uniform"},
    {"act", "linear", "no activation is written act=identity, or nothing at all"},
    {"act", "none", "no activation is written act=identity, or nothing at all"},
    {"act", "None", "no activation is written act=identity, or nothing at all"},
    {"act", "ReLU", "it is written relu"},
    {"", "True", "write true"},
    {"", "False", "write false"},
    {"", "None", "there is no such value: leave the argument out, or name what is meant"},
    {"", "null", "there is no such value: leave the argument out, or name what is meant"},
};

template <std::size_t N>
std::string_view find(const Foreign (&table)[N], std::string_view owner, std::string_view name) {
  const auto matches = [&](const Foreign& row, std::string_view wanted) {
    return row.name == name && row.owner == wanted;
  };
  for (const std::string_view wanted : {owner, std::string_view()}) {
    const auto* row = std::ranges::find_if(table, [&](const Foreign& one) { return matches(one, wanted); });
    if (row != std::end(table)) return row->help;
  }
  return {};
}

}  // namespace

std::string_view foreign_layer(std::string_view name) {
  return find(kLayers, "", name);
}

std::string_view foreign_option(std::string_view owner, std::string_view option) {
  return find(kOptions, owner, option);
}

std::string_view foreign_extra(std::string_view owner) {
  return find(kExtras, owner, "");
}

std::string_view foreign_word(std::string_view setting, std::string_view word) {
  return find(kWords, setting, word);
}

bool is_foreign_module(std::string_view name) {
  constexpr std::string_view kModules[] = {"nn", "torch", "F", "keras", "layers", "tf", "tensorflow"};
  return std::ranges::find(kModules, name) != std::end(kModules);
}

}  // namespace cnnc::sema
