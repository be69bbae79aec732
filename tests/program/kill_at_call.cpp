// A library to preload: the process is killed (SIGKILL) before the N-th call that changes files, N from
// KILL_AT_CALL. A write that is the N-th leaves half of its bytes behind. With FAIL_AT_CALL, that call and
// all later writes fail as on a full disk instead.
#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace {

std::atomic<long> calls = 0;

long number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atol(text);
}

template <class Function>
Function original(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

enum class Fate { kGoOn, kKill, kFail };

/// Standard output and standard error do not count.
Fate next_call(int file) {
  if (file >= 0 && file <= 2) return Fate::kGoOn;
  const long call = ++calls;
  if (call == number("KILL_AT_CALL")) return Fate::kKill;
  const long fail = number("FAIL_AT_CALL");
  return fail > 0 && call >= fail ? Fate::kFail : Fate::kGoOn;
}

template <class Call>
auto change(int file, Call&& call) -> decltype(call()) {
  switch (next_call(file)) {
    case Fate::kKill:
      die();
      break;
    case Fate::kFail:
      errno = ENOSPC;
      return static_cast<decltype(call())>(-1);
    case Fate::kGoOn:
      break;
  }
  return call();
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
  const auto real = original<ssize_t (*)(int, const void*, size_t)>("write");
  switch (next_call(file)) {
    case Fate::kKill:
      if (real(file, bytes, count / 2) >= 0) die();
      die();
      break;
    case Fate::kFail:
      errno = ENOSPC;
      return -1;
    case Fate::kGoOn:
      break;
  }
  return real(file, bytes, count);
}

ssize_t writev(int file, const iovec* parts, int count) {
  return change(file,
                [&] { return original<ssize_t (*)(int, const iovec*, int)>("writev")(file, parts, count); });
}

int fsync(int file) {
  return change(file, [&] { return original<int (*)(int)>("fsync")(file); });
}

int fdatasync(int file) {
  return change(file, [&] { return original<int (*)(int)>("fdatasync")(file); });
}

int rename(const char* from, const char* to) {
  return change(-1, [&] { return original<int (*)(const char*, const char*)>("rename")(from, to); });
}

}  // extern "C"
