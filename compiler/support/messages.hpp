// Every message the compiler can give: id, severity and text, by stage. Each is covered by a test that compares the whole
// rendered text. Help and labels stand where the message is reported, since they depend on what was found there.
#pragma once

#include <cstdint>
#include <string_view>

#include "support/diagnostics.hpp"

namespace cnnc::messages {

using Text = std::string_view;

// ---------- driver ----------

inline constexpr Message<Text, Text> kCannotReadSpec{"cannot-read-spec", Severity::kError, "'{}' can't be read: {}"};
inline constexpr Message<Text, Text, Text> kNoSuchModel{
    "no-such-model", Severity::kError, "there is no model '{}' in {}; it has: {}"};

// ---------- syntax ----------

inline constexpr Message<Text> kImportCircle{"import-circle", Severity::kError, "\"{}\" imports this file, too"};
inline constexpr Message<std::size_t> kTooManyFiles{"too-many-files", Severity::kError, "more than {} files are imported"};
inline constexpr Message<Text, Text> kCannotImport{"cannot-import", Severity::kError, "\"{}\" can't be imported: {}"};

inline constexpr Message<Text, std::size_t, std::size_t> kTextTooLarge{
    "text-too-large", Severity::kError, "{} has {} MiB; a spec may have {}"};
inline constexpr Message<unsigned> kNotText{"not-text", Severity::kError, "byte 0x{:02x} is not valid in UTF-8 text"};
inline constexpr Message<int> kNestedTooDeep{"nested-too-deep", Severity::kError, "nested deeper than {} levels"};
inline constexpr Message<> kNoEdition{"no-edition", Severity::kError, "the file does not begin with its edition"};
inline constexpr Message<std::int64_t> kUnknownEdition{
    "unknown-edition", Severity::kError, "this version of cnnc reads edition 1, not {}"};
inline constexpr Message<Text, Text> kExpected{"expected", Severity::kError, "expected {}, found {}"};
inline constexpr Message<Text> kUnexpected{"unexpected", Severity::kError, "unexpected {}"};
inline constexpr Message<> kUnknownEscape{
    "unknown-escape", Severity::kError, "a backslash in a text begins an escape, and this is none"};
inline constexpr Message<> kOpenTemplate{
    "open-template", Severity::kError, "the expression in the text is not closed"};
inline constexpr Message<> kOpenText{"open-text", Severity::kError, "the text is not closed"};
inline constexpr Message<Text, Text> kMissingBracket{"missing-bracket", Severity::kError, "missing '{}' to close {}"};
inline constexpr Message<Text> kNumberTooLarge{"number-too-large", Severity::kError, "the number {} is out of range"};

// ---------- sema ----------

inline constexpr Message<Text> kNotYetSupported{
    "not-yet-supported", Severity::kError, "{} is not supported by this version of cnnc"};

// values
inline constexpr Message<Text> kUnknownName{"unknown-name", Severity::kError, "unknown name '{}'"};
inline constexpr Message<Text> kUnknownFunction{"unknown-function", Severity::kError, "unknown function '{}'"};
inline constexpr Message<Text, Text> kFunctionKeyword{
    "function-keyword", Severity::kError, "'{}' takes no named arguments, such as {}="};
inline constexpr Message<Text, Text, std::size_t> kWrongArgumentCount{
    "wrong-argument-count", Severity::kError, "'{}' takes {}, not {}"};
inline constexpr Message<Text, Text, Text> kWrongFunctionArgument{
    "wrong-function-argument", Severity::kError, "'{}' takes {}, not {}"};
inline constexpr Message<Text, Text, Text> kWrongOperands{
    "wrong-operands", Severity::kError, "'{}' does not work on {} and {}"};
inline constexpr Message<Text, Text> kWrongOperand{"wrong-operand", Severity::kError, "'{}' does not work on {}"};
inline constexpr Message<Text, Text> kNotACondition{
    "not-a-condition", Severity::kError, "'{}' needs true or false, not {}"};
inline constexpr Message<std::int64_t, std::int64_t> kDivisionNotExact{
    "division-not-exact", Severity::kError, "{} / {} is not a whole number"};
inline constexpr Message<> kDivisionByZero{"division-by-zero", Severity::kError, "division by zero"};
inline constexpr Message<Text, Text, Text> kNumberOverflow{
    "number-overflow", Severity::kError, "{} {} {} is too large for a whole number of 64 bits"};
inline constexpr Message<Text, Text, Text> kNotFinite{"not-finite", Severity::kError, "{} {} {} is not a finite number"};
inline constexpr Message<std::int64_t, std::int64_t> kIndexOutOfRange{
    "index-out-of-range", Severity::kError, "index {} is out of range: there are {} elements"};
inline constexpr Message<Text> kWrongIndex{"wrong-index", Severity::kError, "an index is a whole number, not {}"};
inline constexpr Message<Text> kNotIndexable{"not-indexable", Severity::kError, "{} has no elements to index"};
inline constexpr Message<> kInputAlone{"input-alone", Severity::kError, "'input' is not a value by itself"};
inline constexpr Message<> kNoInputHere{"no-input-here", Severity::kError, "there is no input here yet"};
inline constexpr Message<> kNoMembers{"no-members", Severity::kError, "this value has no members"};
inline constexpr Message<Text> kUnknownMember{"unknown-member", Severity::kError, "the input has no '{}'"};
inline constexpr Message<std::int64_t> kValueTooLarge{
    "value-too-large", Severity::kError, "this value has more than {} elements"};

// names and bodies
inline constexpr Message<Text> kNameTaken{"name-taken", Severity::kError, "the name '{}' is taken"};
inline constexpr Message<Text> kPathTaken{"path-taken", Severity::kError, "there are two layers '{}'"};
inline constexpr Message<Text> kBadLayerName{"bad-layer-name", Severity::kError, "'{}' can't name a layer"};
inline constexpr Message<Text, Text> kNotDeclared{"not-declared", Severity::kError, "\"{}\" declares no '{}'"};
inline constexpr Message<Text> kNoValueYet{"no-value-yet", Severity::kError, "'{}' has no value yet"};
inline constexpr Message<Text> kRecursion{"recursion", Severity::kError, "'{}' would contain itself without end"};
inline constexpr Message<std::size_t> kBlocksTooDeep{
    "blocks-too-deep", Severity::kError, "blocks are nested deeper than {} levels"};
inline constexpr Message<Text> kNoSections{"no-sections", Severity::kError, "'{}' has no parts to use by name"};
inline constexpr Message<Text, Text> kNoSuchSection{"no-such-section", Severity::kError, "model {} has no part '{}'"};
inline constexpr Message<Text> kSectionArguments{"section-arguments", Severity::kError, "the section '{}' takes no arguments"};
inline constexpr Message<> kWholeModelOnly{"whole-model-only", Severity::kError, "a whole model is needed here, not a part"};
inline constexpr Message<Text> kEditedNeedsName{
    "edited-needs-name", Severity::kError, "{} is edited by path, so here it needs a name"};
inline constexpr Message<Text> kNoSuchPart{"no-such-part", Severity::kError, "'{}' is no part of the model that is extended"};
inline constexpr Message<Text> kNothingToSet{"nothing-to-set", Severity::kError, "'{}' is a section and takes no arguments"};
inline constexpr Message<Text> kRequirementNotMet{"requirement-not-met", Severity::kError, "requirement not met: {}"};
inline constexpr Message<Text, Text, Text> kWrongLoop{"wrong-loop", Severity::kError, "'{}' takes {}, not {}"};
inline constexpr Message<std::int64_t> kExpansionTooLarge{
    "expansion-too-large", Severity::kError, "the model expands to more than {} layers and rounds of loops"};
inline constexpr Message<Text> kNoInput{"no-input", Severity::kError, "model {} has no input"};
inline constexpr Message<Text> kLayerBeforeInput{
    "layer-before-input", Severity::kError, "this stands before the input of model {}"};
inline constexpr Message<> kSecondInput{"second-input", Severity::kError, "a model has one input"};
inline constexpr Message<> kInputNotFirst{"input-not-first", Severity::kError, "the input stands at the model's begin, in no braces"};
inline constexpr Message<Text> kWrongInputShape{"wrong-input-shape", Severity::kError, "{} is no shape for an input"};
inline constexpr Message<Text> kChannelsLast{
    "channels-last", Severity::kWarning, "input {} looks like height x width x channels"};
inline constexpr Message<Text> kNoLayers{"no-layers", Severity::kError, "model {} has no layers"};
inline constexpr Message<> kTapOutsideBranch{"tap-outside-branch", Severity::kError, "'from' only begins a branch"};
inline constexpr Message<> kTapNeedsOne{"tap-needs-one", Severity::kError, "a branch begins at one tensor"};
inline constexpr Message<Text> kUnknownTap{"unknown-tap", Severity::kError, "nothing before this is called '{}'"};

// layers and arguments
inline constexpr Message<Text> kUnknownLayer{"unknown-layer", Severity::kError, "unknown layer '{}'"};
inline constexpr Message<Text, Text> kNotALayer{"not-a-layer", Severity::kError, "'{}' is {}, not a layer"};
inline constexpr Message<Text> kMergeWithoutBranches{
    "merge-without-branches", Severity::kError, "'{}' needs branches between braces"};
inline constexpr Message<Text> kTooFewBranches{"too-few-branches", Severity::kError, "'{}' needs at least two branches"};
inline constexpr Message<Text, double, double> kLayerTooLarge{
    "layer-too-large", Severity::kError, "'{}' would have {:.0f} numbers; {:.0f} are the limit"};
inline constexpr Message<Text, Text> kUnknownOption{"unknown-option", Severity::kError, "unknown option '{}' of '{}'"};
inline constexpr Message<Text, std::size_t> kTooManyArguments{
    "too-many-arguments", Severity::kError, "too many arguments: '{}' takes {} without a name"};
inline constexpr Message<Text> kPositionalAfterNamed{
    "positional-after-named", Severity::kError, "in '{}' an argument without a name follows one with a name"};
inline constexpr Message<Text, Text> kGivenTwice{"given-twice", Severity::kError, "'{}' of '{}' is given twice"};
inline constexpr Message<Text, Text> kMissingArgument{"missing-argument", Severity::kError, "'{}' of '{}' is missing"};
inline constexpr Message<Text, Text, Text, Text> kWrongType{
    "wrong-type", Severity::kError, "'{}' of '{}' takes {}, not {}"};
inline constexpr Message<Text, Text, Text, Text> kNotAChoice{
    "not-a-choice", Severity::kError, "'{}' of '{}' takes {}, not {}"};
inline constexpr Message<Text, Text, Text, Text> kOutOfRange{
    "out-of-range", Severity::kError, "'{}' of '{}' must be {}, not {}"};

// settings, data
inline constexpr Message<Text, Text> kUnknownSetting{"unknown-setting", Severity::kError, "unknown setting '{}' of {}"};
inline constexpr Message<Text, Text> kSettingTwice{"setting-twice", Severity::kError, "'{}' of {} is given twice"};
inline constexpr Message<Text, Text, Text> kWrongSetting{"wrong-setting", Severity::kError, "'{}' takes {}, not {}"};
inline constexpr Message<Text, Text> kMissingSetting{"missing-setting", Severity::kError, "{} lacks {}"};
inline constexpr Message<Text> kNotInHere{"not-in-here", Severity::kError, "this does not belong into {}"};
inline constexpr Message<Text, Text, Text> kWrongOverride{
    "wrong-override", Severity::kError, "--set {}={} does not work: it takes {}"};
inline constexpr Message<Text, Text> kUnreadableOverride{
    "unreadable-override", Severity::kError, "--set {}={} is no value"};
inline constexpr Message<Text> kUnknownOverride{"unknown-override", Severity::kError, "--set: there is no '{}' to set"};
inline constexpr Message<> kUnknownSource{"unknown-source", Severity::kError, "this is no source of data"};
inline constexpr Message<Text> kClassTwice{"class-twice", Severity::kError, "class \"{}\" is named twice"};
inline constexpr Message<> kTestAsValidation{
    "test-as-validation", Severity::kNote, "the test part serves as validation: its figures are optimistic"};
inline constexpr Message<> kNotATransform{"not-a-transform", Severity::kError, "this is no transform"};
inline constexpr Message<Text> kUnknownTransform{"unknown-transform", Severity::kError, "unknown transform '{}'"};
inline constexpr Message<std::size_t, std::size_t> kNormalizeLengths{
    "normalize-lengths", Severity::kError, "mean has {} numbers and std has {}"};

// train
inline constexpr Message<Text> kUnknownModel{"unknown-model", Severity::kError, "there is no model '{}'"};
inline constexpr Message<Text> kUnknownData{"unknown-data", Severity::kError, "there is no data '{}'"};
inline constexpr Message<Text, Text> kUnknownChoice{"unknown-choice", Severity::kError, "'{}' is no {}"};
inline constexpr Message<Text> kUnknownRecipe{"unknown-recipe", Severity::kError, "there is no recipe '{}'"};
inline constexpr Message<std::int64_t, std::int64_t> kScheduleTooLong{
    "schedule-too-long", Severity::kError, "the schedule needs {} epochs, but its phase has {}"};
inline constexpr Message<Text> kGroupLearnsNothing{
    "group-learns-nothing", Severity::kWarning, "nothing of this group learns in phase {}"};
inline constexpr Message<Text, std::int64_t, std::int64_t> kCutInside{
    "cut-inside", Severity::kNote, "the cut goes through {}: it takes {} of its {} layers"};
inline constexpr Message<> kNoLearning{"no-learning", Severity::kError, "a learning rate of 0 learns nothing"};
inline constexpr Message<> kNesterovNeedsMomentum{
    "nesterov-needs-momentum", Severity::kError, "nesterov needs a momentum above 0"};
inline constexpr Message<Text> kUnknownCallback{"unknown-callback", Severity::kError, "'{}' is nothing a train can do"};
inline constexpr Message<> kCheckpointFolder{
    "checkpoint-folder", Severity::kError, "a checkpoint's file has no folder"};
inline constexpr Message<Text> kCheckpointTwice{
    "checkpoint-twice", Severity::kError, "two checkpoints write \"{}\""};
inline constexpr Message<Text> kBelongsToTrain{
    "belongs-to-train", Severity::kError, "'{}' holds for all phases: write it outside of them"};
inline constexpr Message<> kFreezeBesidePhases{
    "freeze-beside-phases", Severity::kError, "a freeze or unfreeze beside phases belongs to none of them"};
inline constexpr Message<Text, Text> kMatchesNothing{
    "matches-nothing", Severity::kError, "'{} {}' matches no layer"};
inline constexpr Message<Text> kUnknownLayerType{"unknown-layer-type", Severity::kError, "'{}' is no type of layer"};
inline constexpr Message<Text> kWrongCount{
    "wrong-count", Severity::kError, "a number of layers is a whole number above 0, not {}"};
inline constexpr Message<Text, std::int64_t, std::int64_t> kCountTooLarge{
    "count-too-large", Severity::kError, "the {} {} layers were asked for, but there are {}"};
inline constexpr Message<Text, Text> kNothingToTrain{
    "nothing-to-train", Severity::kError, "phase {} leaves nothing of {} to train"};

// model, data and train together
inline constexpr Message<Text, std::int64_t, Text, std::int64_t> kClassesDisagree{
    "classes-disagree", Severity::kError, "{} ends with {} outputs but data {} has {} classes"};
inline constexpr Message<Text, Text> kOutputNotFlat{
    "output-not-flat", Severity::kError, "{} ends with {}; one number a class is needed"};
inline constexpr Message<Text, Text> kSoftmaxAdded{
    "softmax-added", Severity::kNote, "{} ends in '{}': cross_entropy and predict add the softmax"};
inline constexpr Message<Text, Text> kLossNeedsSoftmax{
    "loss-needs-softmax", Severity::kError, "cross_entropy needs a model that ends in softmax or dense; {} ends in '{}'"};
inline constexpr Message<Text, Text, Text, Text> kLossNeedsEnding{
    "loss-needs-ending", Severity::kError, "{} needs a model that ends in {}; {} ends in '{}'"};
inline constexpr Message<std::size_t, Text, std::int64_t> kClassWeights{
    "class-weights", Severity::kError, "there are {} class weights, but data {} has {} classes"};
inline constexpr Message<Text, std::int64_t> kTop5NeedsClasses{
    "top5-needs-classes", Severity::kError, "top5 needs at least 5 classes; data {} has {}"};
inline constexpr Message<Text, Text, Text> kInputNotImages{
    "input-not-images", Severity::kError, "{} takes {} features, but data {} gives images"};
inline constexpr Message<Text, std::int64_t, Text> kChannelsDisagree{
    "channels-disagree", Severity::kError, "{} takes {} channels, but data {} has 1"};
inline constexpr Message<std::int64_t, Text, std::int64_t> kNormalizeChannels{
    "normalize-channels", Severity::kError, "normalize is for {} channels, but {} takes {}"};
inline constexpr Message<Text, Text, Text, Text> kSizesDisagree{
    "sizes-disagree", Severity::kError, "data {} is resized to {}, but {} takes {}"};
inline constexpr Message<Text, Text> kMonitorWithoutValidation{
    "monitor-without-validation", Severity::kError, "{} can't be monitored: data {} has no validation part"};
inline constexpr Message<Text, Text> kModelIncomplete{
    "model-incomplete", Severity::kNote, "nothing is generated for model {}: no value for {}"};
inline constexpr Message<Text> kProgramTwice{"program-twice", Severity::kError, "two programs are called '{}'"};

// ---------- ops ----------

inline constexpr Message<Text, Text> kFlatInput{
    "flat-input", Severity::kError, "'{}' needs channels x height x width, but its input is flat: {}"};
inline constexpr Message<Text, Text> kNotFlat{"not-flat", Severity::kError, "'{}' needs a flat input, but gets {}"};
inline constexpr Message<Text, Text, Text> kBranchesDisagree{
    "branches-disagree", Severity::kError, "branches of '{}' disagree: {} and {}"};
inline constexpr Message<std::int64_t> kSameNeedsOddKernel{
    "same-needs-odd-kernel", Severity::kError, "pad=same needs an odd kernel, not {}"};
inline constexpr Message<Text, std::int64_t, std::int64_t, Text> kWindowTooLarge{
    "window-too-large", Severity::kError, "the window of '{}' is {}x{} and does not fit into its input {}"};
inline constexpr Message<Text> kPoolPadTooLarge{
    "pool-pad-too-large", Severity::kError, "the padding of '{}' is more than half of its window"};
inline constexpr Message<std::int64_t, std::int64_t, std::int64_t> kGroupsDoNotDivide{
    "groups-do-not-divide", Severity::kError, "groups={} does not divide {} input and {} output channels"};
inline constexpr Message<> kConnectWithGroups{
    "connect-with-groups", Severity::kError, "a convolution has groups or a connection table, not both"};
inline constexpr Message<std::int64_t, std::int64_t, std::int64_t, std::int64_t> kConnectTooLarge{
    "connect-too-large", Severity::kError, "connect is for up to {} input and {} output channels, not {} and {}"};
inline constexpr Message<std::int64_t, std::int64_t> kConnectLength{
    "connect-length", Severity::kError, "connect has {} lists, but there are {} output channels"};
inline constexpr Message<std::int64_t, std::int64_t, std::int64_t> kConnectChannel{
    "connect-channel", Severity::kError, "connect lets output channel {} read input channel {}, but there are {}"};
inline constexpr Message<std::int64_t, std::int64_t> kConnectTwice{
    "connect-twice", Severity::kError, "connect lets output channel {} read input channel {} twice"};
inline constexpr Message<Text, std::size_t, std::size_t> kTooManyBranches{
    "too-many-branches", Severity::kError, "'{}' takes at most {} branches, not {}"};
inline constexpr Message<std::int64_t, std::int64_t> kCodesDoNotFit{
    "codes-do-not-fit", Severity::kError, "codes=lenet5 are for 84 inputs and 10 outputs, not {} and {}"};

}  // namespace cnnc::messages
