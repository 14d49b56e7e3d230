#pragma once
#include "sched/job.h"

namespace guard {
/// Tokenizes a job's texts, adds the model's own separators, and cuts what does not fit. Throws Fail(GUARD_TOO_LONG).
void make_windows(const Model& model, Job& job);
}  // namespace guard
