# A loop of multiply-adds: as wide as the kernels are.
add_kernels(cnn program/peak.cpp)
target_sources(cnn PRIVATE
  program/bench.cpp program/bench_orders.cpp program/command_line.cpp program/data_place.cpp program/describe.cpp
  program/evaluate.cpp
  program/evaluation.cpp program/info.cpp program/initial_weights.cpp program/interrupt.cpp program/machine.cpp program/predict.cpp program/profile.cpp
  program/program.cpp program/progress.cpp program/report.cpp program/resume.cpp program/run_directory.cpp
  program/run_record.cpp program/suggestion.cpp program/text.cpp program/train.cpp program/training_run.cpp program/weights.cpp
  program/weights_file.cpp)
