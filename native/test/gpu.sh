#!/usr/bin/env bash
# The CUDA backend on a machine that has a GPU and a C++ compiler, and no Node and no network: builds, checks the device
# against the CPU, times it, and writes docs/reference/engine-gpu.md. Takes under ten minutes; ends with 1 on any
# disagreement. `--dry` does the same with the emulated device and a tiny model, and writes the page elsewhere.
#   native/test/gpu.sh [--dry] [--out FILE] [--shapes "1b 8b"] [--library libguard_cuda.so]
# With --library (built on another machine by `node native/build.mjs --cuda`) no nvcc is needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
dry='' out=docs/reference/engine-gpu.md shapes='1b 8b' library='' budget=570
while [ $# -gt 0 ]; do
  case "$1" in
    --dry) dry=1 ;;
    --out) out=$2; shift ;;
    --shapes) shapes=$2; shift ;;
    --library) library=$(realpath "$2"); shift ;;
    *) sed -n '2,8p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ -z "$dry" ] || shapes=tiny
begun=$SECONDS
left() { echo $((budget - (SECONDS - begun))); }
say() { echo "gpu.sh [$((SECONDS - begun)) s]: $*" >&2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/guard-gpu-XXXXXX")
trap 'rm -rf "$work"' EXIT
build=${GUARD_GPU_BUILD:-$work/build}
mkdir -p "$build"
cxx=${CXX:-g++}
cores=$(nproc)

# Each source to an object; `flags` by what a file needs. Failures of any job fail the whole.
compile() { # name flags... < list of "source object extra"
  local program=$1; shift
  xargs -P "$cores" -L 1 bash -c '
    program=$0 flags=$1 source=$2 object=$3; shift 3
    if [ "$object" -nt "$source" ]; then exit 0; fi
    $program $flags "$@" -c "$source" -o "$object.part" && mv "$object.part" "$object" || exit 255
  ' "$program" "$*"
}
includes='-I native/src -I native/include -I native/cuda'
optimize=-O3
[ -z "$dry" ] || optimize=-O1
plain="-std=c++20 $optimize -fPIC -pthread -fvisibility=hidden -ffp-contract=off -fno-math-errno"

if [ -z "${GUARD_GPU_PROGRAM:-}" ]; then
  say 'building the test program'
  for source in $(find native/src native/test -name '*.cc' -not -path '*fuzz*'); do
    extra=''
    case "$source" in
      *kernels-avx2.cc) extra='-mavx2 -mfma -mf16c' ;;
      *kernels-avx512.cc) extra='-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni' ;;
      *kernels-amx.cc) extra='-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mamx-tile -mamx-int8' ;;
    esac
    echo "$source $build/$(echo "$source" | tr / _).o $extra"
  done > "$work/list"
  # shellcheck disable=SC2086
  compile $cxx $plain $includes < "$work/list"
  # The program finds the golden files two folders up.
  mkdir -p native/build
  # shellcheck disable=SC2046
  $cxx -pthread $(cut -d' ' -f2 "$work/list") -ldl -o native/build/guard-test-gpu
  program=native/build/guard-test-gpu
else
  program=$GUARD_GPU_PROGRAM
fi

if [ -z "$library" ]; then
  library=$(realpath native/build)/libguard_cuda-gpu.so
  if [ -n "$dry" ]; then
    say 'building the emulated device'
    for source in native/cuda/*.cu native/cuda/emulate/*.cc; do echo "$source $build/$(echo "$source" | tr / _).o"; done > "$work/cuda"
    # shellcheck disable=SC2086
    compile $cxx $plain -DGUARD_EMULATE $includes -x c++ < "$work/cuda"
    # shellcheck disable=SC2046
    $cxx -shared -pthread $(cut -d' ' -f2 "$work/cuda") -o "$library"
  else
    nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
    [ -x "$nvcc" ] || { say 'there is no nvcc: give --library a libguard_cuda.so that was built elsewhere'; exit 3; }
    architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
    say "building the CUDA library for sm_$architecture"
    for source in native/cuda/*.cu; do echo "$source $build/$(echo "$source" | tr / _).o"; done > "$work/cuda"
    # shellcheck disable=SC2086
    compile "$nvcc" -std=c++20 -O3 -fmad=false --expt-relaxed-constexpr -arch=sm_$architecture --compiler-options -fPIC,-fvisibility=hidden $includes < "$work/cuda"
    # shellcheck disable=SC2046
    "$nvcc" -shared -cudart static $(cut -d' ' -f2 "$work/cuda") -o "$library"
  fi
fi
export GUARD_TEST_DEVICE=$library

failed=0
say 'checking the device against the CPU'
timeout "$(left)" "$program" --only device > "$work/checks" 2>&1 || failed=1
grep -E '^(ok|FAIL|skip)|off by' "$work/checks" >&2 || true
sanitizer='not run: compute-sanitizer was not found'
if [ -z "$dry" ] && command -v compute-sanitizer > /dev/null; then
  say 'the same steps under compute-sanitizer'
  if timeout 90 compute-sanitizer --error-exitcode 9 "$program" --only 'the device multiplies' > "$work/sanitizer" 2>&1; then sanitizer='no report'; else sanitizer="FAILED: $(tail -1 "$work/sanitizer")"; failed=1; fi
fi

: > "$work/times"
for shape in $shapes; do
  if [ "$(left)" -lt 60 ] && [ -z "$dry" ]; then echo "| $shape: not timed, the ten minutes were over |" >> "$work/times"; continue; fi
  say "making a $shape model"
  "$program" make-model "$shape" "$work/$shape.gguf"
  say "timing $shape"
  timeout "$(left)" "$program" measure "$shape" "$work/$shape.gguf" ${dry:+--dry} >> "$work/times" || failed=1
  rm -f "$work/$shape.gguf"
  if python3 -c 'import torch; raise SystemExit(not torch.cuda.is_available())' 2> /dev/null && [ -z "$dry" ]; then
    say "PyTorch beside it"
    timeout 90 python3 native/test/gpu/peer.py "$shape" >> "$work/times" || echo "PyTorch: it failed, or was too slow." >> "$work/times"
  fi
done

device=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -1 || true)
{
  echo '# The CUDA backend, measured'
  echo
  echo "$(date -u +%Y-%m-%d), ${device:-the emulated device}, by \`native/test/gpu.sh${dry:+ --dry}\`. Limits: what an H200 could do at 790 TFLOP/s of bf16 and 4.3 TB/s, for a model of that size."
  echo
  echo '## Agreement with the CPU'
  echo
  echo '```'
  grep -E '^(ok|FAIL|skip)|off by|passed' "$work/checks" || true
  echo '```'
  echo
  echo "compute-sanitizer: $sanitizer."
  echo
  echo '## Speed'
  cat "$work/times"
} > "$work/page"
if [ -n "$dry" ] && [ "$out" = docs/reference/engine-gpu.md ]; then
  cat "$work/page"
elif [ "$failed" = 0 ]; then
  cp "$work/page" "$out"
else
  # A page that is read as a result must not come from a run that failed.
  cat "$work/page"
fi
say "$([ "$failed" = 0 ] && echo 'all agree' || echo 'FAILED')"
exit "$failed"
