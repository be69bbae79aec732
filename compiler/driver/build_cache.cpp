// The cache of built programs: a folder an entry, filled beside its place and moved there whole.
#include "driver/build_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "driver/process.hpp"
#include "support/internal_error.hpp"

namespace cnnc::driver {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 32;

// FNV-1a over 64 bits, twice with different beginnings: enough to tell one's own builds apart.
class Key {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      first_ = (first_ ^ static_cast<unsigned char>(c)) * kPrime;
      second_ = (second_ ^ static_cast<unsigned char>(c)) * kPrime;
    }
    first_ = (first_ ^ 0x100) * kPrime;
    second_ = (second_ ^ 0x200) * kPrime;
  }
  std::string text() const { return fmt::format("{:016x}{:016x}", first_, second_); }

 private:
  static constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t first_ = 0xcbf29ce484222325, second_ = 0x9ae16a3b2f90404f;
};

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

fs::path cache_folder() {
  if (const char* folder = std::getenv("CNNC_CACHE"); folder != nullptr && *folder != 0) return folder;
  if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder != nullptr && *folder != 0) return fs::path(folder) / "cnnc";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != 0) return fs::path(home) / ".cache/cnnc";
  return fs::temp_directory_path() / fmt::format("cnnc-{}", getuid());
}

// Held while an entry is made, so that two runs do not build the same program twice.
class Lock {
 public:
  explicit Lock(const fs::path& file) : descriptor_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) throw std::runtime_error(fmt::format("the cache '{}' can't be written; CNNC_CACHE names another folder", file.parent_path().string()));
    while (flock(descriptor_, LOCK_EX) < 0 && errno == EINTR) {
    }
  }
  ~Lock() { close(descriptor_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int descriptor_;
};

// Takes the entries used longest ago away, beyond the most that are kept.
void prune(const fs::path& cache, const fs::path& keep) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> entries;
  for (const auto& entry : fs::directory_iterator(cache, error)) {
    if (entry.is_directory(error) && entry.path() != keep) entries.emplace_back(entry.last_write_time(error), entry.path());
  }
  if (entries.size() < kMostEntries) return;
  std::ranges::sort(entries);
  for (std::size_t i = 0; i + kMostEntries <= entries.size(); ++i) fs::remove_all(entries[i].second, error);
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error(fmt::format("'{}' can't be written", file.string()));
}

void build(const fs::path& folder, const std::string& name, const std::vector<emit::GeneratedFile>& files,
           const Toolchain& toolchain) {
  std::vector<std::string> command{toolchain.compiler.string()};
  command.insert(command.end(), toolchain.flags.begin(), toolchain.flags.end());
  for (const std::string& include : toolchain.include) command.push_back("-I" + include);
  for (const emit::GeneratedFile& file : files) {
    write(folder / file.name, file.text);
    if (file.name.ends_with(".cpp")) command.push_back((folder / file.name).string());
  }
  command.insert(command.end(), {"-o", (folder / name).string()});
  command.insert(command.end(), toolchain.libraries.begin(), toolchain.libraries.end());
  command.insert(command.end(), toolchain.link.begin(), toolchain.link.end());
  const fs::path log = folder / "build.log";
  if (run_and_wait(command, log) == 0) return;
  const std::string text = contents(log);
  throw InternalError("build", fmt::format("the generated program does not build:\n{}", text.substr(0, 4000)));
}

}  // namespace

Toolchain find_toolchain() {
  const fs::path description = own_directory() / "../share/cnnc/runtime.json";
  const auto json = nlohmann::json::parse(contents(description), nullptr, false);
  if (json.is_discarded()) {
    throw std::runtime_error(fmt::format("the runtime is missing: '{}' can't be read", description.lexically_normal().string()));
  }
  Toolchain toolchain;
  const auto list = [&](const char* name) { return json.at(name).get<std::vector<std::string>>(); };
  // Relative paths count from the description, so that an installed tree can be moved.
  const auto paths = [&](const char* name) {
    std::vector<std::string> found = list(name);
    for (std::string& path : found) path = (description.parent_path() / path).lexically_normal().string();
    return found;
  };
  toolchain.include = paths("include");
  toolchain.flags = list("flags");
  toolchain.libraries = paths("libraries");
  toolchain.link = list("link");
  const char* wish = std::getenv("CXX");
  toolchain.compiler = find_program(wish != nullptr && *wish != 0 ? wish : "c++");
  if (toolchain.compiler.empty()) {
    throw std::runtime_error(wish != nullptr && *wish != 0
                                 ? fmt::format("CXX names '{}', which is no program here", wish)
                                 : std::string("a C++ compiler is needed to build the program, and there is no 'c++' in PATH; "
                                               "install g++, or name one with CXX=..."));
  }
  return toolchain;
}

std::filesystem::path cached_program(const std::string& name, const std::vector<emit::GeneratedFile>& files,
                                     const Toolchain& toolchain) {
  Key key;
  for (const emit::GeneratedFile& file : files) {
    key.add(file.name);
    key.add(file.text);
  }
  // Resolved, so that another compiler behind the same name is another key.
  std::error_code error;
  key.add(fs::canonical(toolchain.compiler, error).string());
  key.add(std::to_string(fs::file_size(fs::canonical(toolchain.compiler, error), error)));
  for (const std::string& flag : toolchain.flags) key.add(flag);
  for (const std::string& flag : toolchain.link) key.add(flag);
  for (const std::string& include : toolchain.include) key.add(include);
  for (const std::string& library : toolchain.libraries) key.add(contents(library));

  const fs::path cache = cache_folder();
  fs::create_directories(cache, error);
  const fs::path entry = cache / key.text();
  const Lock lock(cache / "lock");
  if (fs::exists(entry / name)) {
    fs::last_write_time(entry, fs::file_time_type::clock::now(), error);
    return entry / name;
  }
  const fs::path unfinished = cache / fmt::format("unfinished-{}", getpid());
  fs::remove_all(unfinished, error);
  if (!fs::create_directories(unfinished, error)) {
    throw std::runtime_error(fmt::format("the cache '{}' can't be written; CNNC_CACHE names another folder", cache.string()));
  }
  try {
    build(unfinished, name, files, toolchain);
    fs::remove_all(entry, error);
    fs::rename(unfinished, entry);
  } catch (...) {
    fs::remove_all(unfinished, error);
    throw;
  }
  prune(cache, entry);
  return entry / name;
}

}  // namespace cnnc::driver
