target_sources(cnn PRIVATE training/initialize.cpp training/metrics.cpp)
add_kernels(cnn training/optimizer.cpp)
