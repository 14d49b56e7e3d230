#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/decoder.h"
#include "model/encoders.h"

namespace guard {
namespace {

bool is_folder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// The pin comes before any parsing: bytes of another file are not even looked at.
void check_pin(const File& file, const char* pin) {
  if (pin == nullptr) return;
  const std::string wanted(pin);
  if (wanted.size() != 64 || wanted.find_first_not_of("0123456789abcdef") != wanted.npos) fail(GUARD_BAD_ARGUMENT, "The pinned SHA-256 is not 64 lower-case hex digits.");
  const std::string found = file.sha256();
  if (found != wanted) fail(GUARD_PIN_MISMATCH, "The model file has the SHA-256 %s, not the pinned one.", found.c_str());
}

stream::StreamOptions stream_options(const guard_open_options& o) {
  return {o.backend, o.streaming, o.max_device_bytes, o.max_pinned_bytes, o.stream_slots, o.simulated_link_bytes_per_second};
}

std::unique_ptr<Model> load_gguf(const Gguf& gguf, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming) {
  const std::string architecture(gguf.text("general.architecture"));
  if (architecture == "canary-guard") return make_canary(gguf, tokenizer_from_gguf(gguf), std::move(cpu), streaming);
  if (architecture != "llama" && architecture != "qwen2" && architecture != "qwen3")
    reject("The architecture %s is not supported (canary-guard, llama, qwen2 and qwen3 are).", shown(architecture).c_str());
  DecoderConfig config = decoder_config(gguf, architecture);
  auto tokenizer = tokenizer_from_gguf(gguf);
  if (gguf.find(architecture + ".vocab_size") != nullptr && gguf.u32(architecture + ".vocab_size", 1, 1u << 20) != tokenizer->vocab().size())
    reject("%s.vocab_size is not the number of tokens.", architecture.c_str());
  return make_decoder(std::move(config), {true}, gguf.source(), std::move(tokenizer), std::move(cpu), streaming);
}

std::unique_ptr<Model> load_folder(const std::string& folder, const guard_open_options& options, std::shared_ptr<cpu::Cpu> cpu, std::unique_ptr<backend::CudaDevice> cuda) {
  const auto file = std::make_shared<const File>(folder + "/model.safetensors");
  const File& weights = *file;
  check_pin(weights, options.sha256);
  stream::Streaming streaming(stream_options(options), file, std::move(cuda));
  const Json config = read_json_file(folder + "/config.json", "config.json");
  TensorSource source = read_safetensors(weights);
  auto tokenizer = tokenizer_from_json(read_json_file(folder + "/tokenizer.json", "tokenizer.json"));
  const std::string type = config.get_string_or("model_type", "");
  // An encoder reads all its words at once: the sums of whole rows pay most there. The device has none of them.
  const bool rows = type == "deberta-v2" && streaming.cuda() == nullptr;
  if (options.int8 != 0) source.int8 = rows ? Int8::Rows : Int8::Blocks;
  std::unique_ptr<Model> model;
  if (type == "deberta-v2")
    model = make_deberta(config, source, std::move(tokenizer), std::move(cpu), streaming);
  else if (type == "llama" || type == "qwen2" || type == "qwen3")
    model = make_decoder(decoder_config(config), {false}, source, std::move(tokenizer), std::move(cpu), streaming);
  else
    reject("The model type %s is not supported (deberta-v2, llama, qwen2 and qwen3 are).", shown(type).c_str());
  weights.ensure_unchanged();
  model->device = streaming.device_name();
  return model;
}

std::unique_ptr<Model> load_on(const guard_open_options& options, std::shared_ptr<cpu::Cpu> cpu, std::unique_ptr<backend::CudaDevice> cuda) {
  const std::string path(options.model);
  if (is_folder(path)) return load_folder(path, options, std::move(cpu), std::move(cuda));
  const auto file = std::make_shared<const File>(path);
  check_pin(*file, options.sha256);
  stream::Streaming streaming(stream_options(options), file, std::move(cuda));
  Gguf gguf(*file);
  if (options.int8 != 0) gguf.as_int8(Int8::Blocks);
  auto model = load_gguf(gguf, std::move(cpu), streaming);
  file->ensure_unchanged();
  model->device = streaming.device_name();
  return model;
}

}  // namespace

std::unique_ptr<Model> load_model(const guard_open_options& options, std::shared_ptr<cpu::Cpu> cpu) {
  backend::Choice choice = backend::choose(options);
  guard_open_options here = options;
  if (choice.cuda != nullptr) {
    const guard_cuda_facts facts = choice.cuda->facts();
    backend::CudaDevice* const device = choice.cuda.get();
    try {
      auto model = load_on(options, cpu, std::move(choice.cuda));
      model->cuda_driver = facts.driver;
      model->device_memory = device->memory();
      return model;
    } catch (const Fail& unfit) {
      // A model that the device can't take, or has no room for, may still be one for the CPU. What is wrong with the file is wrong for both.
      if (options.backend != GUARD_BACKEND_AUTO || (unfit.status() != GUARD_UNSUPPORTED && unfit.status() != GUARD_NO_MEMORY)) throw;
      choice.fallback = unfit.what();
    }
    here.max_device_bytes = 0;  // it was the device's
  }
  auto model = load_on(here, std::move(cpu), nullptr);
  model->fallback = choice.fallback;
  return model;
}

std::unique_ptr<Tokenizer> load_tokenizer(const guard_open_options& options) {
  const std::string path(options.model);
  if (is_folder(path)) return tokenizer_from_json(read_json_file(path + "/tokenizer.json", "tokenizer.json"));
  const File file(path);
  check_pin(file, options.sha256);
  const Gguf gguf(file);
  return tokenizer_from_gguf(gguf);
}

}  // namespace guard
