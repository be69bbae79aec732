target_sources(cnn PRIVATE training/initialize.cpp training/metrics.cpp training/optimizer.cpp)
