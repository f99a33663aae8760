/*
 * What the archives we link expect of a newer glibc, in terms of GLIBC_2.17. Everything is hidden: no shared object of
 * the host may bind to it.
 */
#include <stdarg.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Constructors. They used to be run by __libc_csu_init, which crt1.o brought along until 2.34. */

typedef void constructor(int, char **, char **);

extern constructor *__preinit_array_start[], *__preinit_array_end[];
extern constructor *__init_array_start[], *__init_array_end[];
extern void _init(void);

void compat_init(int argc, char **argv, char **envp)
{
    for (constructor **f = __preinit_array_start; f < __preinit_array_end; f++)
    {
        (*f)(argc, argv, envp);
    }

    _init();
    for (constructor **f = __init_array_start; f < __init_array_end; f++)
    {
        (*f)(argc, argv, envp);
    }
}

/* Destructors of a dynamic program are run by the dynamic loader. */
void compat_fini(void)
{
}

/* 2.33: until then stat and its kin were inline calls of these, with the version of the structure in front. */

#pragma GCC visibility push(default)
extern int __xstat(int, const char *, void *);
extern int __lxstat(int, const char *, void *);
extern int __fxstat(int, int, void *);
extern int __fxstatat(int, int, const char *, void *, int);
extern int __xmknod(int, const char *, unsigned, unsigned long *);
extern int __cxa_atexit(void (*)(void *), void *, void *);
extern int fcntl(int, int, ...);
#pragma GCC visibility pop

enum { STAT_VERSION = 1, MKNOD_VERSION = 0 };

int stat(const char *path, void *status)
{
    return __xstat(STAT_VERSION, path, status);
}

int lstat(const char *path, void *status)
{
    return __lxstat(STAT_VERSION, path, status);
}

int fstat(int fd, void *status)
{
    return __fxstat(STAT_VERSION, fd, status);
}

int fstatat(int directory, const char *path, void *status, int flags)
{
    return __fxstatat(STAT_VERSION, directory, path, status, flags);
}

int mknod(const char *path, unsigned mode, unsigned long device)
{
    return __xmknod(MKNOD_VERSION, path, mode, &device);
}

/* The same structure in a 64-bit program. */
int stat64(const char *path, void *status) __attribute__((alias("stat")));
int lstat64(const char *path, void *status) __attribute__((alias("lstat")));
int fstat64(int fd, void *status) __attribute__((alias("fstat")));
int fstatat64(int directory, const char *path, void *status, int flags) __attribute__((alias("fstatat")));

/* 2.28: a name of its own for what fcntl always did in a 64-bit program. */
int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

/* Not in libc.so.6: it has to know who registers, so each program links its own (libc_nonshared.a). */
extern void *__dso_handle;

int atexit(void (*function)(void))
{
    return __cxa_atexit((void (*)(void *))function, NULL, &__dso_handle);
}
