target_sources(cnn PRIVATE core/instructions.cpp core/random.cpp core/sgemm.cpp core/team.cpp)
