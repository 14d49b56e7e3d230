#ifndef SALLYPORT_GUARD_H
#define SALLYPORT_GUARD_H
/*
 * The guard engine: loads a guard model, scores text with one forward pass, many requests at once.
 *
 * Every call answers a guard_status; nothing here exits, aborts on bad input, or throws. Texts are UTF-8 with a
 * length (no NUL needed). An engine may be used from any thread. `error` may be NULL; when a call fails, it
 * holds a sentence that says why.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_API __attribute__((visibility("default")))

typedef enum guard_status {
  GUARD_OK = 0,
  GUARD_BAD_ARGUMENT = 1,   /* a mistake of the caller */
  GUARD_NOT_FOUND = 2,      /* no such file, or not a regular one */
  GUARD_PIN_MISMATCH = 3,   /* the file's SHA-256 is not the one that was pinned */
  GUARD_MODEL_REJECTED = 4, /* malformed or unsupported model file */
  GUARD_NO_MEMORY = 5,
  GUARD_IO = 6,
  GUARD_TOO_LONG = 7,   /* the input does not fit the model, nor any chunking of it */
  GUARD_OVERLOADED = 8, /* the queue is full: try later */
  GUARD_DEADLINE = 9,   /* not done in time */
  GUARD_CANCELLED = 10,
  GUARD_CLOSED = 11,
  GUARD_NOT_FINITE = 12, /* the model's answer is not a number */
  GUARD_UNSUPPORTED = 13 /* this model, or this machine, cannot do that */
} guard_status;

typedef struct guard_error {
  char sentence[512];
} guard_error;

typedef struct guard_engine guard_engine;
typedef struct guard_prefix guard_prefix;
typedef struct guard_ticket guard_ticket;

typedef enum guard_isa { GUARD_ISA_AUTO = 0, GUARD_ISA_SCALAR = 1, GUARD_ISA_AVX2 = 2, GUARD_ISA_AVX512 = 3, GUARD_ISA_AMX = 4 } guard_isa;

typedef enum guard_backend {
  GUARD_BACKEND_AUTO = 0,
  GUARD_BACKEND_CPU = 1,
  GUARD_BACKEND_CUDA = 2,
  GUARD_BACKEND_SIMULATED = 3 /* the CPU, behind a link of a chosen speed: shows how a model streams, on any machine */
} guard_backend;

typedef enum guard_streaming {
  GUARD_STREAMING_AUTO = 0,     /* device, then host memory, then the file, as memory allows */
  GUARD_STREAMING_RESIDENT = 1, /* all layers on the device, or refused */
  GUARD_STREAMING_PINNED = 2,   /* layers beyond max_device_bytes stay in host memory, or refused */
  GUARD_STREAMING_DISK = 3      /* layers beyond max_device_bytes are read from the file for each pass */
} guard_streaming;

typedef struct guard_open_options {
  const char *model;         /* a .gguf file, or a folder with config.json, tokenizer.json, model.safetensors */
  const char *sha256;        /* 64 lower-case hex digits of the GGUF file or of model.safetensors, or NULL */
  int threads;               /* 0: as many as the machine has, at most 16 */
  guard_isa isa;             /* AUTO: the best of this machine; a named one is refused where it does not run */
  int tokenizer_only;        /* 1: read the tokenizer alone; the file may have no weights */
  uint32_t max_batch_tokens; /* of one forward pass; 0: 512 */
  uint32_t max_queue;        /* waiting requests before GUARD_OVERLOADED; 0: 256 */
  uint64_t max_kv_bytes;     /* prefixes and running requests together; 0: 1 GiB */
  int int8;                  /* 1: matrices of F32, F16 and BF16 are rounded to int8: in blocks of 32, as Q8_0 is, or (DeBERTa on the CPU) by rows */
  guard_backend backend;     /* AUTO: the best of this machine */
  guard_streaming streaming; /* where layers lie that the device has no room for */
  uint64_t max_device_bytes; /* layers on the device, the ring included; 0: what it has to spare */
  uint64_t max_pinned_bytes; /* layers kept in host memory for uploads; 0: what the host can spare */
  uint32_t stream_slots;     /* of the ring that streamed layers pass through, 2 to 16; 0: as fits */
  uint64_t simulated_link_bytes_per_second; /* of GUARD_BACKEND_SIMULATED; 0: 1,000,000,000 */
  const char *device_library; /* that drives CUDA devices; NULL: libguard_cuda.so beside the engine */
  int32_t device;            /* which of several */
} guard_open_options;

typedef struct guard_info {
  const char *architecture; /* "llama", "qwen2", "qwen3", "deberta-v2", "canary-guard" */
  const char *isa;
  const char *tokenizer;
  uint32_t vocabulary, context, width, layers, labels;
  int is_encoder;
  uint64_t weight_bytes;      /* as packed in memory */
  uint32_t threads;
  const char *backend;        /* "cpu", "simulated", or the device's name */
  const char *fallback;       /* GUARD_BACKEND_AUTO: why no CUDA device computes, or "" */
  int32_t cuda_driver;        /* 1000 * major + 10 * minor; 0 without a device */
  uint64_t device_total_bytes, device_free_bytes;
} guard_info;

/* Roles of segments, for canary-guard; other models take one segment, whose role is ignored. */
typedef enum guard_role { GUARD_ROLE_INSTRUCTION = 0, GUARD_ROLE_CALL = 1, GUARD_ROLE_RESULT = 2 } guard_role;

typedef struct guard_segment {
  guard_role role;
  const char *text;
  size_t bytes;
  int trusted; /* 1: special tokens written in the text are honoured (a template of ours); 0: they are plain characters */
} guard_segment;

