target_sources(cnn PRIVATE data/byte_stream.cpp data/cifar10.cpp data/csv.cpp data/dataset.cpp data/idx.cpp
                           data/input_image.cpp data/load.cpp data/loader.cpp data/picture_folder.cpp data/picture_list.cpp data/pixels.cpp
                           data/prepare.cpp data/resize.cpp data/shuffle.cpp data/split.cpp data/transforms.cpp)
# Sums and products are rounded one by one, as Pillow rounds them.
set_source_files_properties(data/pixels.cpp PROPERTIES COMPILE_OPTIONS -ffp-contract=off)
