target_sources(cnn PRIVATE network/network.cpp)
