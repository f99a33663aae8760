/*
 * Linked into the fully static executable only: keeps its glibc from loading shared objects of the host.
 *
 * A static glibc can dlopen(3), but what it loads drags in the host's own libc.so.6, of another version, and the process
 * dies in _dl_call_libc_early_init. Ordinary hosts lead there in two ways; each is cut off here.
 */
#include <dlfcn.h>
#include <nss.h>
#include <stddef.h>

/*
 * 1. /etc/nsswitch.conf names a module (sss, myhostname, resolve, ...): getaddrinfo and getpwuid would load it.
 *    "files" and "dns" are built in. This must come before the first lookup, hence a constructor.
 */
__attribute__((constructor)) static void use_built_in_name_services(void)
{
    static const char *const databases[] = {
        "passwd", "group", "initgroups", "shadow", "netgroup", "services", "networks", "protocols",
    };

    __nss_configure_lookup("hosts", "files dns");
    for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
    {
        __nss_configure_lookup(databases[i], "files");
    }
}

/*
 * 2. openssl.cnf, of the host or named by OPENSSL_CONF, activates a provider or an engine: OpenSSL would load it.
 *    Taken from here rather than from libc.a, dlopen fails, and OpenSSL goes on with what is built in.
 */
void *dlopen(const char *file, int mode)
{
    (void)file;
    (void)mode;
    return NULL;
}

char *dlerror(void)
{
    return "this executable is static and loads no shared objects";
}
