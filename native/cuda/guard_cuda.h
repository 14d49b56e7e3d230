#ifndef SALLYPORT_GUARD_CUDA_H
#define SALLYPORT_GUARD_CUDA_H
/*
 * What the guard engine asks of a device: memory, two queues, and the steps of a forward pass. The engine loads the
 * library that answers (libguard_cuda.so) at run time, and goes on without one. The same sources built for the
 * emulator (emulate/) answer on a machine that has no device.
 *
 * Every call answers 0, or a guard_cuda_failure; `why` then has the sentence. Calls of one device come from one thread
 * at a time, except those of memory and of the copy queue, which a second thread may use. Matrices lie as
 * src/cpu/kernels.h packs them; all steps are put on the compute queue and return at once.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_CUDA_ABI 1

typedef enum guard_cuda_failure {
  GUARD_CUDA_OK = 0,
  GUARD_CUDA_NO_DEVICE = 1, /* no driver, or no device that this library has code for */
  GUARD_CUDA_NO_MEMORY = 2,
  GUARD_CUDA_LOST = 3,      /* the device answers no more: the engine must be opened anew */
  GUARD_CUDA_BAD_CALL = 4   /* a mistake of the caller */
} guard_cuda_failure;

typedef struct guard_cuda_device guard_cuda_device;
typedef struct guard_cuda_graph guard_cuda_graph;
typedef uint64_t guard_cuda_event; /* 0 is reached always */

typedef struct guard_cuda_facts {
  char name[128];
  int32_t driver, runtime;         /* CUDA versions, 1000 * major + 10 * minor; 0 for the emulator */
  int32_t capability;              /* 10 * major + minor */
  int32_t processors;
  uint64_t shared_bytes;           /* most of one block */
  int32_t emulated;
} guard_cuda_facts;

/* A packed matrix (n, k) on the device. `pack`: the number of guard::cpu::Pack. */
typedef struct guard_cuda_matrix {
  int32_t pack;
  uint32_t n, k;
  const void *data;
} guard_cuda_matrix;

/* Rows of activations in int8 with a scale a block of 32: what the integer matrices multiply. `blocks`: the row
 * length in blocks, a multiple of 4. sums[]: of the two halves of a block, as two int16. */
typedef struct guard_cuda_int8 {
  int8_t *q;
  float *d;
  int32_t *sums;
  uint32_t blocks;
} guard_cuda_int8;

/* How many rows there are is read on the device, so that a recorded graph serves every batch that fits `most`. */
typedef struct guard_cuda_count {
  const int32_t *here;
  uint32_t most;
} guard_cuda_count;

/* x[r] = row ids[r] of the matrix, in float32. */
typedef struct guard_cuda_embed {
  guard_cuda_matrix table;
  const int32_t *ids;
  guard_cuda_count rows;
  float *x;
  uint32_t ld;
} guard_cuda_embed;

/* y[r] = norm(x[from[r]]); `from` may be null. Results go to y (may be null, may be x) and int8 (q may be null). With
 * weight null: no norm, the rows are only copied and rounded. */
typedef struct guard_cuda_norm {
  const float *x;
  const float *weight, *bias;      /* bias null: none */
  const int32_t *from;
  float *y;
  guard_cuda_int8 int8;
  float eps;
  int32_t centred;                 /* 1: LayerNorm, 0: RMSNorm */
  uint32_t n, ldx, ldy;
  guard_cuda_count rows;
} guard_cuda_norm;

/* y = x wT (+ bias), or y += it. All matrices have the same k and are multiplied by the same rows. `int8` serves the
 * integer kinds, x the float kinds. `times`: so many products, whose x, matrices and y lie so many bytes apart. */
typedef struct guard_cuda_linear {
  guard_cuda_matrix matrix[3];
  float *y[3];
  const float *bias[3];            /* null: none */
  uint32_t ldy[3];
  uint32_t matrices;
  guard_cuda_int8 int8;
  const float *x;
  uint32_t ldx;
  int32_t adds;                    /* 1: y += */
  int32_t exact;                   /* float kinds: one chain of fused sums, as the CPU has it; for small matrices */
  uint32_t times;                  /* 0: 1 */
  uint64_t x_apart, matrix_apart, y_apart;
  guard_cuda_count rows;
} guard_cuda_linear;

/* Biases, norms and rotary positions of queries, keys and values, in place; keys and values of rows that are kept go
 * to their page too. Any of q, k may be null. */
typedef struct guard_cuda_rotate {
  float *q, *k, *v;
  uint32_t ldq, ldk, ldv;
  uint32_t heads, kv_heads, width, rotated;
  const float *q_bias, *k_bias, *v_bias; /* null: none */
  const float *q_norm, *k_norm;          /* null: none */
  float eps;
  int32_t half_split;
  const float *table;                    /* (position, rotated): cosine, sine of each pair */
  const int32_t *position;               /* of each row */
  const uint64_t *page;                  /* of each row: the address of its page, or 0 where it is not kept; or null */
  const int32_t *slot;                   /* of each row, in its page */
  uint64_t page_offset;                  /* bytes from a page's beginning to this layer's keys */
  guard_cuda_count rows;
} guard_cuda_rotate;

/* One sequence of a batch. Keys of a shared prefix come first, in pages; then the sequence's own, in pages, or among
 * the batch's rows when only this layer needs them. */
