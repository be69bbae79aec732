# Cross-compiling for 64-bit ARM on Debian, with the package g++-aarch64-linux-gnu: cmake --toolchain cmake/arm64.cmake …
# Libraries are found where Debian puts those of that architecture (dpkg --add-architecture arm64; apt install
# libopenblas-dev:arm64 …). What was built runs through qemu-user where that is installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-L;/usr/aarch64-linux-gnu")
