// The GNU C library's own controls of its allocator, which Swift's Glibc module leaves out.
#include <malloc.h>