typedef struct guard_cuda_part {
  int32_t row, rows;               /* of queries */
  int32_t first;                   /* absolute position of the first query */
  int32_t prefix;                  /* tokens */
  int32_t prefix_pages;            /* index into pages */
  int32_t own;                     /* tokens behind the prefix, the batch's included */
  int32_t own_pages;               /* index into pages, or -1: among the rows */
  int32_t key_row;                 /* where the own keys begin among the rows */
} guard_cuda_part;

#define GUARD_CUDA_QUERIES 32      /* of a tile */
#define GUARD_CUDA_PAGE 16         /* tokens */

typedef struct guard_cuda_tile {
  int32_t part, query;             /* rows [query, query + 32) of the part */
} guard_cuda_tile;

typedef struct guard_cuda_attend {
  const float *q, *k, *v;
  uint32_t ldq, ldk, ldv;
  uint32_t heads, kv_heads, width;
  float scale;
  int32_t causal;
  uint32_t reach;                  /* both ways: at most so far; 0: everything */
  const guard_cuda_part *parts;
  const guard_cuda_tile *tiles;
  guard_cuda_count n_tiles;
  const uint64_t *pages;           /* addresses */
  uint64_t page_offset;
  float *out;
  uint32_t ldo;
  uint32_t most_keys;              /* of any tile: a room of the scratch has so many columns */
  float *scratch;                  /* scores that do not fit the shared memory: heads * tiles rooms of 32 rows; or null */
  /* DeBERTa: scores get (by_query[head][i][place] + by_key[head][j][place]) * scale, place = places[i - j + middle]. */
  const float *by_query, *by_key;  /* (head, row, ld), or null */
  uint64_t head_apart;             /* floats */
  uint32_t ldp;
  const int32_t *places;
  int32_t middle;
} guard_cuda_attend;

/* y = silu(x) * gate, gelu(x) * gate, or gelu(x) where gate is null; to y (may be null, may be x) and int8. */
typedef struct guard_cuda_activate {
  const float *x, *gate;
  uint32_t ldx, ldg, ldy, n;
  int32_t gelu;
  float *y;
  guard_cuda_int8 int8;
  guard_cuda_count rows;
} guard_cuda_activate;

/* y[p] = the mean, or the highest, of x over the rows of part p from its from[p]th on (null: the first). */
typedef struct guard_cuda_pool {
  int32_t highest;
  const int32_t *from;
  const float *x;
  uint32_t ldx, ldy, n;
  float *y;
  const guard_cuda_part *parts;
  guard_cuda_count n_parts;
} guard_cuda_pool;

typedef struct guard_cuda_api {
  uint32_t abi;
  const char *(*why)(void);        /* of the calling thread's last failure */
  int (*open)(int32_t ordinal, guard_cuda_device **device);
  void (*close)(guard_cuda_device *device);
  int (*facts)(guard_cuda_device *device, guard_cuda_facts *facts);
  int (*memory)(guard_cuda_device *device, uint64_t *total, uint64_t *free);

  int (*allocate)(guard_cuda_device *device, size_t bytes, void **memory);
  void (*release)(guard_cuda_device *device, void *memory);
  int (*allocate_pinned)(guard_cuda_device *device, size_t bytes, void **memory);
  void (*release_pinned)(guard_cuda_device *device, void *memory);

  /* The copy queue, and how the two wait for each other. */
  int (*upload)(guard_cuda_device *device, void *to, const void *host, size_t bytes);
  int (*copy_mark)(guard_cuda_device *device, guard_cuda_event *event);
  int (*copy_after)(guard_cuda_device *device, guard_cuda_event event);
  int (*compute_mark)(guard_cuda_device *device, guard_cuda_event *event);
  int (*compute_after)(guard_cuda_device *device, guard_cuda_event event);
  int (*done)(guard_cuda_device *device, guard_cuda_event event, int32_t *done);
  int (*wait)(guard_cuda_device *device, guard_cuda_event event);
  int (*link)(guard_cuda_device *device, uint64_t *bytes, double *seconds);

  /* On the compute queue: host memory must be pinned, and stay until it is waited for. */
  int (*give)(guard_cuda_device *device, void *to, const void *pinned, size_t bytes);
  int (*take)(guard_cuda_device *device, void *pinned, const void *from, size_t bytes);
  int (*clear)(guard_cuda_device *device, void *memory, size_t bytes);

  /* What is put on the compute queue between the two is recorded, not run. */
  int (*record)(guard_cuda_device *device);
  int (*recorded)(guard_cuda_device *device, guard_cuda_graph **graph);
  int (*replay)(guard_cuda_device *device, guard_cuda_graph *graph);
  void (*forget)(guard_cuda_device *device, guard_cuda_graph *graph);

  int (*embed)(guard_cuda_device *device, const guard_cuda_embed *step);
  int (*norm)(guard_cuda_device *device, const guard_cuda_norm *step);
  int (*linear)(guard_cuda_device *device, const guard_cuda_linear *step);
  int (*rotate)(guard_cuda_device *device, const guard_cuda_rotate *step);
  int (*attend)(guard_cuda_device *device, const guard_cuda_attend *step);
  int (*activate)(guard_cuda_device *device, const guard_cuda_activate *step);
  int (*pool)(guard_cuda_device *device, const guard_cuda_pool *step);
} guard_cuda_api;

/* The table, or null where the library speaks another version of this page. */
typedef const guard_cuda_api *(*guard_cuda_entry)(uint32_t abi);
__attribute__((visibility("default"))) const guard_cuda_api *guard_cuda(uint32_t abi);

#ifdef __cplusplus
}
#endif
#endif
