target_sources(cnn PRIVATE data/byte_stream.cpp data/dataset.cpp data/idx.cpp data/loader.cpp data/prepare.cpp
                           data/resize.cpp data/shuffle.cpp data/split.cpp)
