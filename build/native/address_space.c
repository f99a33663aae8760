/*
 * Linked into both executables: fits the program into a limited address space (ulimit -v, h_vmem of Grid Engine).
 *
 * The garbage collector reserves half of what there is, and malloc 64 MiB for each of its arenas; what is left is too little for the
 * stacks of threads and for connections. A heap of a tenth is ample: the program holds no object in memory. This must come before the runtime
 * starts, hence a constructor. Without a limit nothing changes.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SMALLEST_HEAP (96UL << 20)

__attribute__((constructor)) static void fit_into_address_space(void)
{
    struct rlimit limit;
    char heap[2 * sizeof limit.rlim_cur + 1];

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    {
        return;
    }

    mallopt(M_ARENA_MAX, 1);
    limit.rlim_cur /= 10;
    snprintf(heap, sizeof heap, "%lX", limit.rlim_cur > SMALLEST_HEAP ? (unsigned long)limit.rlim_cur : SMALLEST_HEAP);
    setenv("DOTNET_GCHeapHardLimit", heap, 0);
}
