target_sources(cnn PRIVATE core/random.cpp core/sgemm.cpp core/team.cpp)