typedef struct guard_request {
  guard_prefix *prefix; /* or NULL; decoders only */
  const guard_segment *segments;
  size_t n_segments;
  const int32_t *tokens; /* in place of segments, when n_tokens > 0: the exact ids */
  size_t n_tokens;
  const int32_t *labels; /* decoders: token ids whose logits are wanted; encoders: ignored, all labels are given */
  size_t n_labels;       /* at most 64 */
  uint32_t max_tokens;   /* above 0: generate so many tokens greedily (decoders; at most 256) */
  double deadline_ms;    /* from now; 0: none */
  int32_t priority;      /* higher goes first; 0 is ordinary */
  int32_t risk_label;    /* when a long text was split: softmax scores come from the window where this label (an index) is highest; -1: the last */
} guard_request;

typedef struct guard_result {
  guard_status status;
  const char *sentence; /* why, when status is not GUARD_OK */
  size_t n_labels;
  float logits[64];
  double probabilities[64]; /* sigmoid after calibration (canary-guard) or softmax over the labels (others) */
  uint32_t prompt_tokens;   /* prefix included */
  uint32_t cached_tokens;   /* taken from the prefix */
  uint32_t windows;         /* 1, or more where a long text was split */
  uint32_t batch_tokens;    /* of the last forward pass that this request was part of */
  double queue_ms, compute_ms;
  size_t n_generated;
  int32_t generated[256];
} guard_result;

/* Called once for a submitted request, on a thread of the engine; must not block, nor call guard_close. */
typedef void (*guard_done)(void *user, const guard_result *result);

typedef struct guard_stats {
  uint64_t requests, completed, refused, cancelled, late;
  uint64_t passes, tokens, cached_tokens;
  uint64_t queued, running, prefixes, kv_bytes;
  double compute_ms;
  /* Layers, by where they lie now: on the device, in host memory, in the file. */
  uint64_t layers_on_device, layers_pinned, layers_on_disk;
  uint64_t ring_slots, device_bytes, locked_bytes;
  uint64_t layers_streamed; /* that a pass took out of the ring */
  uint64_t layer_hits;      /* that were on the device when a pass asked: kept, or uploaded ahead */
  uint64_t promotions;      /* layers that moved to a faster place, because memory became free */
  uint64_t uploaded_pinned_bytes, uploaded_disk_bytes; /* by where they came from */
  uint64_t read_bytes;      /* of the file, while streaming */
  double read_ms, upload_ms; /* time during which layers were read and packed; during which the link was busy */
  double stall_ms;          /* passes waited for a layer */
  double layer_ms;          /* passes computed layers */
  double overlap;           /* the part of reading and uploading that no pass waited for, 0 to 1 */
  double link_bytes_per_second, read_bytes_per_second; /* measured while busy; 0: not used yet */
} guard_stats;

GUARD_API guard_status guard_open(const guard_open_options *options, guard_engine **engine, guard_error *error);
/* Cancels what is queued or runs, waits for its callbacks, and frees everything. NULL is allowed. */
GUARD_API void guard_close(guard_engine *engine);
GUARD_API guard_status guard_get_info(const guard_engine *engine, guard_info *info);
GUARD_API const char *guard_label_name(const guard_engine *engine, uint32_t label); /* NULL beyond the last */

/* Token ids of a text. `trusted` as in guard_segment. `needed` gets the count even when `capacity` is too small
 * (then the status is GUARD_BAD_ARGUMENT and nothing is written). */
GUARD_API guard_status guard_tokenize(const guard_engine *engine, const char *text, size_t bytes, int trusted,
                                      int32_t *ids, size_t capacity, size_t *needed, guard_error *error);
/* Bytes of tokens, as guard_tokenize's counterpart; not NUL-terminated. */
GUARD_API guard_status guard_detokenize(const guard_engine *engine, const int32_t *ids, size_t n, char *text,
                                        size_t capacity, size_t *needed, guard_error *error);

/* Computes a shared prefix once, and keeps it until released. Only requests of the same tenant may use it.
 * Blocks until it is computed. The text is a template of ours: special tokens are honoured, and the
 * beginning-of-text token is put first where the model has one. */
GUARD_API guard_status guard_prefix_create(guard_engine *engine, const char *tenant, const char *text, size_t bytes,
                                           guard_prefix **prefix, uint32_t *tokens, guard_error *error);
/* Gives up the caller's reference; requests that run keep their own. */
GUARD_API void guard_prefix_release(guard_prefix *prefix);

/* Queues a request for `tenant` (NULL is the tenant ""). On GUARD_OK `done` will be called exactly once, and
 * *ticket (if wanted) stays valid until guard_ticket_release. */
GUARD_API guard_status guard_submit(guard_engine *engine, const char *tenant, const guard_request *request,
                                    guard_done done, void *user, guard_ticket **ticket, guard_error *error);
/* Takes effect at the next layer border. Harmless when the request is done. */
GUARD_API void guard_cancel(guard_ticket *ticket);
GUARD_API void guard_ticket_release(guard_ticket *ticket);
/* guard_submit, and waits. result->sentence then points into `error`, or to "". */
GUARD_API guard_status guard_score(guard_engine *engine, const char *tenant, const guard_request *request,
                                   guard_result *result, guard_error *error);
GUARD_API guard_status guard_get_stats(const guard_engine *engine, guard_stats *stats);
GUARD_API const char *guard_status_name(guard_status status);

#ifdef __cplusplus
}
#endif
#endif
