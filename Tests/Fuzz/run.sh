#!/bin/sh
# Fuzzes one target for so many seconds: Tests/Fuzz/run.sh JSONFuzz 60
# Compiles only the sources the target needs, with libFuzzer and the address sanitizer, into FUZZ_BUILD (default: a
# folder in TMPDIR). The corpus stays there from run to run; a failing input is written beside it and named.
set -eu

usage() { echo "usage: $0 TARGET [SECONDS]   (targets: JSONFuzz, MarkupFuzz)" >&2; exit 2; }

target=${1:-}
seconds=${2:-60}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${FUZZ_BUILD:-${TMPDIR:-/tmp}/fuzz-$(id -u)}/$target

# What each target stands on: C targets, system libraries, Swift modules in the order of their imports, pkg-config packages.
case "$target" in
JSONFuzz) c="CSimdJSON" libraries="" swift="JSON" packages="simdjson" corpus="json" ;;
MarkupFuzz) c="" libraries="CLibXML2" swift="Markup" packages="libxml-2.0" corpus="xml" ;;
*) usage ;;
esac
case "$seconds" in '' | *[!0-9]*) usage ;; esac

mkdir -p "$build/corpus"
cd "$build"
objects=""
includes=""
for name in $c; do
    folder=$root/Sources/$name
    includes="$includes -I $folder/include"
    for source in $(find "$folder" -name '*.c' -o -name '*.cpp'); do
        object=$name-$(basename "$source").o
        case "$source" in *.cpp) compiler="clang++ -std=c++17" ;; *) compiler="clang" ;; esac
        # shellcheck disable=SC2086
        $compiler -g -O1 -fsanitize=fuzzer-no-link,address -I "$folder/include" $(pkg-config --cflags $packages) \
            -c "$source" -o "$object"
        objects="$objects $object"
    done
done
for name in $libraries; do includes="$includes -I $root/Sources/$name"; done
for flag in $(pkg-config --cflags $packages); do includes="$includes -Xcc $flag"; done
compile() {
    # shellcheck disable=SC2086
    swiftc -g -O -swift-version 6 -sanitize=fuzzer,address -parse-as-library -wmo -module-name "$1" \
        -enable-upcoming-feature MemberImportVisibility -enable-upcoming-feature InternalImportsByDefault \
        $includes -I . -emit-module -emit-module-path "$1.swiftmodule" \
        -c $(find "$2" -name '*.swift') -o "$1.o"
    objects="$objects $1.o"
}
for name in $swift; do compile "$name" "$root/Sources/$name"; done
compile "$target" "$root/Tests/Fuzz/$target"
# shellcheck disable=SC2086
swiftc -sanitize=fuzzer,address $objects $(pkg-config --libs $packages) -lstdc++ -o "$target"

for sample in "$root"/Tests/Fuzz/"$target"/*."$corpus"; do
    if [ -f "$sample" ]; then cp "$sample" corpus/; fi
done
# The backtracer of Swift would hold a crashed fuzzer for minutes.
SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 \
    ./"$target" corpus -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1
